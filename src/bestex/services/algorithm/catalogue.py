"""The execution algorithms on offer, each with a JSON Schema of its parameters."""

from collections.abc import Sequence
from typing import Any

from bestex.domain.errors import InvalidOrder, NotFound
from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.messages.records import ExecutionAlgorithmRow
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.instruction import KAPPA_T, KAPPA_T_MAX, STYLES, Instruction

_TYPES = {
    Algorithm.TWAP: "SCHEDULE",
    Algorithm.VWAP: "SCHEDULE",
    Algorithm.PARTICIPATION_RATE: "VOLUME",
    Algorithm.IMPLEMENTATION_SHORTFALL: "COST",
}
_WORDS = {
    Algorithm.TWAP: "Even in time.",
    Algorithm.VWAP: "Even in expected volume, by the instrument's volume curve.",
    Algorithm.PARTICIPATION_RATE: "A share of the volume really traded; what it does not allow stays unfilled.",
    Algorithm.IMPLEMENTATION_SHORTFALL: "Front-loaded by urgency (Almgren and Chriss 2000): impact against risk.",
}


class Catalogue:
    """Rows of `execution_algorithms`, and which of them are enabled."""

    def __init__(self, config: AlgorithmConfig) -> None:
        self._config = config
        self._disabled: set[str] = set()
        self._created_ns: dict[str, int] = {}

    def rows(self, now_ns: int) -> Sequence[ExecutionAlgorithmRow]:
        return [self._row(algorithm, now_ns) for algorithm in Algorithm]

    def restore(self, rows: Sequence[ExecutionAlgorithmRow]) -> None:
        """When each row was made. What is disabled comes back with its messages, in order with the orders."""
        self._created_ns = {row.algorithm_name: row.created_at_ns for row in rows}

    def set_enabled(self, name: str, enabled: bool, now_ns: int) -> ExecutionAlgorithmRow:
        """Raises NotFound."""
        if name not in list(Algorithm):
            raise NotFound(
                f"no algorithm {name!r}", field="algorithm_name", value=name, expected="one of " + ", ".join(Algorithm)
            )
        if enabled:
            self._disabled.discard(name)
        else:
            self._disabled.add(name)
        return self._row(Algorithm(name), now_ns)

    def _row(self, algorithm: Algorithm, now_ns: int) -> ExecutionAlgorithmRow:
        return ExecutionAlgorithmRow(
            algorithm_name=algorithm,
            algorithm_type=_TYPES[algorithm],
            parameters_schema=parameters_schema(algorithm, self._config),
            performance_metrics=None,
            enabled=self.is_enabled(algorithm),
            created_at_ns=self._created_ns.get(algorithm, now_ns),
        )

    def is_enabled(self, algorithm: str) -> bool:
        return algorithm not in self._disabled

    def enabled(self) -> list[str]:
        return [algorithm for algorithm in Algorithm if self.is_enabled(algorithm)]

    def checked(self, instruction: Instruction) -> Instruction:
        """Raises InvalidOrder if its algorithm is disabled."""
        if not self.is_enabled(instruction.algorithm):
            raise InvalidOrder(
                f"algorithm {instruction.algorithm} is disabled in the catalogue",
                field="algorithm",
                value=instruction.algorithm,
                expected="one of " + ", ".join(self.enabled()),
            )
        return instruction


def parameters_schema(algorithm: Algorithm, config: AlgorithmConfig) -> dict[str, Any]:
    """JSON Schema (2020-12) of an algorithm's parameters; `x-unit` says the unit, `default` what happens without it."""
    limit = config.guards.participation_rate_max
    follows_volume = algorithm is Algorithm.PARTICIPATION_RATE
    properties: dict[str, Any] = {
        "participation_rate": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": config.participation_rate if follows_volume else limit,
            "x-unit": "our volume / all volume, ours included",
            "description": ("Target" if follows_volume else "Cap") + f"; held to the desk's limit of {limit}.",
        },
        "time_horizon_minutes": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 10_080,
            "default": config.default_window_ns / 60_000_000_000,
            "x-unit": "minutes from the start",
            "description": "Where no end time is given; the session's close at the latest.",
        },
        "slices": {
            "type": "integer",
            "minimum": 1,
            "maximum": config.slices_max,
            "x-unit": "equal time steps",
            "description": f"Without it one per {config.slice_ns // 1_000_000_000} s; never more than lots.",
        },
        "execution_style": {
            "type": "string",
            "enum": list(ExecutionStyle),
            "default": STYLES[next(iter(STYLES))],
            "x-unit": "",
            "description": "By urgency where none is given: "
            + ", ".join(f"{urgency} {style}" for urgency, style in STYLES.items())
            + ".",
        },
        "dark_pool_ratio": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.0,
            "x-unit": "share of what is posted",
            "description": "Rests at the mid on a dark venue; 0 where the order has a price limit.",
        },
        "follows_price": {
            "type": "boolean",
            "default": False,
            "x-unit": "",
            "description": "Between slices too: PASSIVE and OPPORTUNISTIC move with the touch, and what a price limit "
            "held back goes as soon as the price is within it.",
        },
    }
    if algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
        properties["kappa_T"] = {
            "type": "number",
            "minimum": 0,
            "maximum": KAPPA_T_MAX,
            "x-unit": "kappa x T",
            "description": "Urgency: 0 is a TWAP, 3 front-loaded, 8 nearly at once. By urgency where none is given: "
            + ", ".join(f"{urgency} {value:g}" for urgency, value in KAPPA_T.items())
            + ". `risk_aversion` is the same.",
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": algorithm,
        "description": _WORDS[algorithm],
        "type": "object",
        "properties": properties,
    }
