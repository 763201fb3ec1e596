"""Which execution strategies may work an order, and the plain reason for each that may not.

The client's constraints come first and are hard; then the house rules of the catalogue. Every rule only ever leaves
out, so a tighter constraint never lets a strategy in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bestex.domain.errors import InvalidOrder
from bestex.domain.instruments import AssetClass
from bestex.domain.orders import Algorithm
from bestex.messages.strategy import MarketContext
from bestex.services.strategy.catalogue import CatalogueEntry
from bestex.services.strategy.profile import OrderProfile

# No consolidated tape of trades to follow in these markets.
_WITHOUT_TAPE: Final = frozenset({AssetClass.FX, AssetClass.BOND})
_TAPE_FOLLOWERS: Final = frozenset({Algorithm.VWAP, Algorithm.PARTICIPATION_RATE})


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Why a strategy may not work the order. `field` is the client's constraint that says so; None = a house rule."""

    reason: str
    field: str | None


@dataclass(frozen=True, kw_only=True)
class FeasibleSet:
    entries: tuple[CatalogueEntry, ...]
    left_out: dict[str, LeftOut]  # strategy name -> why


def feasible_set(
    entries: Sequence[CatalogueEntry],
    profile: OrderProfile,
    context: MarketContext,
    *,
    adv_fraction: float,
    desk_rate_max: float,
) -> FeasibleSet:
    """The strategies that may work the order; possibly none.

    Args:
        adv_fraction: the order's quantity over the average daily volume.
        desk_rate_max: the desk's own participation cap.
    """
    allowed: list[CatalogueEntry] = []
    left_out: dict[str, LeftOut] = {}
    for entry in entries:
        why = _client_refuses(entry, profile, desk_rate_max) or _house_refuses(entry, profile, context, adv_fraction)
        if why is None:
            allowed.append(entry)
        else:
            left_out[entry.strategy_name] = why
    return FeasibleSet(entries=tuple(allowed), left_out=left_out)


def refusal(
    entries: Sequence[CatalogueEntry],
    profile: OrderProfile,
    context: MarketContext,
    *,
    adv_fraction: float,
    desk_rate_max: float,
) -> InvalidOrder:
    """The error for an order that no strategy may work: the constraint that binds, and what would make it feasible."""
    found = feasible_set(entries, profile, context, adv_fraction=adv_fraction, desk_rate_max=desk_rate_max)
    assert not found.entries
    for field, relaxed in _relaxed(profile):
        again = feasible_set(entries, relaxed, context, adv_fraction=adv_fraction, desk_rate_max=desk_rate_max)
        if again.entries:
            names = ", ".join(entry.strategy_name for entry in again.entries[:3])
            value, expected = _what_would_do(field, profile, again.entries)
            return InvalidOrder(
                f"no execution strategy can work order {profile.order_id}: {field} {value} leaves none; "
                f"{expected} would allow {names}",
                field=field,
                value=value,
                expected=expected,
            )
    reasons = "; ".join(f"{name}: {why.reason}" for name, why in found.left_out.items())
    named = next((why.field for why in found.left_out.values() if why.field is not None), None)
    return InvalidOrder(
        f"no execution strategy can work order {profile.order_id}: {reasons or 'the catalogue is empty'}",
        field=named,
        expected="relax several constraints together, or enable a strategy that suits the order",
    )


def _client_refuses(entry: CatalogueEntry, profile: OrderProfile, desk_rate_max: float) -> LeftOut | None:
    wants = profile.constraints
    if profile.algorithm is not None and entry.algorithm is not profile.algorithm:
        return LeftOut(reason=f"works {entry.algorithm}; the client asked for {profile.algorithm}", field="algorithm")
    if profile.execution_style is not None and entry.execution_style is not profile.execution_style:
        return LeftOut(
            reason=f"is {entry.execution_style}; the client asked for {profile.execution_style}",
            field="execution_style",
        )
    if not profile.lit_venues:
        return LeftOut(
            reason="no lit venue is left after the client's restrictions", field="constraints.venue_restrictions"
        )
    if entry.dark_pool_ratio.low > 0 and wants.dark_pool_preference is False:
        return LeftOut(
            reason="starts in dark pools; the client does not want them", field="constraints.dark_pool_preference"
        )
    if entry.dark_pool_ratio.low > 0 and not profile.dark_venues:
        restricted = bool(wants.venue_restrictions)
        return LeftOut(
            reason="starts in dark pools; none is available for this order",
            field="constraints.venue_restrictions" if restricted else None,
        )
    if entry.participation_rate is not None:
        rate = entry.participation_rate.low
        cap = wants.max_participation_rate
        if cap is not None and rate > cap:
            return LeftOut(
                reason=f"trades at {rate:.0%} of volume or more; the client's cap is {cap:.1%}",
                field="constraints.max_participation_rate",
            )
        if rate > desk_rate_max:
            return LeftOut(reason=f"trades at {rate:.0%} of volume; the desk's cap is {desk_rate_max:.1%}", field=None)
    if entry.horizon_minutes.low > profile.window_minutes:
        fixed = profile.end_is_fixed
        what = "the client's end leaves" if fixed else "the session leaves"
        by_limit = fixed and wants.time_limit_minutes is not None
        return LeftOut(
            reason=f"needs {entry.horizon_minutes.low:g} minutes; {what} {profile.window_minutes:.1f}",
            field=("constraints.time_limit_minutes" if by_limit else "end_time") if fixed else None,
        )
    return None


