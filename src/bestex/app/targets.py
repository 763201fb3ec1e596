"""What a process can be: which services it hosts. `all` is the desk on a laptop."""

from collections.abc import Callable, Sequence

from bestex.app.clock import stopwatch_ns
from bestex.domain.time import NS_PER_SECOND
from bestex.ports import ReferenceData, Service
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.service import AlgorithmService
from bestex.services.monitoring.config import MonitoringConfig
from bestex.services.monitoring.service import MonitoringService
from bestex.services.quality.config import QualityConfig
from bestex.services.quality.service import QualityService
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.service import StrategyService
from bestex.simulation.order_desk import OrderDesk
from bestex.simulation.router import Router

# The order matters: it is the order in which services of one process hear the same message.
TARGETS: dict[str, tuple[str, ...]] = {
    "all": ("order-desk", "strategy", "algorithm", "monitoring", "quality", "router"),
    "market": ("order-desk", "router"),
    "strategy": ("strategy",),
    "algorithm": ("algorithm",),
    "monitoring": ("monitoring",),
    "quality": ("quality",),
}


_ANSWER_SECONDS = 2.0  # on the wall: a venue's answer that has to come over the bus is late after this
_EYE_SECONDS = 0.25  # updates of one order come no faster than this, on the wall


def services(
    target: str, reference: ReferenceData, *, timed: bool, speed: float = 1.0, are_apart: bool = False
) -> Sequence[Service]:
    """The services of a target.

    Args:
        are_apart: answers of venues come over a bus, beside the wall clock: wait for them in its seconds.
        timed: measure decision latencies, which makes logs differ from run to run.
        speed: desk seconds per wall second; a fast desk updates less often in its own time.
    """
    watching = MonitoringConfig(update_interval_ns=int(max(1.0, _EYE_SECONDS * speed) * NS_PER_SECOND))
    answer_seconds = _ANSWER_SECONDS * speed if are_apart else 1.0
    working = AlgorithmConfig(answer_timeout_ns=int(max(1.0, answer_seconds) * NS_PER_SECOND))
    make: dict[str, Callable[[], Service]] = {
        "order-desk": lambda: OrderDesk(reference),
        "strategy": lambda: StrategyService(reference, StrategyConfig()),
        "algorithm": lambda: AlgorithmService(reference, working, stopwatch_ns if timed else None),
        "monitoring": lambda: MonitoringService(reference, watching),
        "router": lambda: Router(reference, stopwatch_ns if timed else None),
        "quality": lambda: QualityService(reference, QualityConfig()),
    }
    return [make[name]() for name in TARGETS[target]]
