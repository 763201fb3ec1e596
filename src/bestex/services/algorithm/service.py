"""The algorithm service: which messages it takes, and which step of a parent order's life each one is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bestex.domain.errors import BestexError
from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import (
    ExecutionCompleted,
    ExecutionReport,
    TimerDue,
)
from bestex.messages.orders import OrderAmended, OrderCancelled, OrderCreated
from bestex.messages.records import ExecutionAlgorithmRow, Record
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.native.decision import Wake
from bestex.ports import ReferenceData
from bestex.services.algorithm.catalogue import Catalogue
from bestex.services.algorithm.changes import Change, amended, modified
from bestex.services.algorithm.commands import Commands
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.ending import Ending
from bestex.services.algorithm.guards import Guards
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.instruction_sources import from_order, from_strategy
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.ledger import Ledger
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.parents import Parents
from bestex.services.algorithm.reports import Reports
from bestex.services.algorithm.risk_controls import selected_controls
from bestex.services.algorithm.sending import Sending
from bestex.services.algorithm.switches import DESK, Switches
from bestex.services.algorithm.telling import end_untold, finish
from bestex.services.algorithm.windows import with_deadline
from bestex.services.algorithm.working import Working

_TIMER_WAKES = {
    "slice": Wake.TIMER,
    "volume": Wake.VOLUME,
    "touch": Wake.BEST_PRICE,
    "price": Wake.PRICE,
    "end": Wake.TIMER,
}


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
        self._parents = Parents()
        self._sending = Sending(reference, config, self._kills)
        self._working = Working(reference, config, self._kills, self._sending, stopwatch)
        self._reports = Reports(self._working, self._sending, config)
        self._ending = Ending(self._working, self._sending)
        switches = Switches(self._parents, self._working, self._ending, self._catalogue, self._kills)
        commands = Commands(self._parents, self._working, self._ending, self._catalogue, self._kills, reference, config)
        self._steps: dict[str, Callable[[Any, Message[Any]], Effects]] = {
            "order_created": self._order_created,
            "execution_strategy_selected": self._strategy_selected,
            "order_amended": self._order_amended,
            "order_cancelled": self._order_cancelled,
            "execution_completed": self._completed_elsewhere,
            "execution_report": self._execution_report,
            "timer_due": self._timer_due,
            "plan_execution": commands.plan,
            "start_execution": commands.start,
            "modify_execution": commands.modify,
            "pause_execution": commands.pause,
            "resume_execution": commands.resume,
            "cancel_execution": commands.cancel,
            "kill_executions": switches.kill,
            "rearm_executions": switches.rearm,
            "set_algorithm_enabled": switches.set_enabled,
        }
        self.takes = frozenset(self._steps)

    def handle(self, message: Message[Any]) -> Effects:
        step = self._steps.get(message.event_type)
        return Effects() if step is None else step(message.payload, message)

    def state(self, order_id: str) -> object:
        if order_id == DESK:
            return self._kills.state()
        parent = self._parents.find(order_id)
        return None if parent is None else parent.snapshot()

    def initial_records(self, now_ns: int) -> Sequence[Record]:
        return self._catalogue.rows(now_ns)

    def restore(self, rows: Sequence[Record]) -> None:
        """When the catalogue's rows were made; orders, kills and what is disabled come back with their messages."""
        self._catalogue.restore([row for row in rows if isinstance(row, ExecutionAlgorithmRow)])

    # -- facts ---------------------------------------------------------------------------------------------------

    def _order_created(self, fact: OrderCreated, message: Message[Any]) -> Effects:
        order, effects = fact.order, Effects()
        if self._parents.find(order.order_id) is not None:
            return effects
        parent = Parent(
            order=order,
            instrument=self._reference.instrument(order.instrument_id),
            ledger=Ledger(order.quantity),
            guards=Guards(self._config.guards),
            market=fact.arrival,
            arrival=fact.arrival,
        )
        self._parents.add(parent)
        if order.instructions.algorithm is not None and order.instructions.selection_id is None:
            self._start_from_fact(parent, lambda: self._from_order(parent, message.time_ns), effects, message)
        return self._ending.done(parent, effects, message.time_ns)

    def _strategy_selected(self, fact: ExecutionStrategySelected, message: Message[Any]) -> Effects:
        parent, effects = self._parents.find(fact.order_id), Effects()
        if parent is None or parent.state.is_final or parent.state is ParentState.CANCELLING:
            return effects

        def build() -> Instruction:
            strategy, order = fact.recommended_strategy, parent.order
            instruction = from_strategy(strategy, order, self._reference, self._config, message.time_ns)
            left = max(parent.instrument.lot_size, parent.ledger.ordered - parent.ledger.filled)
            controls = selected_controls(fact.selection_id, fact.adaptation, strategy.risk_controls, quantity=left)
            instruction = replace(instruction, controls=controls)
            ends = [end for end in (order.instructions.end_time_ns, fact.deadline_time_ns) if end is not None]
            return self._with_deadline(parent, instruction, min(ends, default=None))

        if parent.instruction is None:
            limit = fact.recommended_strategy.risk_controls.max_order_value
            price = parent.market.mid or parent.market.last_price
            if price is not None and parent.instrument.notional(parent.order.quantity, price) > limit:
                finish(
                    parent,
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
        return self._ending.done(parent, effects, message.time_ns)

    def _order_amended(self, fact: OrderAmended, message: Message[Any]) -> Effects:
        parent, effects = self._parents.find(fact.order_id), Effects()
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
        return self._ending.done(parent, effects, message.time_ns)

    def _order_cancelled(self, fact: OrderCancelled, message: Message[Any]) -> Effects:
        parent, effects = self._parents.find(fact.order_id), Effects()
        if parent is None or parent.state.is_final:
            return effects
        self._ending.bring_home(parent, effects, message.time_ns, fact.reason or f"cancelled by {fact.actor}")
        return self._ending.done(parent, effects, message.time_ns)

    def _completed_elsewhere(self, fact: ExecutionCompleted, message: Message[Any]) -> Effects:
        """No strategy may work the order: it has ended before it was ours. Our own completions change nothing here."""
        parent, effects = self._parents.find(fact.order_id), Effects()
        if parent is not None and parent.instruction is None and not parent.state.is_final:
            end_untold(parent, effects, fact.state, fact.reason)
            parent.ledger.check()
        return effects

    def _execution_report(self, fact: ExecutionReport, message: Message[Any]) -> Effects:
        parent, effects = self._parents.find(fact.order_id), Effects()
        if parent is None:
            return effects
        parent.market = fact.market
        self._reports.book(parent, fact.report, effects, message.time_ns)
        return self._ending.done(parent, effects, message.time_ns)

    def _timer_due(self, fact: TimerDue, message: Message[Any]) -> Effects:
        parent, effects = self._parents.find(fact.order_id), Effects()
        if fact.service != self.name or parent is None or parent.state.is_final:
            return effects
        parent.timers.pop(fact.name, None)
        parent.market = fact.market
        if fact.name == "begin" and parent.state is ParentState.PENDING:
            self._working.begin(parent, effects, message.time_ns)
        elif fact.name == "answer":
            self._sending.answers_due(parent, effects, message.time_ns)
        elif fact.name in _TIMER_WAKES:
            self._working.step(parent, _TIMER_WAKES[fact.name], effects, message.time_ns)
        return self._ending.done(parent, effects, message.time_ns)

    # -- inside --------------------------------------------------------------------------------------------------

    def _start_from_fact(
        self, parent: Parent, build: Callable[[], Instruction], effects: Effects, message: Message[Any]
    ) -> None:
        """Start, or end as REJECTED in words: a fact cannot be refused."""
        now_ns = message.time_ns
        try:
            instruction = self._catalogue.checked(build())
        except BestexError as error:
            finish(parent, effects, now_ns, ParentState.REJECTED, error.message)
            return
        killed = self._kills.covers(replace(parent.subject, algorithm=instruction.algorithm))
        if killed is not None:
            finish(parent, effects, now_ns, ParentState.REJECTED, killed)
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
                self._catalogue.checked(change.instruction)
        except BestexError as error:
            parent.reason = f"change not applied: {error.message}"
            return
        self._working.apply(parent, change, effects, now_ns)