def _house_refuses(
    entry: CatalogueEntry, profile: OrderProfile, context: MarketContext, adv_fraction: float
) -> LeftOut | None:
    reason = None
    if not entry.enabled:
        reason = "is switched off in the catalogue"
    elif profile.urgency not in entry.urgencies:
        reason = f"is not for {profile.urgency} urgency"
    elif entry.adv_fraction_max is not None and adv_fraction > entry.adv_fraction_max:
        reason = f"takes orders up to {entry.adv_fraction_max:.0%} of daily volume; this one is {adv_fraction:.1%}"
    elif context.current_conditions in entry.excluded_conditions:
        reason = f"is kept out of {context.current_conditions.lower().replace('_', ' ')} markets"
    elif profile.instrument.asset_class in _WITHOUT_TAPE and entry.algorithm in _TAPE_FOLLOWERS:
        reason = f"follows traded volume; {profile.instrument.asset_class} has no consolidated tape"
    return None if reason is None else LeftOut(reason=reason, field=None)


def _relaxed(profile: OrderProfile) -> list[tuple[str, OrderProfile]]:
    """The profile without one of the client's constraints at a time, the most usual culprit first."""
    given = profile.constraints

    def without(**changes: tuple[str, ...] | None) -> OrderProfile:
        return replace(profile, constraints=msgspec.structs.replace(given, **changes))

    tries: list[tuple[str, OrderProfile]] = []
    if given.max_participation_rate is not None:
        tries.append(("constraints.max_participation_rate", without(max_participation_rate=None)))
    if profile.end_is_fixed:
        by = "end_time" if given.time_limit_minutes is None else "constraints.time_limit_minutes"
        tries.append((by, replace(profile, end_ns=profile.close_ns, end_is_fixed=False)))
    if given.dark_pool_preference is False:
        tries.append(("constraints.dark_pool_preference", without(dark_pool_preference=None)))
    if given.venue_restrictions:
        relaxed = replace(without(venue_restrictions=()), venues=profile.all_venues)
        tries.append(("constraints.venue_restrictions", relaxed))
    if profile.execution_style is not None:
        tries.append(("execution_style", replace(profile, execution_style=None)))
    if profile.algorithm is not None:
        tries.append(("algorithm", replace(profile, algorithm=None)))
    return tries


def _what_would_do(field: str, profile: OrderProfile, entries: Sequence[CatalogueEntry]) -> tuple[object, str]:
    given = profile.constraints
    match field:
        case "constraints.max_participation_rate":
            least = min(entry.participation_rate.low for entry in entries if entry.participation_rate is not None)
            return given.max_participation_rate, f"at least {least:g}"
        case "constraints.time_limit_minutes" | "end_time":
            least = min(entry.horizon_minutes.low for entry in entries)
            value = f"{profile.window_minutes:.1f} minutes after the start" if field == "end_time" else None
            return value or given.time_limit_minutes, f"at least {least:g} minutes from the start"
        case "constraints.venue_restrictions":
            return ", ".join(given.venue_restrictions), "fewer restricted venues"
        case "constraints.dark_pool_preference":
            return False, "true or none"
        case _:
            chosen = profile.execution_style if field == "execution_style" else profile.algorithm
            names = {entry.execution_style if field == "execution_style" else entry.algorithm for entry in entries}
            return chosen, "one of " + ", ".join(sorted(names))
