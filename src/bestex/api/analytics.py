"""What each client does with the API: calls, errors, latency and what is left of its quota, by operation."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec
from prometheus_client import Counter

from bestex.api.identity.identities import Identity
from bestex.api.meters import REGISTRY

_PAIRS_MAX: Final = 5_000  # of client and operation; more are counted together
_LATEST: Final = 512  # of each pair, for its percentiles

CALLS = Counter(
    "bestex_client_requests",
    "Requests by the client's key and operation",
    ["tenant", "client", "operation", "outcome"],
    registry=REGISTRY,
)


class ClientUse(msgspec.Struct, frozen=True, kw_only=True):
    """One client's use of one operation since the process started. Percentiles are over the latest 512 calls."""

    tenant: str
    client: str
    credential: str  # id of its key
    account: str
    operation: str
    calls: int
    refused: int  # 4xx, without 429
    limited: int  # 429
    failed: int  # 5xx
    p50_ms: float
    p95_ms: float
    p99_ms: float
    last_time_ns: int  # UTC
    quota_left: int | None  # ordinary requests of the running second; None: no limit


@dataclass(kw_only=True)
class _Use:
    identity: Identity
    operation: str
    calls: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0
    last_time_ns: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))


class Analytics:
    """Counts of one process."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str, str], _Use] = {}

    def note(self, identity: Identity, operation: str, status: int, seconds: float, time_ns: int) -> None:
        key = (identity.tenant, identity.credential, operation)
        use = self._uses.get(key)
        if use is None:
            if len(self._uses) >= _PAIRS_MAX:
                operation = "others"
                key = ("others", "others", operation)
            use = self._uses.setdefault(key, _Use(identity=identity, operation=operation))
        use.calls += 1
        use.refused += 400 <= status < 500 and status != 429
        use.limited += status == 429
        use.failed += status >= 500
        use.last_time_ns = time_ns
        use.seconds.append(seconds)
        outcome = "limited" if status == 429 else "failed" if status >= 500 else "refused" if status >= 400 else "done"
        CALLS.labels(identity.tenant, identity.actor, operation, outcome).inc()

    def identities(self) -> set[Identity]:
        return {use.identity for use in self._uses.values()}

    def rows(self, quota_left: dict[str, int]) -> list[ClientUse]:
        """By tenant, client and operation.

        Args:
            quota_left: by id of key.
        """
        return [
            ClientUse(
                tenant=use.identity.tenant,
                client=use.identity.actor,
                credential=use.identity.credential,
                account=use.identity.account,
                operation=use.operation,
                calls=use.calls,
                refused=use.refused,
                limited=use.limited,
                failed=use.failed,
                p50_ms=_percentile(use.seconds, 0.50),
                p95_ms=_percentile(use.seconds, 0.95),
                p99_ms=_percentile(use.seconds, 0.99),
                last_time_ns=use.last_time_ns,
                quota_left=quota_left.get(use.identity.credential),
            )
            for _, use in sorted(self._uses.items())
        ]


def _percentile(seconds: deque[float], share: float) -> float:
    """Nearest rank, in milliseconds."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 3)
