"""The desk as one tenant sees it. Routes read through this and need not think of tenants; what is not listed is hidden.

Client ids are completed with the tenant here and in `strict_route`, so a look-up can only name the tenant's own.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bestex.api.identity.identities import Identity
from bestex.domain.errors import NotFound
from bestex.domain.tenants import HOUSE, OfTenant, qualified, tenant_of
from bestex.messages.envelope import Message
from bestex.messages.records import (
    AlertRuleRow,
    DeskStateRow,
    ExecutionAlgorithmRow,
    ExecutionStrategyRow,
    IdempotencyRow,
    InstrumentRow,
    QualityStandardRow,
    Record,
    VenueRow,
)
from bestex.ports import Feed, Journal, Page, R, Store

if TYPE_CHECKING:
    from bestex.api.access import Access

COMMON: Final[frozenset[type[Record]]] = frozenset(
    {
        AlertRuleRow,
        DeskStateRow,
        ExecutionAlgorithmRow,
        ExecutionStrategyRow,
        InstrumentRow,
        QualityStandardRow,
        VenueRow,
        IdempotencyRow,  # under the actor's name, and in no list
    }
)
"""Rows without an order that every tenant may read. Roll-ups over all tenants' orders are the house's."""


def scoped(access: "Access", identity: Identity) -> "Access":
    """The desk as this identity sees it and acts on it."""
    return replace(
        access,
        actor=identity.actor,
        identity=identity,
        store=TenantStore(access.store, identity.tenant),
        journal=TenantJournal(access.journal, identity.tenant),
        feed=TenantFeed(access.feed, identity.tenant),
    )


class TenantStore:
    """`Store` of one tenant's orders and what hangs on them."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store = store
        self._tenant = tenant

    async def get(self, record: type[R], *key: object) -> R | None:
        if not _hangs_on_an_order(record):
            return await self._store.get(record, *key) if self._may_read(record) else None
        try:
            own = [
                qualified(self._tenant, str(value)) if name == "order_id" else value
                for name, value in zip(record.key, key, strict=True)
            ]
        except NotFound:
            return None
        row = await self._store.get(record, *own)
        return row if row is not None and tenant_of(row.order_id) == self._tenant else None  # type: ignore[attr-defined]

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        if _hangs_on_an_order(record):
            where = {**(where or {}), "order_id": self._own((where or {}).get("order_id"))}
        elif not self._may_read(record):
            return Page(rows=[], next_cursor=None)
        return await self._store.find(record, where=where, order_by=order_by, limit=limit, cursor=cursor)

    def _own(self, wanted: object) -> object:
        if wanted is None:
            return OfTenant(self._tenant)
        asked = wanted if isinstance(wanted, tuple) else (wanted,)
        own = []
        for item in asked:
            try:
                own.append(qualified(self._tenant, str(item)))
            except NotFound:
                continue
        return tuple(own)

    def _may_read(self, record: type[Record]) -> bool:
        return self._tenant == HOUSE or record in COMMON


class TenantJournal:
    """`Journal` of one tenant's orders. It cannot write."""

    def __init__(self, journal: Journal, tenant: str) -> None:
        self._journal = journal
        self._tenant = tenant

    async def append(self, batch: object) -> Any:
        raise AssertionError("a client's view of the journal does not write")

    async def read(
        self,
        *,
        order_id: str | None = None,
        source: str | None = None,
        after_sequence: int = 0,
        after_position: int = 0,
    ) -> AsyncIterator[tuple[int, Message[Any]]]:
        if order_id is not None:
            try:
                order_id = qualified(self._tenant, order_id)
            except NotFound:
                return
        found = self._journal.read(
            order_id=order_id, source=source, after_sequence=after_sequence, after_position=after_position
        )
        async for position, message in found:
            if tenant_of(message.order_id) == self._tenant:
                yield position, message


class TenantFeed:
    """`Feed` of one tenant's orders."""

    def __init__(self, feed: Feed, tenant: str) -> None:
        self._feed = feed
        self._tenant = tenant

    def subscribe(self, listener: Callable[[int, Message[Any]], None]) -> Callable[[], None]:
        def own(position: int, message: Message[Any]) -> None:
            if tenant_of(message.order_id) == self._tenant:
                listener(position, message)

        return self._feed.subscribe(own)


def _hangs_on_an_order(record: type[Record]) -> bool:
    return any(item.name == "order_id" for item in msgspec.structs.fields(record))
