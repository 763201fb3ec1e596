"""When an instruction wants how much done: its curve over equal slices, with no-trade zones taken out."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm
from bestex.ports import VolumeCurve
from bestex.quant.schedules import remaining_fraction, slice_starts_ns, twap_curve, vwap_curve
from bestex.services.algorithm.instruction import Instruction

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Timetable:
    """Slices from `edges_ns[k]` to `edges_ns[k + 1]`; `curve[k]` is the fraction done by the end of slice k."""

    edges_ns: NDArray[np.int64]  # (slices + 1,)
    curve: Array  # (slices,) never falling, the last exactly 1
    volume_share: float  # of the session's volume expected while trading is allowed
    volume_name: str  # where the volume curve comes from

    @property
    def slices(self) -> int:
        return len(self.curve)

    def fraction_at(self, time_ns: int) -> float:
        """Fraction due by a time, straight between the edges of the slices; 0 before the start, 1 after the end."""
        return float(np.interp(time_ns, self.edges_ns, np.concatenate(([0.0], self.curve))))


def timetable(instruction: Instruction, volume: VolumeCurve, *, start_ns: int, lots: int) -> Timetable:
    """The timetable of what an instruction does from `start_ns` to its end, in no more slices than there are lots.

    TWAP is even in tradable time, VWAP in expected volume, IMPLEMENTATION_SHORTFALL follows Almgren and Chriss in
    tradable time. PARTICIPATION_RATE has the expected volume's curve for display; what it does depends on the volume.
    A volume curve that expects nothing in the window falls back to even, and is named so.
    """
    slices = max(1, min(instruction.slices, lots, instruction.end_ns - start_ns))
    edges = slice_starts_ns(start_ns, instruction.end_ns, slices)
    pieces = [_tradable(int(low), int(high), instruction) for low, high in pairwise(edges)]
    seconds = np.array([sum(high - low for low, high in piece) for piece in pieces], dtype=np.float64)
    volumes = np.array([sum(volume.share(low, high) for low, high in piece) for piece in pieces], dtype=np.float64)
    share, name = float(volumes.sum()), volume.name
    even = vwap_curve(seconds)
    if instruction.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
        curve = 1.0 - remaining_fraction(even, instruction.kappa_t)
    elif instruction.algorithm is Algorithm.TWAP:
        curve = even if instruction.no_trade_zones else twap_curve(slices)
    elif share > 0:
        curve = vwap_curve(volumes)
    else:
        curve, name = even, f"even (the curve {name!r} expects no volume here)"
    curve = np.maximum.accumulate(np.clip(curve, 0.0, 1.0))
    curve[-1] = 1.0
    return Timetable(edges_ns=edges, curve=curve, volume_share=share, volume_name=name)


def _tradable(low: int, high: int, instruction: Instruction) -> list[tuple[int, int]]:
    """What the zones leave of [low, high)."""
    pieces: list[tuple[int, int]] = []
    for zone_start, zone_end in instruction.no_trade_zones:
        if zone_end <= low or zone_start >= high:
            continue
        if zone_start > low:
            pieces.append((low, zone_start))
        low = max(low, zone_end)
    if low < high:
        pieces.append((low, high))
    return pieces
