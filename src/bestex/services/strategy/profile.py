"""The order as selection sees it: one shape for a request, a new parent order and what remains of one."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from bestex.domain.errors import InvalidInput, InvalidOrder
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Algorithm, ExecutionStyle, Objective, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, to_iso
from bestex.domain.venues import Venue
from bestex.messages.strategy import ExecutionConstraints, RecommendExecution
from bestex.ports import ReferenceData


@dataclass(frozen=True, kw_only=True)
class OrderProfile:
    """What is to be worked and what the client demands. None in a constraint = the client left it open.

    The window [start_ns, end_ns) lies inside one session [open_ns, close_ns); `venues` are the ones still allowed.
    """

    order_id: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    objective: Objective
    urgency: Urgency
    constraints: ExecutionConstraints
    algorithm: Algorithm | None
    execution_style: ExecutionStyle | None
    start_ns: int
    end_ns: int
    open_ns: int
    close_ns: int
    end_is_fixed: bool  # the client gave an end or a time limit, so the session's close is not what ends it
    venues: tuple[Venue, ...]
    all_venues: tuple[Venue, ...]  # before the client's restrictions

    @property
    def window_minutes(self) -> float:
        return (self.end_ns - self.start_ns) / NS_PER_MINUTE

    @cached_property
    def lit_venues(self) -> tuple[Venue, ...]:
        return tuple(venue for venue in self.venues if not venue.is_dark)

    @cached_property
    def dark_venues(self) -> tuple[Venue, ...]:
        return tuple(venue for venue in self.venues if venue.is_dark)


def profile_of_request(request: RecommendExecution, reference: ReferenceData, now_ns: int) -> OrderProfile:
    """The profile of a request for a recommendation.

    Raises:
        InvalidOrder: with one entry per field that is wrong.
        NotFound: if the instrument is unknown.
    """
    return _profile(
        reference,
        now_ns,
        order_id=request.order_id,
        instrument_id=request.instrument_id,
        side=request.side,
        quantity=request.quantity,
        objective=request.objective,
        urgency=request.urgency,
        constraints=request.constraints,
        start_time_ns=request.start_time_ns,
        end_time_ns=request.end_time_ns,
        algorithm=request.algorithm,
        execution_style=request.execution_style,
    )


def profile_of_order(
    order: ParentOrder,
    reference: ReferenceData,
    now_ns: int,
    *,
    quantity: Decimal | None = None,
    objective: Objective | None = None,
    urgency: Urgency | None = None,
    constraints: ExecutionConstraints | None = None,
    end_time_ns: int | None = None,
) -> OrderProfile:
    """The profile of a parent order, or of the `quantity` that remains of it.

    `constraints` and `end_time_ns` may tighten the order's own; where both speak, the tighter one holds.

    Raises:
        InvalidOrder: with one entry per field that is wrong.
    """
    given = order.instructions
    own = ExecutionConstraints(
        max_participation_rate=given.max_participation_rate,
        price_limit=order.price,
        venue_restrictions=given.venue_restrictions,
        dark_pool_preference=given.dark_pool_preference,
    )
    return _profile(
        reference,
        now_ns,
        order_id=order.order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity if quantity is None else quantity,
        objective=objective or given.objective or Objective.BALANCED_EXECUTION,
        urgency=urgency or given.urgency,
        constraints=own if constraints is None else tighter(own, constraints, order.side),
        start_time_ns=given.start_time_ns,
        end_time_ns=min((end for end in (given.end_time_ns, end_time_ns) if end is not None), default=None),
        algorithm=given.algorithm,
        execution_style=given.execution_style,
    )


def tighter(own: ExecutionConstraints, other: ExecutionConstraints, side: Side) -> ExecutionConstraints:
    """Both constraints at once: the lower rate and time, the less generous price, all restrictions."""
    rates = [rate for rate in (own.max_participation_rate, other.max_participation_rate) if rate is not None]
    times = [limit for limit in (own.time_limit_minutes, other.time_limit_minutes) if limit is not None]
    prices = [price for price in (own.price_limit, other.price_limit) if price is not None]
    return ExecutionConstraints(
        max_participation_rate=min(rates, default=None),
        time_limit_minutes=min(times, default=None),
        price_limit=(min if side is Side.BUY else max)(prices, default=None),
        venue_restrictions=tuple(dict.fromkeys((*own.venue_restrictions, *other.venue_restrictions))),
        dark_pool_preference=own.dark_pool_preference
        if other.dark_pool_preference is None or own.dark_pool_preference is False
        else other.dark_pool_preference,
    )


def _profile(
    reference: ReferenceData,
    now_ns: int,
    *,
    order_id: str,
    instrument_id: str,
    side: Side,
    quantity: Decimal,
    objective: Objective,
    urgency: Urgency,
    constraints: ExecutionConstraints,
    start_time_ns: int | None,
    end_time_ns: int | None,
    algorithm: str | None,
    execution_style: ExecutionStyle | None,
) -> OrderProfile:
    instrument = reference.instrument(instrument_id)
    venues = tuple(reference.venues(instrument_id))
    errors: list[InvalidInput] = []

    def wrong(message: str, field: str, value: object, expected: str) -> None:
        errors.append(InvalidOrder(message, field=field, value=value, expected=expected))

    limit_price = constraints.price_limit
    try:
        instrument.quantity_to_lots(quantity)
    except InvalidOrder as error:
        errors.append(error)
    try:
        if limit_price is not None:
            instrument.price_to_ticks(limit_price, field="constraints.price_limit")
    except InvalidOrder as error:
        errors.append(error)
    rate = constraints.max_participation_rate
    if rate is not None and not 0 < rate <= 1:
        wrong(
            f"max_participation_rate {rate} is not in (0, 1]; 10 % is 0.10",
            "constraints.max_participation_rate",
            rate,
            "more than 0, at most 1",
        )
    limit = constraints.time_limit_minutes
    if limit is not None and limit <= 0:
        wrong(f"time_limit_minutes {limit} is not positive", "constraints.time_limit_minutes", limit, "at least 1")
    known = {venue.venue_id for venue in venues}
    for venue_id in constraints.venue_restrictions:
        if venue_id not in known:
            wrong(
                f"venue {venue_id!r} does not trade {instrument_id}",
                "constraints.venue_restrictions",
                venue_id,
                "among " + ", ".join(sorted(known)),
            )
    if algorithm is not None and algorithm not in set(Algorithm):
        wrong(f"algorithm {algorithm!r} is not known", "algorithm", algorithm, "one of " + ", ".join(Algorithm))
    wanted_ns = max(now_ns, start_time_ns or now_ns)
    session = reference.session(instrument_id, wanted_ns)
    open_ns, close_ns = session or (wanted_ns, wanted_ns)
    start_ns = max(wanted_ns, open_ns)
    if session is None:
        wrong(
            f"{instrument_id} has no session at or after {to_iso(wanted_ns)}",
            "start_time",
            to_iso(wanted_ns),
            "a time at or before a session of its calendar",
        )
    ends = [close_ns]
    if end_time_ns is not None:
        ends.append(end_time_ns)
    if limit is not None and limit > 0:
        ends.append(start_ns + limit * NS_PER_MINUTE)
    if session is not None and min(ends) <= start_ns:
        wrong(
            f"the order would end at {to_iso(min(ends))}, not after its start at {to_iso(start_ns)}",
            "end_time",
            to_iso(min(ends)),
            f"a time after {to_iso(start_ns)}",
        )
    if errors:
        raise InvalidOrder("; ".join(error.message for error in errors), errors=errors)
    return OrderProfile(
        order_id=order_id,
        instrument=instrument,
        side=side,
        quantity=quantity,
        objective=objective,
        urgency=urgency,
        constraints=constraints,
        algorithm=None if algorithm is None else Algorithm(algorithm),
        execution_style=execution_style,
        start_ns=start_ns,
        end_ns=min(ends),
        open_ns=open_ns,
        close_ns=close_ns,
        end_is_fixed=min(ends) < close_ns,
        venues=tuple(venue for venue in venues if venue.venue_id not in constraints.venue_restrictions),
        all_venues=venues,
    )
