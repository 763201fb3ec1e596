"""One parent order as the algorithm service knows it, and the messages and rows that show it to others."""

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from bestex.domain.instruments import Instrument
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import Algorithm, ChildState, ParentOrder, ParentState, changed_parent_state
from bestex.messages.effects import Effects, Timer
from bestex.messages.execution import (
    AlgorithmExecution,
    ExecutionAcknowledged,
    ExecutionCompleted,
    ExecutionPlan,
    ExecutionPlanned,
)
from bestex.messages.records import ChildOrderRow, ExecutionPlanRow, ExecutionStatusRow
from bestex.native.decision import DecisionEngine
from bestex.services.algorithm.children import Child, ChildNumbers
from bestex.services.algorithm.guards import Guards
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.kill import Subject
from bestex.services.algorithm.ledger import Ledger
from bestex.services.algorithm.timetable import Timetable


@dataclass(frozen=True, kw_only=True)
class VolumeMark:
    """Where the session's volume and ours stood at a moment, so that others' volume since can be told."""

    cumulative: Decimal
    ours: Decimal


@dataclass(kw_only=True)
class Parent:
    """Facts and state of one parent order. `show` and `finish` are the only ways it speaks."""

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
    flag: str | None = None  # what a person must know of it to the end: a fill that should not have been
    numbers: ChildNumbers = field(default_factory=ChildNumbers)
    timers: dict[str, tuple[int | None, Decimal | None]] = field(default_factory=dict)
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

    def set_timer(
        self, effects: Effects, name: str, at_ns: int | None = None, at_volume: Decimal | None = None
    ) -> None:
        """Ask for a timer, or take it back with neither time nor volume; nothing is said where nothing changes."""
        wanted = (at_ns, at_volume)
        if self.timers.get(name, (None, None)) == wanted:
            return
        if wanted == (None, None):
            del self.timers[name]
        else:
            self.timers[name] = wanted
        effects.timers.append(
            Timer(
                order_id=self.order_id,
                name=name,
                at_ns=at_ns,
                at_volume=at_volume,
                instrument_id=self.order.instrument_id if at_volume is not None else None,
            )
        )

    def clear_timers(self, effects: Effects, *names: str) -> None:
        for name in names or tuple(sorted(self.timers)):
            self.set_timer(effects, name)

    def show_plan(self, effects: Effects, now_ns: int, *, reason: str | None = None) -> None:
        """execution_planned, and its row."""
        assert self.plan is not None
        assert self.instruction is not None
        assert self.table is not None
        parameters = {**self.instruction.parameters(), "volume_curve": self.table.volume_name}
        if reason is not None:
            parameters["revised_because"] = reason
        planned = ExecutionPlanned(
            order_id=self.order_id,
            algorithm_used=self.plan.algorithm_used,
            child_orders=self.plan.child_orders,
            execution_schedule=self.plan.execution_schedule,
            estimated_cost=self.plan.estimated_cost,
            expected_completion_ns=self.plan.expected_completion_ns,
            start_time_ns=self.instruction.start_ns,
            end_time_ns=self.instruction.end_ns,
            execution_style=self.instruction.style,
            parameters=parameters,
            revision=self.revision,
            deadline_time_ns=self.instruction.deadline_ns,
            estimated_impact=self.plan.estimated_impact,
            cost_sd=self.plan.cost_sd,
        )
        effects.events.append((self.order_id, planned))
        effects.records.append(self._plan_row(now_ns, "WORKING"))

    def show(self, effects: Effects, now_ns: int) -> None:
        """algorithm_execution, and its row, if anything about the order has changed."""
        ledger = self.ledger
        scheduled = min(self.scheduled(now_ns), ledger.ordered)
        live = ledger.live_children()
        seen = (
            self.state,
            self.reason,
            ledger.ordered,
            ledger.filled,
            ledger.live,
            ledger.unknown,
            scheduled,
            len(live),
        )
        if seen == self.shown:
            return
        self.shown = seen
        progress = AlgorithmExecution(
            order_id=self.order_id,
            algorithm=self.algorithm,
            state=self.state,
            quantity=ledger.ordered,
            filled_quantity=ledger.filled,
            live_quantity=ledger.live,
            unknown_quantity=ledger.unknown,
            remaining_quantity=ledger.remaining,
            scheduled_quantity=scheduled,
            average_fill_price=ledger.average_price,
            schedule_deviation=float((ledger.filled - scheduled) / ledger.ordered) if ledger.ordered else 0.0,
            decision_latency_ns=self.latency_ns,
            live_children=len(live),
            reason=self.reason,
        )
        self.latency_ns = None
        effects.events.append((self.order_id, progress))
        instruction = self.instruction
        if instruction is not None:
            effects.records.append(
                ExecutionStatusRow(
                    order_id=self.order_id,
                    instrument_id=self.order.instrument_id,
                    side=self.order.side,
                    algorithm=progress.algorithm,
                    execution_style=instruction.style,
                    state=self.state,
                    quantity=progress.quantity,
                    filled_quantity=progress.filled_quantity,
                    live_quantity=progress.live_quantity,
                    unknown_quantity=progress.unknown_quantity,
                    remaining_quantity=progress.remaining_quantity,
                    scheduled_quantity=progress.scheduled_quantity,
                    average_fill_price=progress.average_fill_price,
                    schedule_deviation=progress.schedule_deviation,
                    start_time_ns=instruction.start_ns,
                    end_time_ns=instruction.end_ns,
                    updated_time_ns=now_ns,
                    reason=self.reason,
                )
            )

    def finish(self, effects: Effects, now_ns: int, final: ParentState, reason: str) -> None:
        """The one end of the order: its state, execution_completed, and no timers left."""
        self.end_untold(effects, final, reason)
        if self.instruction is not None:
            self.show(effects, now_ns)
            effects.records.append(self._plan_row(now_ns, final))
        ledger = self.ledger
        effects.events.append(
            (
                self.order_id,
                ExecutionCompleted(
                    order_id=self.order_id,
                    state=final,
                    quantity=ledger.ordered,
                    filled_quantity=ledger.filled,
                    unfilled_quantity=ledger.cancelled,
                    average_fill_price=ledger.average_price,
                    notional=ledger.notional * self.instrument.multiplier,
                    fees=ledger.fees,
                    started_ns=self.started_ns,
                    completed_ns=now_ns,
                    child_orders=len(ledger.children),
                    reason=self.reason,
                ),
            )
        )

    def end_untold(self, effects: Effects, final: ParentState, reason: str) -> None:
        """End an order whose completion somebody else has told already."""
        assert self.ledger.live == 0, f"{self.order_id} cannot end with {self.ledger.live} live"
        self.change(final)
        self.reason = reason if self.flag is None or self.flag in reason else f"{reason}; {self.flag}"
        self.ledger.close()
        self.clear_timers(effects)

    def child_row(self, child: Child) -> ChildOrderRow:
        order = child.order
        return ChildOrderRow(
            child_order_id=order.child_order_id,
            order_id=self.order_id,
            instrument_id=order.instrument_id,
            side=order.side,
            quantity=order.quantity,
            filled_quantity=child.filled,
            price=order.price,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            post_only=order.post_only,
            venue=order.venue,
            state=child.state,
            slice_id=child.slice_id,
            reason=child.reason,
            submitted_time_ns=child.submitted_ns,
            updated_time_ns=child.updated_ns,
        )

    def acknowledgement(self) -> ExecutionAcknowledged:
        live = self.ledger.live_children()
        return ExecutionAcknowledged(
            order_id=self.order_id,
            state=self.state,
            live_children=len(live),
            reason=self.reason,
            unconfirmed=tuple(
                child.child_order_id for child in live if child.state in (ChildState.CANCEL_PENDING, ChildState.UNKNOWN)
            ),
        )

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
            "numbers": self.numbers.state(),
            "guards": self.guards.state(),
            "timers": dict(self.timers),
            "market": self.market,
            "ledger": self.ledger.state(),
        }

    def _plan_row(self, now_ns: int, status: str) -> ExecutionPlanRow:
        assert self.plan is not None
        assert self.instruction is not None
        return ExecutionPlanRow(
            order_id=self.order_id,
            algorithm_used=self.plan.algorithm_used,
            execution_plan={
                **msgspec.structs.asdict(self.plan),
                "child_orders": [msgspec.structs.asdict(child) for child in self.plan.child_orders],
                "execution_schedule": [msgspec.structs.asdict(part) for part in self.plan.execution_schedule],
                "start_time_ns": self.instruction.start_ns,
                "end_time_ns": self.instruction.end_ns,
                "execution_style": self.instruction.style,
                "parameters": self.instruction.parameters(),
                "revision": self.revision,
            },
            estimated_cost=self.plan.estimated_cost,
            actual_cost=self._actual_cost(),
            completion_status=status,
            created_at_ns=now_ns,
        )

    def _actual_cost(self) -> float | None:
        """Slippage of what was filled against the arrival mid, with fees, as a fraction; None where neither exists."""
        average, mid = self.ledger.average_price, self.arrival.mid
        if average is None or mid is None:
            return None
        fees = self.ledger.fees / self.ledger.filled / self.instrument.multiplier
        return float((self.order.side.sign * (average - mid) + fees) / mid)
