from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

version: str

# --- decision ---
NO_PRICE: Final[int]
NEVER: Final[int]
UNLIMITED: Final[int]

class DecisionEngine:
    """The decision step of one parent order: its parameters, its curve and its state.

    Codes are those of `bestex.native.decision`; prices ticks, quantities lots, times UTC nanoseconds, None = none.
    The curve is cumulative, one value per slice, never falling, its last value exactly 1.

    Raises:
        ValueError: a parameter out of its range; the message names it, the value seen and the range.
    """

    def __init__(
        self,
        *,
        algorithm: int,
        style: int,
        side: int,
        quantity: int,
        start: int,
        end: int,
        slices: int,
        curve: NDArray[np.float64],
        limit: int | None = None,
        participation_rate: float = 1.0,
        child_quantity_max: int | None = None,
    ) -> None: ...
    def decide(
        self,
        filled: int,
        live: int,
        cancel_pending: bool,
        now: int,
        bid: int | None,
        ask: int | None,
        bid_quantity: int,
        ask_quantity: int,
        others_volume: int,
        wake: int,
    ) -> tuple[tuple[tuple[int, int, int | None], ...], int | None, int | None, int]:
        """(intents, wake_at, wake_at_volume, target); an intent is (kind, quantity, price). None = not to be woken."""

    def decide_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Many steps in a row: (steps, 10) inputs, the arguments of `decide` in their order, with NO_PRICE for None.

        Returns (steps, 20): count, three times (kind, quantity, price), wake_at, wake_at_volume, target, the state's
        seven. An intent not sent is (-1, 0, NO_PRICE); times and volumes not asked for are NEVER and UNLIMITED.
        """

    def step_times_ns(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Wall time of each step from the present state, which is left as it is. For benchmarks."""

    @property
    def state(self) -> tuple[int, int, bool, int, int, int, int]:
        """(slice, crossing, done, replacing, posted, volume_seen, next_child_at), to be saved and set again."""

    @state.setter
    def state(self, saved: tuple[int, int, bool, int, int, int, int]) -> None: ...
    @property
    def done(self) -> bool:
        """Nothing more will be sent and nothing is live."""

# --- end of decision ---

# --- replay ---

class TapeError(ValueError):
    """args: message, field, value; the last two empty when it is the file as a whole."""

class TapeBuilder:
    def __init__(
        self,
        *,
        path: str,
        instrument_id: str,
        tick_size: str,
        lot_size: str,
        day: str,
        level: int,
        refuse_crossed: bool,
    ) -> None: ...
    def add_l3(self, rows: NDArray[np.uint8]) -> None: ...
    def add_l2(self, rows: NDArray[np.uint8]) -> None: ...
    def finish(self) -> None: ...

class Tape:
    def __init__(self, path: str) -> None: ...
    def metadata(self) -> dict[str, Any]: ...
    def quotes(self, start_ns: int, end_ns: int, limit: int, every_row: bool) -> NDArray[np.uint8]: ...
    def trades(self, start_ns: int, end_ns: int, limit: int) -> NDArray[np.uint8]: ...

# --- end of replay ---
