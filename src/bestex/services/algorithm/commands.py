"""What people ask of one parent order's execution. Each raises BestexError, and then nothing has changed."""

from dataclasses import replace
from typing import Any

from bestex.domain.errors import Conflict, LimitBreached
from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import (
    CancelExecution,
    ExecutionPlan,
    ModifyExecution,
    PauseExecution,
    PlanExecution,
    ResumeExecution,
    StartExecution,
)
from bestex.ports import ReferenceData
from bestex.services.algorithm.catalogue import Catalogue
from bestex.services.algorithm.changes import checked_change, modified
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.ending import Ending
from bestex.services.algorithm.instruction_sources import from_request
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.parents import Parents
from bestex.services.algorithm.planning import plan
from bestex.services.algorithm.timetable import timetable
from bestex.services.algorithm.working import Working


class Commands:
    """Plan, start, modify, pause, resume, cancel."""

    def __init__(
        self,
        parents: Parents,
        working: Working,
        ending: Ending,
        catalogue: Catalogue,
        kills: KillSwitch,
        reference: ReferenceData,
        config: AlgorithmConfig,
    ) -> None:
        self._parents = parents
        self._working = working
        self._ending = ending
        self._catalogue = catalogue
        self._kills = kills
        self._reference = reference
        self._config = config

    def plan(self, request: PlanExecution, message: Message[Any]) -> Effects:
        wanted = request.request
        instruction = self._catalogue.checked(from_request(wanted, self._reference, self._config, message.time_ns))
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

    def start(self, request: StartExecution, message: Message[Any]) -> Effects:
        wanted = request.request
        parent = self._parents.known(wanted.order_id)
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
        self._parents.open(wanted.order_id)
        instruction = self._catalogue.checked(from_request(wanted, self._reference, self._config, message.time_ns))
        killed = self._kills.covers(replace(parent.subject, algorithm=instruction.algorithm))
        if killed is not None:
            raise LimitBreached(
                f"order {order.order_id} cannot start: {killed}", field="order_id", value=order.order_id
            )
        effects = Effects()
        parent.market = request.market
        self._working.start(parent, instruction, effects, message.time_ns)
        effects.answer = parent.plan
        return self._ending.done(parent, effects, message.time_ns)

    def modify(self, request: ModifyExecution, message: Message[Any]) -> Effects:
        parent = self._parents.started(request.order_id)
        change = modified(parent, request, self._reference, self._config, message.time_ns)
        quantity = request.quantity
        if quantity is not None:
            checked_change(parent, quantity)
        effects = Effects()
        parent.market = request.market
        if quantity is not None:
            parent.ledger.work_only(quantity)
        self._working.apply(parent, change, effects, message.time_ns)
        effects.answer = parent.plan
        return self._ending.done(parent, effects, message.time_ns)

    def pause(self, request: PauseExecution, message: Message[Any]) -> Effects:
        parent, effects = self._parents.started(request.order_id), Effects()
        if parent.state is not ParentState.PAUSED:
            self._working.pause(parent, effects, message.time_ns, request.reason or f"paused by {request.actor}")
        return self._ending.acknowledged(parent, effects, message.time_ns)

    def resume(self, request: ResumeExecution, message: Message[Any]) -> Effects:
        parent = self._parents.started(request.order_id)
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
        return self._ending.acknowledged(parent, effects, message.time_ns)

    def cancel(self, request: CancelExecution, message: Message[Any]) -> Effects:
        parent, effects = self._parents.open(request.order_id), Effects()
        self._ending.bring_home(parent, effects, message.time_ns, request.reason or f"cancelled by {request.actor}")
        return self._ending.acknowledged(parent, effects, message.time_ns)
