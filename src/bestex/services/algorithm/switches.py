"""What people switch for many orders at once: the kill switch, and which algorithms may be used."""

from collections.abc import Sequence
from typing import Any

from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message, Payload
from bestex.messages.execution import (
    AlgorithmEnabledChanged,
    ExecutionAcknowledged,
    KillExecutions,
    KillSwitchChanged,
    RearmExecutions,
    SetAlgorithmEnabled,
)
from bestex.messages.records import KILL_SWITCH, DeskStateRow
from bestex.services.algorithm.catalogue import Catalogue
from bestex.services.algorithm.ending import Ending
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.parents import Parents
from bestex.services.algorithm.telling import acknowledgement
from bestex.services.algorithm.working import Working

DESK = "desk"


class Switches:
    """Kill, re-arm, enable and disable."""

    def __init__(
        self, parents: Parents, working: Working, ending: Ending, catalogue: Catalogue, kills: KillSwitch
    ) -> None:
        self._parents = parents
        self._working = working
        self._ending = ending
        self._catalogue = catalogue
        self._kills = kills

    def kill(self, request: KillExecutions, message: Message[Any]) -> Effects:
        self._kills.kill(
            request.scope,
            request.scope_value,
            actor=request.actor,
            reason=request.reason,
            time_ns=message.time_ns,
        )
        effects, parents = Effects(), list(self._parents.open_in(request.scope, request.scope_value))
        for parent in parents:
            killed = self._kills.covers(parent.subject)
            if parent.state is ParentState.WORKING and killed is not None:
                self._working.pause(parent, effects, message.time_ns, killed)
                self._ending.done(parent, effects, message.time_ns)
        return self._switched(request, False, parents, effects)

    def rearm(self, request: RearmExecutions, message: Message[Any]) -> Effects:
        self._kills.rearm(request.scope, request.scope_value)
        parents = list(self._parents.open_in(request.scope, request.scope_value))
        return self._switched(request, True, parents, Effects())

    def set_enabled(self, request: SetAlgorithmEnabled, message: Message[Any]) -> Effects:
        row = self._catalogue.set_enabled(request.algorithm_name, request.enabled, message.time_ns)
        changed = AlgorithmEnabledChanged(
            algorithm_name=row.algorithm_name, enabled=row.enabled, actor=request.actor, reason=request.reason
        )
        return Effects(events=[(DESK, changed)], records=[row], answer=row)

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
        effects.records.append(DeskStateRow(name=KILL_SWITCH, value={"killed": self._kills.state()}))
        unconfirmed = [child for parent in parents for child in acknowledgement(parent).unconfirmed]
        effects.answer = ExecutionAcknowledged(
            order_id=DESK,
            state="ARMED" if armed else "KILLED",
            live_children=sum(len(parent.ledger.live_children()) for parent in parents),
            reason=request.reason,
            orders_affected=len(parents),
            unconfirmed=tuple(unconfirmed),
        )
        return effects
