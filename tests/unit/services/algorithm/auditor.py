"""Checks the invariants I1-I4, I6, I7 and I11 after every message, from the messages alone and by its own arithmetic."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bestex.domain.fills import ReportKind
from bestex.domain.ids import child_order_id
from bestex.domain.orders import OrderType, ParentState, Side
from bestex.messages.effects import Effects
from bestex.messages.envelope import Payload
from bestex.messages.execution import (
    AlgorithmExecution,
    ChildOrderCancelRequested,
    ChildOrderSubmitted,
    ExecutionCompleted,
    ExecutionReport,
    KillExecutions,
    RearmExecutions,
)
from bestex.messages.orders import OrderAmended
from bestex.messages.records import ChildOrderRow, FillRow
from tests.unit.services.algorithm.paper_desk import PaperDesk

_QUIET = (ParentState.PAUSED, ParentState.CANCELLING)


@dataclass
class Audited(PaperDesk):
    """A paper desk that counts for itself what it hears and sees."""

    answers: bool = False
    ordered_most: Decimal = Decimal(0)  # the largest the client ever wanted
    limit: Decimal | None = None
    fills: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    answered: dict[str, Decimal] = field(default_factory=dict)  # given back by the venue, per child
    seen_reports: set[tuple[str, str, str]] = field(default_factory=set)
    broken_by_venue: Decimal = Decimal(0)  # executed beyond what a child had left
    killed: bool = False
    completed: int = 0
    has_failed: bool = False  # then what follows means nothing

    def tell(self, payload: Payload, order_id: str = "P1") -> Effects:
        before = self.progress().state if self.of(AlgorithmExecution) else ParentState.PENDING
        if isinstance(payload, OrderAmended) and payload.quantity is not None:
            self.ordered_most = max(self.ordered_most, payload.quantity)
        if isinstance(payload, ExecutionReport):
            self._hear(payload)
        effects = super().tell(payload, order_id)
        if isinstance(payload, KillExecutions):
            self.killed = True
        if isinstance(payload, RearmExecutions):
            self.killed = False
        self.has_failed = True
        self._check_messages(effects, before)
        self._check_accounts()
        self.has_failed = False
        return effects

    def _hear(self, payload: ExecutionReport) -> None:
        report = payload.report
        key = (report.venue, report.kind.value, report.execution_id)
        if key in self.seen_reports:
            return
        self.seen_reports.add(key)
        if report.kind is ReportKind.FILL:
            self.fills[report.venue, report.execution_id] = report.quantity

    def filled(self) -> Decimal:
        return sum(self.fills.values(), Decimal(0))

    def _check_messages(self, effects: Effects, before: ParentState) -> None:
        submitted = [event for _, event in effects.events if isinstance(event, ChildOrderSubmitted)]
        rows = {row.child_order_id: row for row in effects.records if isinstance(row, ChildOrderRow)}
        attempts: dict[int, int] = {}
        for event in submitted:
            child = event.child
            attempts[event.slice_id] = int(child.child_order_id.rsplit("-", 1)[1])
            assert child.child_order_id == child_order_id(
                child.parent_order_id, event.slice_id, attempts[event.slice_id]
            ), "I4: the id is not that of its slice and attempt"
            assert rows[child.child_order_id].quantity == child.quantity, "I4: the intent has no row"
            assert not self.killed, "I6: sent after the kill"
            assert not (before in _QUIET and self.progress().state in _QUIET), f"sent while {before}"
            assert not before.is_final, f"sent after {before}"
            self._check_price(event)
        self.completed += sum(isinstance(event, ExecutionCompleted) for _, event in effects.events)
        assert self.completed <= 1, "completed twice"

    def _check_price(self, event: ChildOrderSubmitted) -> None:
        child = event.child
        if child.order_type is OrderType.MIDPOINT_PEG:
            assert self.limit is None, "I11: a peg cannot keep the limit"
            return
        assert child.price is not None, "I11: a child without a price"
        sign = child.side.sign
        assert self.limit is None or sign * (child.price - self.limit) <= 0, "I11: outside the parent's limit"
        far = event.ask if child.side is Side.BUY else event.bid
        if far is not None:
            assert sign * (child.price - far) <= far / 100, "I11: outside the collar"

    def _check_accounts(self) -> None:
        state: Any = self.service.state("P1")
        if state is None:
            return
        ledger = state["ledger"]
        accounts = [ledger[name] for name in ("filled", "live", "unallocated", "cancelled")]
        assert min(accounts) >= 0, f"I1: negative: {ledger}"
        assert sum(accounts) == ledger["ordered"] + ledger["overfilled"], f"I1: not conserved: {ledger}"
        assert ledger["filled"] == self.filled(), f"I3: {ledger['filled']} filled, {self.filled()} executed"
        at_venues = sum((leaves for leaves in self.leaves.values() if leaves > 0), Decimal(0))
        assert self.filled() + at_venues <= self.ordered_most + self.broken_by_venue, (
            f"I2: {self.filled()} filled and {at_venues} at venues, of {self.ordered_most}"
        )
        assert ledger["live"] >= at_venues or self.broken_by_venue, (
            f"I2: {at_venues} stands at venues, the ledger says {ledger['live']}"
        )
        rows = {(row.venue, row.execution_id) for row in self.records if isinstance(row, FillRow)}
        assert rows == set(self.fills), "I7: a fill has no row"
        state_now = state["state"]
        if state_now.is_final:
            assert ledger["live"] == 0, "ended with live quantity"
        cancelled = {event.child_order_id for event in self.of(ChildOrderCancelRequested)}
        assert cancelled <= set(self.children), "cancelled what was never sent"
