"""One parent order as the algorithm service knows it."""

from dataclasses import dataclass, field
from decimal import Decimal

from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Algorithm, ParentOrder, ParentState, changed_parent_state
from bestex.messages.effects import Effects, Timer
from bestex.messages.execution import ControlBreach, ExecutionPlan
from bestex.messages.quote_watch import QuoteWatch
from bestex.native.decision import DecisionEngine
from bestex.services.algorithm.children import ChildNumbers
from bestex.services.algorithm.guards import Guards
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.kill import Subject
from bestex.services.algorithm.ledger import Ledger
from bestex.services.algorithm.risk_controls import Account, Controls
from bestex.services.algorithm.timetable import Timetable

STEP_TIMERS = ("slice", "volume", "touch", "price")  # what the decision step asks for


@dataclass(frozen=True, kw_only=True)
class VolumeMark:
    """Where the session's volume and ours stood at a moment, so that others' volume since can be told."""

    cumulative: Decimal
    ours: Decimal


@dataclass(kw_only=True)
class Parent:
    """Facts and state of one parent order. `telling` shows it to others."""

    order: ParentOrder
    instrument: Instrument
    ledger: Ledger
    guards: Guards
    market: MarketSnapshot  # the latest seen
    arrival: MarketSnapshot
    state: ParentState = ParentState.PENDING
    reason: str = "waits for its execution strategy"
    instruction: Instruction | None = None
    table: Timetable | None = None
    plan: ExecutionPlan | None = None
    planned_quantity: Decimal = Decimal(0)
    revision: int = -1
    first_slice: int = 0  # number of the present plan's first slice
    engine: DecisionEngine | None = None
    target: Decimal = Decimal(0)  # of the engine, since its start
    filled_before: Decimal = Decimal(0)  # when the present plan began
    mark: VolumeMark | None = None  # when the present engine began
    first_mark: VolumeMark | None = None  # when the parent began
    started_ns: int | None = None
    hold_until_ns: int = 0  # back-off after rejects
    retry_ns: int | None = None  # to try again what did not leave or did not fill
    rejects_in_a_row: int = 0
    latency_ns: int | None = None
    controls: Controls | None = None  # of the selection that is worked
    breach: ControlBreach | None = None  # what paused the order, until it is resumed
    flag: str | None = None  # what a person must know of it to the end: a fill that should not have been
    numbers: ChildNumbers = field(default_factory=ChildNumbers)
    timers: dict[str, tuple[int | None, Decimal | None, QuoteWatch | None]] = field(default_factory=dict)
    shown: tuple[object, ...] = ()

    @property
    def order_id(self) -> str:
        return self.order.order_id

    @property
    def algorithm(self) -> str:
        return self.instruction.algorithm if self.instruction else (self.order.instructions.algorithm or "")

    @property
    def subject(self) -> Subject:
        return Subject(
            account=self.order.account_id,
            instrument=self.order.instrument_id,
            algorithm=self.algorithm or None,
        )

    @property
    def ours(self) -> Decimal:
        """Our part of the tape: filled, and what may print before its report is here."""
        takers = (child.leaves for child in self.ledger.live_children() if child.is_taker)
        return self.ledger.filled + sum(takers, Decimal(0))

    @property
    def account(self) -> Account:
        ledger = self.ledger
        return Account(filled=ledger.filled, notional=ledger.notional, live=ledger.live, ordered=ledger.ordered)

    def breach_with(self, quantity: Decimal = Decimal(0), price: Decimal | None = None) -> ControlBreach | None:
        """The risk control that is passed once `quantity` more is filled at `price`; None = none."""
        if self.controls is None:
            return None
        return self.controls.breach(self.order.side, self.instrument, self.account, quantity=quantity, price=price)

    def others_since(self, mark: VolumeMark | None) -> Decimal:
        """Volume of everyone else since the mark, by the latest market seen; never negative."""
        if mark is None:
            return Decimal(0)
        traded = self.market.cumulative_volume - mark.cumulative
        return max(Decimal(0), traded - (self.ours - mark.ours))

    def scheduled(self, now_ns: int) -> Decimal:
        """What should be filled by now: the plan's curve, or what the volume so far asks for."""
        if self.table is None or self.instruction is None:
            return Decimal(0)
        if self.instruction.algorithm is Algorithm.PARTICIPATION_RATE:
            return self.filled_before + self.target
        due = Decimal(repr(self.table.fraction_at(now_ns))) * self.planned_quantity
        return self.filled_before + self.instrument.round_down_to_lot(due)

    def change(self, new: ParentState) -> None:
        """Raises Conflict where PARENT_TRANSITIONS does not allow it."""
        if new is not self.state:
            self.state = changed_parent_state(self.state, new)

    def retry_at(self, time_ns: int) -> None:
        """Look again then, or earlier if that was wanted before."""
        self.retry_ns = time_ns if self.retry_ns is None else min(self.retry_ns, time_ns)

    def set_timer(
        self,
        effects: Effects,
        name: str,
        at_ns: int | None = None,
        at_volume: Decimal | None = None,
        at_price: QuoteWatch | None = None,
    ) -> None:
        """Ask for a timer, or take it back with nothing to wait for; nothing is said where nothing changes."""
        wanted = (at_ns, at_volume, at_price)
        if self.timers.get(name, (None, None, None)) == wanted:
            return
        if wanted == (None, None, None):
            del self.timers[name]
        else:
            self.timers[name] = wanted
        effects.timers.append(
            Timer(
                order_id=self.order_id,
                name=name,
                at_ns=at_ns,
                at_volume=at_volume,
                instrument_id=None if at_volume is None and at_price is None else self.order.instrument_id,
                at_price=at_price,
            )
        )

    def clear_timers(self, effects: Effects, *names: str) -> None:
        for name in names or tuple(sorted(self.timers)):
            self.set_timer(effects, name)

    def snapshot(self) -> dict[str, object]:
        """All that is known, comparable with ==."""
        return {
            "order": self.order,
            "state": self.state,
            "reason": self.reason,
            "flag": self.flag,
            "instruction": self.instruction,
            "plan": self.plan,
            "revision": self.revision,
            "first_slice": self.first_slice,
            "engine": self.engine.state if self.engine else None,
            "target": self.target,
            "filled_before": self.filled_before,
            "marks": (self.mark, self.first_mark),
            "started_ns": self.started_ns,
            "hold_until_ns": self.hold_until_ns,
            "retry_ns": self.retry_ns,
            "rejects_in_a_row": self.rejects_in_a_row,
            "controls": self.controls,
            "breach": self.breach,
            "numbers": self.numbers.state(),
            "guards": self.guards.state(),
            "timers": dict(self.timers),
            "market": self.market,
            "ledger": self.ledger.state(),
        }
