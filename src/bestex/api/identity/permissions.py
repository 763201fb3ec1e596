"""Who may do what: one table of roles and operations, and the one place that reads it.

An operation is named after its route, `module.function`. A route that stands in no line is refused to everybody, and
fails a test.
"""

from dataclasses import dataclass, field
from typing import Final

from bestex.api.identity.identities import Identity, Role
from bestex.domain.errors import Forbidden
from bestex.domain.tenants import HOUSE

TRADER, DESK_HEAD, RISK, QUANT, OPERATOR, READ_ONLY = Role
_EVERYBODY: Final = frozenset(Role)


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


@dataclass(frozen=True, kw_only=True)
class Right:
    """Who may do a group of operations."""

    name: str
    roles: frozenset[Role]
    own: frozenset[Role] = field(default_factory=frozenset)  # these too, on orders that they sent themselves
    is_desk_wide: bool = False  # touches every tenant: for the house alone
    is_urgent: bool = False  # keeps a budget of its own when a client is over its rate limit
    operations: tuple[str, ...]


RIGHTS: Final = (
    Right(
        name="read",
        roles=_EVERYBODY,
        operations=(
            "strategy.status",
            "strategy.timeline",
            "strategy.performance",
            "strategy.strategies",
            "strategy.strategy",
            "strategy.selections",
            "strategy.market_conditions",
            "strategy.history",
            "strategy.strategy_insights",
            "strategy.models",
            "strategy.model",
            "orders.listing",
            "orders.one",
            "orders.fills",
            "execution.plan_now",
            "execution.status",
            "execution.kill_state",
            "execution.listing",
            "execution.children",
            "execution.fills",
            "execution.timeline",
            "execution.algorithms",
            "execution.algorithm",
            "execution.performance",
            "monitoring.status",
            "monitoring.analytics",
            "monitoring.timeline",
            "monitoring.orders",
            "monitoring.executions",
            "monitoring.alerts",
            "monitoring.rules",
            "monitoring.benchmarks",
            "monitoring.ranked",
            "monitoring.quality",
            "monitoring.order_stream",
            "monitoring.desk_stream",
            "quality.analyze",
            "quality.results",
            "quality.result",
            "quality.venues",
            "quality.algorithms",
            "quality.standards",
            "quality.analyze_batch",
            "quality.monitor",
            "quality.benchmarks",
            "quality.percentiles",
            "quality.recommendations",
            "quality.recommendation",
            "quality.trends",
            "quality.quality_forecast",
            "routing.venue_quality",
            "reference.instruments",
            "reference.instrument",
            "reference.venues",
            "reference.venue",
            "reference.calendars",
            "market.quote",
            "market.bars",
            "market.trades",
            "market.quotes",
            "market.book",
            "desk.desk",
            "graphql.query",
            "graphql.updates",
        ),
    ),
    Right(
        name="recommend",
        roles=_roles(TRADER, DESK_HEAD, RISK, QUANT),
        operations=("strategy.recommend", "strategy.recommend_batch", "execution.plan", "routing.route"),
    ),
    Right(
        name="send orders",
        roles=_roles(TRADER, DESK_HEAD),
        operations=("orders.create", "execution.start"),
    ),
    Right(
        name="change orders",
        roles=_roles(DESK_HEAD),
        own=_roles(TRADER),
        operations=("orders.modify", "execution.modify", "execution.resume", "strategy.adapt"),
    ),
    Right(
        name="stop orders",
        roles=_roles(DESK_HEAD, RISK, OPERATOR),
        own=_roles(TRADER),
        is_urgent=True,
        operations=("orders.cancel", "execution.cancel", "execution.pause"),
    ),
    Right(
        name="kill",
        roles=_roles(DESK_HEAD, RISK, OPERATOR),
        is_desk_wide=True,
        is_urgent=True,
        operations=("execution.kill",),
    ),
    Right(name="re-arm", roles=_roles(RISK), is_desk_wide=True, operations=("execution.rearm",)),
    Right(
        name="answer alerts",
        roles=_roles(TRADER, DESK_HEAD, RISK, OPERATOR),
        operations=("monitoring.start", "monitoring.acknowledge"),
    ),
    Right(name="silence alerts", roles=_roles(DESK_HEAD, RISK, OPERATOR), operations=("monitoring.silence",)),
    Right(
        name="change rules and limits",
        roles=_roles(RISK),
        is_desk_wide=True,
        operations=("monitoring.add_rule", "monitoring.change_rule", "monitoring.drop_rule"),
    ),
    Right(
        name="change the catalogue",
        roles=_roles(QUANT, RISK),
        is_desk_wide=True,
        operations=(
            "strategy.add_strategy",
            "strategy.change_strategy",
            "strategy.drop_strategy",
            "execution.set_algorithm",
        ),
    ),
    Right(
        name="change reference data",
        roles=_roles(OPERATOR),
        is_desk_wide=True,
        operations=(
            "reference.add_instrument",
            "reference.change_instrument",
            "reference.add_venue",
            "reference.change_venue",
        ),
    ),
    Right(name="read the audit", roles=_roles(RISK, OPERATOR), operations=("desk.audit",)),
    Right(name="watch clients", roles=_roles(OPERATOR), operations=("desk.clients",)),
)

RIGHT_OF: Final = {operation: right for right in RIGHTS for operation in right.operations}


def checked(identity: Identity, operation: str) -> bool:
    """Whether the operation is allowed on the identity's own orders alone.

    Raises:
        Forbidden: if it is not allowed at all.
    """
    right = RIGHT_OF.get(operation)
    if right is None:
        raise Forbidden(f"{operation} is in nobody's rights")
    if right.is_desk_wide and identity.tenant != HOUSE:
        raise Forbidden(f"only the house's own people may {right.name}: it touches every tenant")
    if identity.roles & right.roles:
        return False
    if identity.roles & right.own:
        return True
    raise Forbidden(
        f"roles {', '.join(sorted(identity.roles))} may not {right.name}",
        expected="one of the roles " + ", ".join(sorted(right.roles | right.own)),
    )
