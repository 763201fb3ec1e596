"""Who asked for what, and what came of it: a line in the log at once, and a row soon after.

Rows are written in groups beside the answers: an answer does not wait for its line. A crash can lose the rows of the
last moment; the log has them.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from bestex.api.identity.identities import LOCAL
from bestex.domain.errors import BestexError
from bestex.messages.records import AuditRow
from bestex.ports import Batch, Journal, Page, Store

log = structlog.get_logger()
_WAITING_MAX: Final = 20_000
_GROUP_MAX: Final = 500
_LINGER_SECONDS: Final = 0.02
_RETRY_SECONDS: Final = 1.0


@dataclass(kw_only=True)
class AuditTrail:
    """The lines of one process."""

    journal: Journal
    store: Store  # what reads them back
    _waiting: deque[AuditRow] = field(default_factory=deque)
    _writing: "asyncio.Task[None] | None" = None

    def keep(self, row: AuditRow) -> None:
        """Keep the line soon."""
        if len(self._waiting) >= _WAITING_MAX:
            log.error("audit lines cannot be kept; the log is all there is of this one", audit_id=row.audit_id)
            return
        self._waiting.append(row)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def settled(self) -> None:
        """Returns once everything noted so far is kept."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def latest(self, where: dict[str, object], limit: int, cursor: str | None) -> Page:
        """Newest first."""
        await self.settled()
        return await self.store.find(AuditRow, where=where, order_by="-time_ns", limit=limit, cursor=cursor)

    async def _write(self) -> None:
        await asyncio.sleep(_LINGER_SECONDS)
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(_GROUP_MAX, len(self._waiting)))]
            try:
                await self.journal.append(Batch(messages=(), records=group))
            except BestexError as error:
                log.error(
                    "audit lines wait for the store", waiting=len(self._waiting) + len(group), error=error.message
                )
                self._waiting.extendleft(reversed(group))
                await asyncio.sleep(_RETRY_SECONDS)


def note(trail: AuditTrail | None, row: AuditRow) -> None:
    """Log the line now, and keep it where there is somewhere to keep it. What `local` does is kept alone."""
    if row.credential != LOCAL.credential:
        log.info("audit", **msgspec.structs.asdict(row))
    if trail is not None:
        trail.keep(row)
