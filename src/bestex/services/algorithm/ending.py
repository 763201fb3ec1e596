"""After every step of a parent order: whether it is over, what venues owe, and the count of its ledger."""

from bestex.domain.orders import ParentState
from bestex.messages.effects import Effects
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.parent import STEP_TIMERS, Parent
from bestex.services.algorithm.sending import Sending
from bestex.services.algorithm.telling import acknowledgement, finish, show
from bestex.services.algorithm.working import Working


class Ending:
    """Ends orders, and nothing else does so but a refusal at their start."""

    def __init__(self, working: Working, sending: Sending) -> None:
        self._working = working
        self._sending = sending

    def done(self, parent: Parent, effects: Effects, now_ns: int) -> Effects:
        """After every step: end the order if it is over, watch what venues owe, show it, count the ledger again."""
        if not parent.state.is_final and parent.instruction is not None:
            self._working.go_on_after_window(parent, parent.instruction, effects, now_ns)
            self._end_if_over(parent, parent.instruction, effects, now_ns)
        if not parent.state.is_final:
            self._sending.watch_answers(parent, effects)
        if parent.instruction is not None:
            show(parent, effects, now_ns)
        parent.ledger.check()
        return effects

    def acknowledged(self, parent: Parent, effects: Effects, now_ns: int) -> Effects:
        """The same, with the answer to a request."""
        self.done(parent, effects, now_ns)
        effects.answer = acknowledgement(parent)
        return effects

    def bring_home(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Send no more, take everything back, end when it is home."""
        if parent.state is ParentState.CANCELLING:
            return
        parent.ledger.close()
        parent.reason = reason
        if parent.ledger.live == 0:
            finish(parent, effects, now_ns, ParentState.CANCELLED, reason)
            return
        parent.change(ParentState.CANCELLING)
        parent.clear_timers(effects, "begin", *STEP_TIMERS, "end")
        self._sending.cancel_live(parent, effects, now_ns, reason)

    def _end_if_over(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int) -> None:
        ledger = parent.ledger
        if ledger.live:
            return
        if ledger.filled >= ledger.ordered:
            finish(parent, effects, now_ns, ParentState.FILLED, "filled")
        elif parent.state is ParentState.CANCELLING:
            finish(parent, effects, now_ns, ParentState.CANCELLED, parent.reason)
        elif now_ns >= instruction.deadline_ns:
            words = f"the window ended with {ledger.ordered - ledger.filled} unfilled"
            finish(parent, effects, now_ns, ParentState.EXPIRED, f"{words}; last: {parent.reason}")
        elif ledger.unallocated == 0:
            finish(parent, effects, now_ns, ParentState.CANCELLED, "what was left has been given up")
