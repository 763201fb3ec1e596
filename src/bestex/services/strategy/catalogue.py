"""The catalogue of execution strategies: what the desk may recommend, as rows that users can change."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.orders import Algorithm, ExecutionStyle, Urgency
from bestex.messages.records import ExecutionStrategyRow
from bestex.messages.strategy import SaveStrategy

CONDITIONS: Final = ("NORMAL", "HIGH_VOLATILITY", "LOW_LIQUIDITY", "TRENDING", "MEAN_REVERTING", "NEWS_DRIVEN")
LIMITS: Final[dict[str, tuple[float, float]]] = {
    "horizon_minutes": (1.0, 1_440.0),
    "participation_rate": (0.001, 1.0),
    "kappa_T": (0.0, 20.0),
    "dark_pool_ratio": (0.0, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Span:
    """Lowest and highest value a parameter may take; equal when it is fixed."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """One execution strategy before it meets an order.

    `horizon_minutes` bounds the window; `participation_rate` is set for PARTICIPATION_RATE only, `kappa_t` (0 = TWAP,
    3 = front-loaded, 8 = near-immediate) for IMPLEMENTATION_SHORTFALL only. The house rules (`urgencies`,
    `adv_fraction_max`, `excluded_conditions`) come after the client's constraints.
    """

    strategy_name: str
    algorithm: Algorithm
    execution_style: ExecutionStyle
    horizon_minutes: Span
    participation_rate: Span | None
    kappa_t: Span | None
    dark_pool_ratio: Span
    urgencies: frozenset[Urgency]
    adv_fraction_max: float | None  # largest order as a share of the average daily volume; None = any
    excluded_conditions: frozenset[str]
    enabled: bool
    is_builtin: bool


def entry_of(row: ExecutionStrategyRow) -> CatalogueEntry:
    """The entry a row stands for.

    Raises:
        InvalidInput: naming every field of `algorithm_mapping` and `parameter_ranges` that cannot be used.
    """
    mapping, ranges = row.algorithm_mapping, row.parameter_ranges
    wrong: list[InvalidInput] = []

    def pick(kind: Any, name: str, value: object) -> Any:
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(kind)
            wrong.append(
                InvalidInput(
                    f"algorithm_mapping.{name} {value!r} is not known; use one of {allowed}",
                    field=f"algorithm_mapping.{name}",
                    value=value,
                    expected=f"one of {allowed}",
                )
            )
            return None

    algorithm = pick(Algorithm, "algorithm", mapping.get("algorithm"))
    style = pick(ExecutionStyle, "execution_style", mapping.get("execution_style"))
    urgencies = frozenset(pick(Urgency, "urgencies", item) for item in mapping.get("urgencies", list(Urgency)))
    conditions = frozenset(str(item) for item in mapping.get("excluded_conditions", ()))
    if unknown := conditions - set(CONDITIONS):
        wrong.append(
            InvalidInput(
                f"algorithm_mapping.excluded_conditions {sorted(unknown)} are not known",
                field="algorithm_mapping.excluded_conditions",
                value=sorted(unknown),
                expected="among " + ", ".join(CONDITIONS),
            )
        )
    largest = mapping.get("adv_fraction_max")
    if largest is not None and not (isinstance(largest, int | float) and largest > 0):
        wrong.append(
            InvalidInput(
                f"algorithm_mapping.adv_fraction_max {largest!r} is not a positive number",
                field="algorithm_mapping.adv_fraction_max",
                value=largest,
                expected="more than 0, or absent for any size",
            )
        )
    spans = {name: _span(name, value, wrong) for name, value in ranges.items()}
    needed = {"horizon_minutes"}
    if algorithm is Algorithm.PARTICIPATION_RATE:
        needed.add("participation_rate")
    if algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
        needed.add("kappa_T")
    wrong.extend(
        InvalidInput(
            f"parameter_ranges.{name} is missing; {algorithm or 'a strategy'} needs it",
            field=f"parameter_ranges.{name}",
            expected='like {"min": 1, "max": 10}',
        )
        for name in sorted(needed - set(ranges))
    )
    if wrong:
        raise InvalidInput("; ".join(error.message for error in wrong), errors=wrong)
    horizon = spans["horizon_minutes"]
    assert horizon is not None
    return CatalogueEntry(
        strategy_name=row.strategy_name,
        algorithm=algorithm,
        execution_style=style,
        horizon_minutes=horizon,
        participation_rate=spans.get("participation_rate") if algorithm is Algorithm.PARTICIPATION_RATE else None,
        kappa_t=spans.get("kappa_T") if algorithm is Algorithm.IMPLEMENTATION_SHORTFALL else None,
        dark_pool_ratio=spans.get("dark_pool_ratio") or Span(low=0.0, high=0.0),
        urgencies=urgencies,
        adv_fraction_max=None if largest is None else float(largest),
        excluded_conditions=conditions,
        enabled=row.enabled,
        is_builtin=bool(mapping.get("is_builtin", False)),
    )


def _span(name: str, value: object, wrong: list[InvalidInput]) -> Span | None:
    limits = LIMITS.get(name)
    low = value.get("min") if isinstance(value, dict) else None
    high = value.get("max") if isinstance(value, dict) else None
    is_span = isinstance(low, int | float) and isinstance(high, int | float)
    if limits is None or not is_span or not limits[0] <= float(low) <= float(high) <= limits[1]:  # type: ignore[arg-type]
        expected = (
            "one of " + ", ".join(LIMITS)
            if limits is None
            else f'{{"min": a, "max": b}}, {limits[0]} <= a <= b <= {limits[1]}'
        )
        wrong.append(
            InvalidInput(
                f"parameter_ranges.{name} {value!r} cannot be used; expected {expected}",
                field=f"parameter_ranges.{name}",
                value=value,
                expected=expected,
            )
        )
        return None
    return Span(low=float(low), high=float(high))  # type: ignore[arg-type]


class Catalogue:
    """The rows by name, and the entries the rules read. Names keep their order of arrival."""

    def __init__(self, rows: Iterable[ExecutionStrategyRow]) -> None:
        self._rows: dict[str, ExecutionStrategyRow] = {}
        self._entries: dict[str, CatalogueEntry] = {}
        for row in rows:
            self._put(row)

    @property
    def rows(self) -> tuple[ExecutionStrategyRow, ...]:
        return tuple(self._rows.values())

    @property
    def entries(self) -> tuple[CatalogueEntry, ...]:
        return tuple(self._entries.values())

    def save(self, request: SaveStrategy, time_ns: int) -> ExecutionStrategyRow:
        """Add or replace; `create` refuses a name that is taken, and a built-in keeps its algorithm.

        Raises:
            Conflict: if the name is taken, or a built-in would become another algorithm.
            InvalidInput: if the row cannot be used.
        """
        name = request.strategy_name
        known = self._rows.get(name)
        if not 1 <= len(name.strip()) <= 100 or name != name.strip():
            raise InvalidInput(
                f"strategy_name {name[:120]!r} cannot be used",
                field="strategy_name",
                value=name[:120],
                expected="1 to 100 characters, no blanks at the ends",
            )
        if request.create and known is not None:
            raise Conflict(
                f"execution strategy {name!r} exists already", field="strategy_name", value=name, expected="a new name"
            )
        if not request.create and known is None:
            raise NotFound(f"no execution strategy {name!r}", field="strategy_name", value=name)
        is_builtin = known is not None and bool(known.algorithm_mapping.get("is_builtin", False))
        mapping = {**request.algorithm_mapping, "is_builtin": is_builtin}
        if known is not None and is_builtin and mapping.get("algorithm") != known.algorithm_mapping["algorithm"]:
            raise Conflict(
                f"{name!r} is built in and works {known.algorithm_mapping['algorithm']}; "
                "save another algorithm under a new name",
                field="algorithm_mapping.algorithm",
                value=mapping.get("algorithm"),
                expected=str(known.algorithm_mapping["algorithm"]),
            )
        row = ExecutionStrategyRow(
            id=time_ordered_uuid(time_ns, "execution_strategy", name) if known is None else known.id,
            strategy_name=name,
            strategy_type=str(mapping.get("algorithm")),
            algorithm_mapping=mapping,
            parameter_ranges=request.parameter_ranges,
            performance_metrics=None if known is None else known.performance_metrics,
            enabled=request.enabled,
            created_at_ns=time_ns if known is None else known.created_at_ns,
        )
        self._put(row)
        return row

    def disable(self, name: str) -> ExecutionStrategyRow:
        """The row, never recommended again until it is saved as enabled. Rows stay: old selections name them.

        Raises:
            NotFound: if there is none of that name.
        """
        known = self._rows.get(name)
        if known is None:
            raise NotFound(f"no execution strategy {name!r}", field="strategy_name", value=name)
        row = msgspec.structs.replace(known, enabled=False)
        self._put(row)
        return row

    def _put(self, row: ExecutionStrategyRow) -> None:
        self._entries[row.strategy_name] = entry_of(row)
        self._rows[row.strategy_name] = row


def default_catalogue() -> tuple[ExecutionStrategyRow, ...]:
    """The built-in execution strategies. Their ids and times are fixed: every desk has the same ones."""
    calm = [Urgency.LOW, Urgency.NORMAL]
    return tuple(
        ExecutionStrategyRow(
            id=time_ordered_uuid(0, "execution_strategy", name),
            strategy_name=name,
            strategy_type=algorithm,
            algorithm_mapping={"algorithm": algorithm, "execution_style": style, "is_builtin": True, **rules},
            parameter_ranges={key: {"min": low, "max": high} for key, (low, high) in ranges.items()},
            performance_metrics=None,
            enabled=True,
            created_at_ns=0,
        )
        for name, algorithm, style, ranges, rules in (
            (
                "Patient TWAP",
                "TWAP",
                "PASSIVE",
                {"horizon_minutes": (30, 390)},
                {"urgencies": calm, "excluded_conditions": ["NEWS_DRIVEN"]},
            ),
            ("Steady TWAP", "TWAP", "BALANCED", {"horizon_minutes": (2, 390)}, {}),
            (
                "VWAP Tracker",
                "VWAP",
                "BALANCED",
                {"horizon_minutes": (10, 390), "dark_pool_ratio": (0.0, 0.2)},
                {"urgencies": [*calm, Urgency.HIGH]},
            ),
            (
                "Opportunistic Passive VWAP",
                "VWAP",
                "OPPORTUNISTIC",
                {"horizon_minutes": (20, 390)},
                {"urgencies": calm, "adv_fraction_max": 0.10, "excluded_conditions": ["NEWS_DRIVEN", "TRENDING"]},
            ),
            (
                "Dark-first VWAP",
                "VWAP",
                "PASSIVE",
                {"horizon_minutes": (20, 390), "dark_pool_ratio": (0.3, 0.6)},
                {"urgencies": calm, "excluded_conditions": ["NEWS_DRIVEN"]},
            ),
            (
                "Stealth Participation 5 %",
                "PARTICIPATION_RATE",
                "PASSIVE",
                {"horizon_minutes": (10, 390), "participation_rate": (0.02, 0.05)},
                {"urgencies": calm},
            ),
            (
                "Participation 10 %",
                "PARTICIPATION_RATE",
                "BALANCED",
                {"horizon_minutes": (2, 390), "participation_rate": (0.10, 0.10)},
                {},
            ),
            (
                "Participation 20 %",
                "PARTICIPATION_RATE",
                "BALANCED",
                {"horizon_minutes": (1, 390), "participation_rate": (0.20, 0.20)},
                {"excluded_conditions": ["LOW_LIQUIDITY"]},
            ),
            (
                "Balanced Shortfall",
                "IMPLEMENTATION_SHORTFALL",
                "BALANCED",
                {"horizon_minutes": (1, 390), "kappa_T": (0.5, 3.0)},
                {},
            ),
            (
                "Urgent Shortfall",
                "IMPLEMENTATION_SHORTFALL",
                "AGGRESSIVE",
                {"horizon_minutes": (1, 60), "kappa_T": (2.0, 8.0)},
                {"urgencies": [Urgency.NORMAL, Urgency.HIGH, Urgency.URGENT], "adv_fraction_max": 0.10},
            ),
        )
    )
