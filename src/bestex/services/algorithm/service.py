"""The algorithm service: which messages it takes, and which step of a parent order's life each one is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bestex.domain.errors import BestexError, Conflict, InvalidOrder, LimitBreached, NotFound
from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import (
    AlgorithmEnabledChanged,
    CancelExecution,
    ExecutionAcknowledged,
    ExecutionCompleted,
    ExecutionPlan,
    ExecutionReport,
    KillExecutions,
    KillSwitchChanged,
    ModifyExecution,
    PauseExecution,
    PlanExecution,
    RearmExecutions,
    ResumeExecution,
    SetAlgorithmEnabled,
    StartExecution,
    TimerDue,
)
from bestex.messages.orders import OrderAmended, OrderCancelled, OrderCreated
from bestex.messages.records import DeskStateRow, ExecutionAlgorithmRow, Record
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.native.decision import Wake
from bestex.ports import ReferenceData
from bestex.services.algorithm.catalogue import Catalogue
from bestex.services.algorithm.changes import Change, amended, checked_change, modified
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.guards import Guards
from bestex.services.algorithm.instruction import Instruction, from_order, from_request, from_strategy
from bestex.services.algorithm.kill import KillSwitch, matches
from bestex.services.algorithm.ledger import Ledger
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.planning import plan
from bestex.services.algorithm.timetable import timetable
from bestex.services.algorithm.windows import with_deadline
from bestex.services.algorithm.working import Working

DESK = "desk"
_TIMER_WAKES = {"slice": Wake.TIMER, "volume": Wake.VOLUME, "end": Wake.TIMER}


class AlgorithmService:
    """Works parent orders. Facts never raise; requests raise BestexError and then nothing has changed."""

    name = "algorithm"
    restores: tuple[type[Record], ...] = (ExecutionAlgorithmRow,)

    def __init__(
        self, reference: ReferenceData, config: AlgorithmConfig, stopwatch: Callable[[], int] | None = None
    ) -> None:
        """`stopwatch` gives wall nanoseconds for decision_latency_ns; None in replay, so that logs are equal."""
        self._reference = reference
        self._config = config
        self._kills = KillSwitch()
        self._catalogue = Catalogue(config)
        self._working = Working(reference, config, self._kills, stopwatch)
        self._parents: dict[str, Parent] = {}
        self._steps: dict[str, Callable[[Any, Message[Any]], Effects]] = {
            "order_created": self._order_created,
            "execution_strategy_selected": self._strategy_selected,
            "order_amended": self._order_amended,
            "order_cancelled": self._order_cancelled,
            "execution_completed": self._completed_elsewhere,
            "execution_report": self._execution_report,
            "timer_due": self._timer_due,
            "plan_execution": self._plan,
            "start_execution": self._start,
            "modify_execution": self._modify,
            "pause_execution": self._pause,
            "resume_execution": self._resume,
            "cancel_execution": self._cancel,
            "kill_executions": self._kill,
            "rearm_executions": self._rearm,
            "set_algorithm_enabled": self._set_enabled,
        }
        self.takes = frozenset(self._steps)

    def handle(self, message: Message[Any]) -> Effects:
        step = self._steps.get(message.event_type)
        return Effects() if step is None else step(message.payload, message)

    def state(self, order_id: str) -> object:
        if order_id == DESK:
            return self._kills.state()
        parent = self._parents.get(order_id)
        return None if parent is None else parent.snapshot()

    def initial_records(self, now_ns: int) -> Sequence[Record]:
        return self._catalogue.rows(now_ns)

    def restore(self, rows: Sequence[Record]) -> None:
        """When the catalogue's rows were made; orders, kills and what is disabled come back with their messages."""
        self._catalogue.restore([row for row in rows if isinstance(row, ExecutionAlgorithmRow)])

    # -- facts ---------------------------------------------------------------------------------------------------

    def _order_created(self, fact: OrderCreated, message: Message[Any]) -> Effects:
        order, effects = fact.order, Effects()
        if order.order_id in self._parents:
            return effects
        parent = Parent(
            order=order,
            instrument=self._reference.instrument(order.instrument_id),
            ledger=Ledger(order.quantity),
            guards=Guards(self._config.guards),
            market=fact.arrival,
            arrival=fact.arrival,
        )
        self._parents[order.order_id] = parent
        if order.instructions.algorithm is not None and order.instructions.selection_id is None:
            self._start_from_fact(parent, lambda: self._from_order(parent, message.time_ns), effects, message)
        return self._done(parent, effects, message.time_ns)

    def _strategy_selected(self, fact: ExecutionStrategySelected, message: Message[Any]) -> Effects:
        parent, effects = self._parents.get(fact.order_id), Effects()
        if parent is None or parent.state.is_final or parent.state is ParentState.CANCELLING:
            return effects

        def build() -> Instruction:
            strategy, order = fact.recommended_strategy, parent.order
            instruction = from_strategy(strategy, order, self._reference, self._config, message.time_ns)
            ends = [end for end in (order.instructions.end_time_ns, fact.deadline_time_ns) if end is not None]
            return self._with_deadline(parent, instruction, min(ends, default=None))

        if parent.instruction is None:
            limit = fact.recommended_strategy.risk_controls.max_order_value
            price = parent.market.mid or parent.market.last_price
            if price is not None and parent.instrument.notional(parent.order.quantity, price) > limit:
                parent.finish(
                    effects,
                    message.time_ns,
                    ParentState.REJECTED,
                    f"the order's value is above the selection's max_order_value {limit}",
                )
            else:
                self._start_from_fact(parent, build, effects, message)
        elif fact.adaptation > 0:
            words = f"adaptation {fact.adaptation}: {fact.reason or fact.recommended_strategy.strategy_name}"
            self._change_from_fact(parent, lambda: Change(instruction=build(), reason=words), effects, message.time_ns)
        return self._done(parent, effects, message.time_ns)

    def _order_amended(self, fact: OrderAmended, message: Message[Any]) -> Effects:
        parent, effects = self._parents.get(fact.order_id), Effects()
        if parent is None or parent.state.is_final or parent.state is ParentState.CANCELLING:
            return effects
        parent.order = amended(parent.order, fact)
        if fact.quantity is not None:
            parent.ledger.amend(fact.quantity)
        if parent.instruction is not None:
            self._change_from_fact(
                parent,
                lambda: modified(parent, fact, self._reference, self._config, message.time_ns),
                effects,
                message.time_ns,
            )
        return self._done(parent, effects, message.time_ns)

    def _order_cancelled(self, fact: OrderCancelled, message: Message[Any]) -> Effects:
        parent, effects = self._parents.get(fact.order_id), Effects()
        if parent is None or parent.state.is_final:
            return effects
        self._bring_home(parent, effects, message.time_ns, fact.reason or f"cancelled by {fact.actor}")
        return self._done(parent, effects, message.time_ns)

    def _completed_elsewhere(self, fact: ExecutionCompleted, message: Message[Any]) -> Effects:
        """No strategy may work the order: it has ended before it was ours. Our own completions change nothing here."""
        parent, effects = self._parents.get(fact.order_id), Effects()
        if parent is not None and parent.instruction is None and not parent.state.is_final:
            parent.end_untold(effects, fact.state, fact.reason)
            parent.ledger.check()
        return effects

    def _execution_report(self, fact: ExecutionReport, message: Message[Any]) -> Effects:
        parent, effects = self._parents.get(fact.order_id), Effects()
        if parent is None:
            return effects
        parent.market = fact.market
        self._working.report(parent, fact.report, effects, message.time_ns)
        return self._done(parent, effects, message.time_ns)

    def _timer_due(self, fact: TimerDue, message: Message[Any]) -> Effects:
        parent, effects = self._parents.get(fact.order_id), Effects()
        if fact.service != self.name or parent is None or parent.state.is_final:
            return effects
        parent.timers.pop(fact.name, None)
        parent.market = fact.market
        if fact.name == "begin" and parent.state is ParentState.PENDING:
            self._working.begin(parent, effects, message.time_ns)
        elif fact.name == "answer":
            self._working.answers_due(parent, effects, message.time_ns)
        elif fact.name in _TIMER_WAKES:
            self._working.step(parent, _TIMER_WAKES[fact.name], effects, message.time_ns)
        return self._done(parent, effects, message.time_ns)

    # -- requests ------------------------------------------------------------------------------------------------

    def _plan(self, request: PlanExecution, message: Message[Any]) -> Effects:
        wanted = request.request
        instruction = self._enabled(from_request(wanted, self._reference, self._config, message.time_ns))
        instrument = self._reference.instrument(wanted.instrument_id)
        lots = instrument.quantity_to_lots(wanted.quantity)
        curve = self._reference.volume_curve(wanted.instrument_id, instruction.start_ns)
        answer: ExecutionPlan = plan(
            instruction,
            timetable(instruction, curve, start_ns=instruction.start_ns, lots=lots),
            order_id=wanted.order_id,
            instrument=instrument,
            side=wanted.side,
            quantity=wanted.quantity,
            market=request.market,
            reference=self._reference,
        )
        return Effects(answer=answer)

    def _start(self, request: StartExecution, message: Message[Any]) -> Effects:
        wanted = request.request
        parent = self._parent(wanted.order_id)
        order = parent.order
        for field_name, ours, theirs in (
            ("instrument_id", order.instrument_id, wanted.instrument_id),
            ("side", order.side, wanted.side),
            ("quantity", parent.ledger.ordered, wanted.quantity),
        ):
            if ours != theirs:
                raise Conflict(
                    f"order {order.order_id} has {field_name} {ours}, not {theirs}",
                    field=field_name,
                    value=theirs,
                    expected=str(ours),
                )
        if parent.plan is not None:
            if parent.algorithm != wanted.algorithm:
                raise Conflict(
                    f"order {order.order_id} is already worked by {parent.algorithm}",
                    field="algorithm",
                    value=wanted.algorithm,
                    expected=parent.algorithm,
                )
            return Effects(answer=parent.plan)
        self._must_be_open(parent)
        instruction = self._enabled(from_request(wanted, self._reference, self._config, message.time_ns))
        killed = self._kills.covers(replace(parent.subject, algorithm=instruction.algorithm))
        if killed is not None:
            raise LimitBreached(
                f"order {order.order_id} cannot start: {killed}", field="order_id", value=order.order_id
            )
        effects = Effects()
        parent.market = request.market
        self._working.start(parent, instruction, effects, message.time_ns)
        effects.answer = parent.plan
        return self._done(parent, effects, message.time_ns)

    def _modify(self, request: ModifyExecution, message: Message[Any]) -> Effects:
        parent = self._started(request.order_id)
        change = modified(parent, request, self._reference, self._config, message.time_ns)
        quantity = request.quantity
        if quantity is not None:
            checked_change(parent, quantity)
        effects = Effects()
        parent.market = request.market
        if quantity is not None:
            parent.ledger.work_only(quantity)
        self._apply(parent, change, effects, message.time_ns)
        effects.answer = parent.plan
        return self._done(parent, effects, message.time_ns)

    def _pause(self, request: PauseExecution, message: Message[Any]) -> Effects:
        parent, effects = self._started(request.order_id), Effects()
        if parent.state is not ParentState.PAUSED:
            self._working.pause(parent, effects, message.time_ns, request.reason or f"paused by {request.actor}")
        return self._acknowledged(parent, effects, message.time_ns)

    def _resume(self, request: ResumeExecution, message: Message[Any]) -> Effects:
        parent = self._started(request.order_id)
        assert parent.instruction is not None
        if parent.state is not ParentState.PAUSED:
            raise Conflict(
                f"order {parent.order_id} is {parent.state}: only a paused order can be resumed",
                field="state",
                value=parent.state,
                expected=ParentState.PAUSED,
            )
        if (killed := self._kills.covers(parent.subject)) is not None:
            raise Conflict(f"order {parent.order_id} is {killed}; re-arm first", field="state", value=killed)
        if message.time_ns >= parent.instruction.deadline_ns:
            raise Conflict(
                f"the window of order {parent.order_id} has ended",
                field="end_time",
                value=parent.instruction.deadline_ns,
            )
        effects = Effects()
        parent.market = request.market
        self._working.resume(parent, effects, message.time_ns, request.reason or f"resumed by {request.actor}")
        return self._acknowledged(parent, effects, message.time_ns)

    def _cancel(self, request: CancelExecution, message: Message[Any]) -> Effects:
        parent, effects = self._parent(request.order_id), Effects()
        self._must_be_open(parent)
        self._bring_home(parent, effects, message.time_ns, request.reason or f"cancelled by {request.actor}")
        return self._acknowledged(parent, effects, message.time_ns)

    def _kill(self, request: KillExecutions, message: Message[Any]) -> Effects:
        self._kills.kill(request.scope, request.scope_value, f"{request.reason} ({request.actor})")
        effects, parents = Effects(), []
        for parent in self._parents.values():
            if parent.state.is_final or not matches(request.scope, request.scope_value, parent.subject):
                continue
            parents.append(parent)
            killed = self._kills.covers(parent.subject)
            if parent.state is ParentState.WORKING and killed is not None:
                self._working.pause(parent, effects, message.time_ns, killed)
                self._done(parent, effects, message.time_ns)
        return self._switched(request, False, parents, effects)

    def _rearm(self, request: RearmExecutions, message: Message[Any]) -> Effects:
        self._kills.rearm(request.scope, request.scope_value)
        parents = [
            parent
            for parent in self._parents.values()
            if not parent.state.is_final and matches(request.scope, request.scope_value, parent.subject)
        ]
        return self._switched(request, True, parents, Effects())

    def _set_enabled(self, request: SetAlgorithmEnabled, message: Message[Any]) -> Effects:
        row = self._catalogue.set_enabled(request.algorithm_name, request.enabled, message.time_ns)
        changed = AlgorithmEnabledChanged(
            algorithm_name=row.algorithm_name, enabled=row.enabled, actor=request.actor, reason=request.reason
        )
        return Effects(events=[(DESK, changed)], records=[row], answer=row)

    # -- inside --------------------------------------------------------------------------------------------------

    def _start_from_fact(
        self, parent: Parent, build: Callable[[], Instruction], effects: Effects, message: Message[Any]
    ) -> None:
        """Start, or end as REJECTED in words: a fact cannot be refused."""
        now_ns = message.time_ns
        try:
            instruction = self._enabled(build())
        except BestexError as error:
            parent.finish(effects, now_ns, ParentState.REJECTED, error.message)
            return
        killed = self._kills.covers(replace(parent.subject, algorithm=instruction.algorithm))
        if killed is not None:
            parent.finish(effects, now_ns, ParentState.REJECTED, killed)
            return
        self._working.start(parent, instruction, effects, now_ns)

    def _from_order(self, parent: Parent, now_ns: int) -> Instruction:
        order = parent.order
        instruction = from_order(order, self._reference, self._config, now_ns)
        wanted = order.instructions
        if wanted.end_time_ns is not None or (wanted.parameters or {}).get("time_horizon_minutes") is not None:
            return instruction
        return self._with_deadline(parent, instruction, None)

    def _with_deadline(self, parent: Parent, instruction: Instruction, end_ns: int | None) -> Instruction:
        return with_deadline(
            instruction, end_ns, instrument=parent.instrument, reference=self._reference, config=self._config
        )

    def _change_from_fact(self, parent: Parent, build: Callable[[], Change], effects: Effects, now_ns: int) -> None:
        try:
            change = build()
            if change.instruction.algorithm != parent.algorithm:
                self._enabled(change.instruction)
        except BestexError as error:
            parent.reason = f"change not applied: {error.message}"
            return
        self._apply(parent, change, effects, now_ns)

    def _apply(self, parent: Parent, change: Change, effects: Effects, now_ns: int) -> None:
        self._working.revise(parent, change.instruction, effects, now_ns, change.reason)
        parent.reason = change.reason
        self._working.step(parent, Wake.RESUME, effects, now_ns)

    def _bring_home(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        if parent.state is ParentState.CANCELLING:
            return
        parent.ledger.close()
        parent.reason = reason
        if parent.ledger.live == 0:
            parent.finish(effects, now_ns, ParentState.CANCELLED, reason)
            return
        parent.change(ParentState.CANCELLING)
        parent.clear_timers(effects, "begin", "slice", "volume", "end")
        self._working.cancel_live(parent, effects, now_ns, reason)

    def _done(self, parent: Parent, effects: Effects, now_ns: int) -> Effects:
        """After every step: end the order if it is over, watch what venues owe, show it, count the ledger again."""
        if not parent.state.is_final and parent.instruction is not None:
            self._working.go_on_after_window(parent, parent.instruction, effects, now_ns)
            self._end_if_over(parent, parent.instruction, effects, now_ns)
        if not parent.state.is_final:
            self._working.watch_answers(parent, effects)
        if parent.instruction is not None:
            parent.show(effects, now_ns)
        parent.ledger.check()
        return effects

    def _end_if_over(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int) -> None:
        ledger = parent.ledger
        if ledger.live:
            return
        if ledger.filled >= ledger.ordered:
            parent.finish(effects, now_ns, ParentState.FILLED, "filled")
        elif parent.state is ParentState.CANCELLING:
            parent.finish(effects, now_ns, ParentState.CANCELLED, parent.reason)
        elif now_ns >= instruction.deadline_ns:
            words = f"the window ended with {ledger.ordered - ledger.filled} unfilled"
            parent.finish(effects, now_ns, ParentState.EXPIRED, f"{words}; last: {parent.reason}")
        elif ledger.unallocated == 0:
            parent.finish(effects, now_ns, ParentState.CANCELLED, "what was left has been given up")

    def _acknowledged(self, parent: Parent, effects: Effects, now_ns: int) -> Effects:
        self._done(parent, effects, now_ns)
        effects.answer = parent.acknowledgement()
        return effects

    def _switched(
        self, request: KillExecutions | RearmExecutions, armed: bool, parents: Sequence[Parent], effects: Effects
    ) -> Effects:
        changed: Payload = KillSwitchChanged(
            scope=request.scope,
            scope_value=request.scope_value,
            armed=armed,
            actor=request.actor,
            reason=request.reason,
            orders_affected=len(parents),
        )
        effects.events.append((DESK, changed))
        effects.records.append(DeskStateRow(name="kill_switch", value={"killed": self._kills.state()}))
        unconfirmed = [child for parent in parents for child in parent.acknowledgement().unconfirmed]
        effects.answer = ExecutionAcknowledged(
            order_id=DESK,
            state="ARMED" if armed else "KILLED",
            live_children=sum(len(parent.ledger.live_children()) for parent in parents),
            reason=request.reason,
            orders_affected=len(parents),
            unconfirmed=tuple(unconfirmed),
        )
        return effects

    def _enabled(self, instruction: Instruction) -> Instruction:
        if not self._catalogue.is_enabled(instruction.algorithm):
            raise InvalidOrder(
                f"algorithm {instruction.algorithm} is disabled in the catalogue",
                field="algorithm",
                value=instruction.algorithm,
                expected="one of " + ", ".join(self._catalogue.enabled()),
            )
        return instruction

    def _parent(self, order_id: str) -> Parent:
        parent = self._parents.get(order_id)
        if parent is None:
            raise NotFound(f"no order {order_id}", field="order_id", value=order_id)
        return parent

    def _started(self, order_id: str) -> Parent:
        parent = self._parent(order_id)
        self._must_be_open(parent)
        if parent.instruction is None:
            raise Conflict(f"order {order_id} is not being worked yet", field="state", value=parent.state)
        if parent.state is ParentState.CANCELLING:
            raise Conflict(f"order {order_id} is being cancelled", field="state", value=parent.state)
        return parent

    def _must_be_open(self, parent: Parent) -> None:
        if parent.state.is_final:
            raise Conflict(
                f"order {parent.order_id} is {parent.state}: it cannot change any more",
                field="state",
                value=parent.state,
                expected="an order that has not ended",
            )
