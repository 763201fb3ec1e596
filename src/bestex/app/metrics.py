"""The metrics of a process, as Prometheus reads them. Labels are names from a fixed list, never ids."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bestex.api.meters import REGISTRY
from bestex.app.clock import stopwatch_ns
from bestex.app.worker import Worker
from bestex.domain.time import NS_PER_SECOND
from bestex.ports import CacheUse

_FAST = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

TURNS = Counter("bestex_turns", "Turns committed, by what began them", ["began_with"], registry=REGISTRY)
HANDLE_SECONDS = Histogram(
    "bestex_handle_seconds",
    "One step of a service: from the message to its effects, without commit",
    ["service", "message_type"],
    buckets=_FAST,
    registry=REGISTRY,
)
HANDLE_REFUSALS = Counter(
    "bestex_handle_refusals", "Requests that a service refused", ["service", "code"], registry=REGISTRY
)
HANDLE_FAILURES = Counter(
    "bestex_handle_failures", "Steps that broke; of a fact, its order is parked", ["service"], registry=REGISTRY
)
COMMIT_SECONDS = Histogram(
    "bestex_commit_seconds", "From asking for a commit to its durability", ["worker"], buckets=_FAST, registry=REGISTRY
)
COMMIT_TURNS = Histogram(
    "bestex_commit_turns", "Turns that shared a commit", ["worker"], buckets=_GROUPS, registry=REGISTRY
)
PUBLISH_SECONDS = Histogram(
    "bestex_publish_seconds", "Until the bus has taken a group", ["worker"], buckets=_FAST, registry=REGISTRY
)
PUBLISHED = Counter("bestex_published_messages", "Messages that the bus has taken", ["worker"], registry=REGISTRY)
BUS_AGE_SECONDS = Gauge(
    "bestex_bus_record_age_seconds",
    "From the publication of the newest record handled to the end of its commit",
    ["worker"],
    registry=REGISTRY,
)
BUS_LAG_SECONDS = Gauge(
    "bestex_bus_lag_seconds",
    "How long the worker has been behind the end of a stream without going on; 0 while it goes on",
    ["worker"],
    registry=REGISTRY,
)
STALE_REFUSALS = Counter(
    "bestex_stale_epoch_refusals", "Records of an earlier lease epoch, refused", ["worker"], registry=REGISTRY
)
RECOVERY_SECONDS = Gauge(
    "bestex_recovery_seconds", "The latest recovery: from the journal to taking work", ["worker"], registry=REGISTRY
)
LEASE_CHANGES = Counter(
    "bestex_lease_changes",
    "Leases taken, lost, handed over, or dropped by a broken worker",
    ["lease", "change"],
    registry=REGISTRY,
)
ALERTS = Counter("bestex_alerts", "Alerts fired, by kind", ["alert_type", "severity"], registry=REGISTRY)
EXECUTIONS = Counter("bestex_executions_completed", "Parent orders that ended, by how", ["state"], registry=REGISTRY)
CHILD_ORDERS = Counter("bestex_child_orders_submitted", "Child orders sent to venues", registry=REGISTRY)
VENUE_REPORTS = Counter("bestex_venue_reports", "What venues reported", ["kind"], registry=REGISTRY)
LOOP_LAG_SECONDS = Histogram(
    "bestex_event_loop_lag_seconds",
    "How much later than asked the event loop woke a sleeper",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    registry=REGISTRY,
)
LOOP_STALLS = Counter("bestex_event_loop_stalls", "Times the event loop was 50 ms late or more", registry=REGISTRY)

ProcessCollector(namespace="bestex", registry=REGISTRY)  # bestex_process_resident_memory_bytes, _cpu_seconds_total, ...


class Standing(Collector):
    """What stands at the moment of the scrape: queues, leases, lags, the cache. Asked only then."""

    def __init__(self) -> None:
        self.workers: WeakValueDictionary[str, Worker] = WeakValueDictionary()
        self.waiting_since_ns: dict[str, int] = {}  # worker -> when the bus last took something of a waiting outbox
        self._market_lags: list[Callable[[], float]] = []
        self._caches: list[Callable[[], dict[str, CacheUse]]] = []

    @contextmanager
    def market_lag(self, seconds: Callable[[], float]) -> Iterator[None]:
        """While inside, the lag of this process's market is known. Desk seconds over speed: seconds of the wall."""
        self._market_lags.append(seconds)
        try:
            yield
        finally:
            self._market_lags.remove(seconds)

    @contextmanager
    def cache(self, use: Callable[[], dict[str, CacheUse]]) -> Iterator[None]:
        """While inside, the use of a cache is known, by namespace."""
        self._caches.append(use)
        try:
            yield
        finally:
            self._caches.remove(use)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        outbox = GaugeMetricFamily("bestex_outbox_messages", "Committed and not yet published", labels=["worker"])
        age = GaugeMetricFamily(
            "bestex_outbox_age_seconds", "How long the bus has taken nothing of a waiting outbox", labels=["worker"]
        )
        arrived = GaugeMetricFamily(
            "bestex_bus_waiting_groups", "Groups of records read and not yet handled", labels=["worker"]
        )
        repeated = CounterMetricFamily(
            "bestex_bus_repeated", "Records that were heard before, dropped", labels=["worker"]
        )
        parked = GaugeMetricFamily(
            "bestex_parked_orders", "Orders set aside until somebody releases them", labels=["worker"]
        )
        epoch = GaugeMetricFamily("bestex_lease_epoch", "Epoch of a lease that is held here", labels=["lease"])
        now_ns = stopwatch_ns()
        for name, worker in sorted(self.workers.items()):
            outbox.add_metric([name], worker.outbox)
            since_ns = self.waiting_since_ns.get(name, now_ns) if worker.outbox else now_ns
            age.add_metric([name], (now_ns - since_ns) / NS_PER_SECOND)
            arrived.add_metric([name], worker.arrived)
            repeated.add_metric([name], worker.repeated)
            parked.add_metric([name], len(worker.parked))
            if worker.lease is not None and worker.ready.is_set():
                epoch.add_metric([worker.lease.name], worker.lease.epoch)
        lag = GaugeMetricFamily("bestex_market_lag_seconds", "How far the market is behind the clock, on the wall")
        if self._market_lags:
            lag.add_metric([], max(seconds() for seconds in self._market_lags))
        yield from (outbox, age, arrived, repeated, parked, epoch, lag)
        yield from self._cache_families()

    def _cache_families(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        reads = CounterMetricFamily(
            "bestex_cache_reads", "Reads, by answer: hit, stale, miss, shared or bypass", labels=["namespace", "answer"]
        )
        ratio = GaugeMetricFamily(
            "bestex_cache_hit_ratio", "Reads answered without the source, 0..1", labels=["namespace"]
        )
        size = GaugeMetricFamily("bestex_cache_bytes", "Memory of the copies kept here", labels=["namespace"])
        for use in self._caches:
            for namespace, seen in use().items():
                for answer, count in seen.reads.items():
                    reads.add_metric([namespace, answer], count)
                if (found := seen.hit_ratio) is not None:
                    ratio.add_metric([namespace], found)
                size.add_metric([namespace], seen.bytes_kept)
        yield from (reads, ratio, size)


STANDING = Standing()
REGISTRY.register(STANDING)
