"""Limits and habits of the algorithm service. A limit that is not there denies: none of them can be None."""

from dataclasses import dataclass, field
from decimal import Decimal

from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_MILLISECOND, NS_PER_MINUTE, NS_PER_SECOND


@dataclass(frozen=True, kw_only=True)
class GuardConfig:
    """Limits every child order passes before it leaves."""

    participation_rate_max: float = 0.30  # our share of all volume since the parent began, ours included
    child_notional_max: Decimal = Decimal(5_000_000)  # instrument's currency
    collar_bps: Decimal = Decimal(100)  # how far beyond the far touch a child may be priced
    quote_age_ms_max: int = 2_000  # older quotes stop new child orders
    messages_per_second_max: int = 50  # new child orders of one parent; cancels always leave
    live_children_max: int = 200  # of one parent

    def __post_init__(self) -> None:
        _check(0 < self.participation_rate_max <= 1, "participation_rate_max", self.participation_rate_max, "in (0, 1]")
        for name in (
            "child_notional_max",
            "collar_bps",
            "quote_age_ms_max",
            "messages_per_second_max",
            "live_children_max",
        ):
            _check(getattr(self, name) > 0, name, getattr(self, name), "more than 0")


@dataclass(frozen=True, kw_only=True)
class AlgorithmConfig:
    """How parent orders are worked where the client says nothing."""

    guards: GuardConfig = field(default_factory=GuardConfig)
    default_window_ns: int = 30 * NS_PER_MINUTE  # end when none is given, the session's close at the latest
    next_window_ns: int = 5 * NS_PER_MINUTE  # shortest window after one that ended before the deadline
    close_margin_ns: int = NS_PER_MINUTE  # an order without an end expires this long before the close
    slice_ns: int = NS_PER_MINUTE  # length of a slice where no number of slices is given
    slices_max: int = 1_000
    participation_rate: float = 0.10  # PARTICIPATION_RATE where no rate is given
    venues_per_child_max: int = 3  # a quantity is split over this many venues at most
    answer_timeout_ns: int = NS_PER_SECOND  # silence of a venue makes a child UNKNOWN
    cancels_asked_max: int = 6  # for one unknown child, each after twice the wait of the one before
    reject_backoff_ns: int = 250 * NS_PER_MILLISECOND  # after the first reject in a row; doubles with each
    rejects_in_a_row_max: int = 5  # then the parent pauses
    refusal_backoff_ns: int = NS_PER_SECOND  # when a guard refused, or there is nothing to price against

    def __post_init__(self) -> None:
        _check(0 < self.participation_rate < 1, "participation_rate", self.participation_rate, "in (0, 1)")
        for name in (
            "default_window_ns",
            "next_window_ns",
            "close_margin_ns",
            "slice_ns",
            "slices_max",
            "venues_per_child_max",
            "answer_timeout_ns",
            "cancels_asked_max",
            "reject_backoff_ns",
            "rejects_in_a_row_max",
            "refusal_backoff_ns",
        ):
            _check(getattr(self, name) > 0, name, getattr(self, name), "more than 0")


def _check(good: bool, field_name: str, value: object, expected: str) -> None:
    if not good:
        raise InvalidInput(f"{field_name} {value} must be {expected}", field=field_name, value=value, expected=expected)
