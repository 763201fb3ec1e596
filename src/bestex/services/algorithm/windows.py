"""What follows a window that ended too early: the rest is worked on until the client's deadline."""

from dataclasses import replace
from decimal import Decimal

from bestex.domain.instruments import Instrument
from bestex.domain.time import to_iso
from bestex.ports import ReferenceData, VolumeCurve
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.instruction import Instruction


def with_deadline(
    instruction: Instruction,
    end_ns: int | None,
    *,
    instrument: Instrument,
    reference: ReferenceData,
    config: AlgorithmConfig,
) -> Instruction:
    """The instruction with the time at which its order expires.

    Args:
        end_ns: the client's own end; None = the close of the session it starts in, less the configured margin.
    """
    session = reference.session(instrument.instrument_id, instruction.start_ns)
    if session is None:
        return instruction
    closes = session[1]
    last = closes - config.close_margin_ns if end_ns is None else min(end_ns, closes)
    return replace(instruction, last_end_ns=last if last > instruction.end_ns else None)


def next_window(
    instruction: Instruction,
    curve: VolumeCurve,
    *,
    now_ns: int,
    quantity: Decimal,
    has_filled: bool,
    instrument: Instrument,
    config: AlgorithmConfig,
) -> Instruction:
    """The same algorithm and style over the next window, which begins now.

    It is as long as the expected volume needs to bring `quantity` at the participation rate, at least
    `next_window_ns`, and at least twice the last window if that one filled nothing: an order whose limit is away from
    the market is not planned anew every few minutes. It ends at the deadline at the latest, and there too when less
    than a window would be left after it.
    """
    shortest = config.next_window_ns
    end = now_ns + shortest
    if not has_filled:
        end = max(end, now_ns + 2 * (instruction.end_ns - instruction.start_ns))
    deadline = instruction.deadline_ns
    if instrument.average_daily_volume is not None:
        needed = float(quantity) / instruction.participation_rate / float(instrument.average_daily_volume)
        while end < deadline and curve.share(now_ns, end) < needed:
            end += config.slice_ns
    if end + shortest > deadline:
        end = deadline
    slices = max(1, min(config.slices_max, (end - now_ns) // config.slice_ns))
    return replace(instruction.from_now(now_ns, end), slices=slices, notes=())


def going_on(instruction: Instruction, left: Decimal, *, held_by_volume: bool, last_reason: str) -> str:
    """Why there is another window, in words for people."""
    if held_by_volume:
        why = f"held to {instruction.participation_rate * 100:g} % of volume"
    else:
        why = "not done in time" if last_reason == "working" else last_reason
    until = _clock(instruction.end_ns)
    if instruction.end_ns < instruction.deadline_ns:
        until += f", {_clock(instruction.deadline_ns)} at the latest"
    return f"window ended with {left:f} left: {why}; going on until {until}"


def _clock(time_ns: int) -> str:
    return to_iso(time_ns)[11:16] + " UTC"
