"""Works one parent order: plans it, lets the algorithm decide, pauses and goes on."""

from collections.abc import Callable

from bestex.domain.orders import ParentState
from bestex.domain.time import to_iso
from bestex.messages.effects import Effects
from bestex.messages.execution import ControlBreach
from bestex.native.decision import DecisionEngine, IntentKind, Wake
from bestex.ports import ReferenceData
from bestex.services.algorithm.changes import Change
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.deciding import decide, decision_engine, uncrossed
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.parent import STEP_TIMERS, Parent, VolumeMark
from bestex.services.algorithm.replanning import plan_rest
from bestex.services.algorithm.risk_controls import condition, words
from bestex.services.algorithm.sending import Sending
from bestex.services.algorithm.telling import show
from bestex.services.algorithm.windows import going_on, next_window


class Working:
    """The steps of a parent order's life. Each adds what it leads to to the effects it is given."""

    def __init__(
        self,
        reference: ReferenceData,
        config: AlgorithmConfig,
        kills: KillSwitch,
        sending: Sending,
        stopwatch: Callable[[], int] | None,
    ) -> None:
        self._reference = reference
        self._config = config
        self._kills = kills
        self._sending = sending
        self._stopwatch = stopwatch

    # -- plans ---------------------------------------------------------------------------------------------------

    def start(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int) -> None:
        """Make the plan of a pending order and begin, or wait for its start."""
        plan_rest(parent, instruction, self._reference, effects, now_ns)
        parent.set_timer(effects, "end", at_ns=instruction.end_ns)
        if instruction.start_ns > now_ns:
            notes = ", ".join(instruction.notes)
            parent.reason = f"waits for its start at {to_iso(instruction.start_ns)}" + (f" ({notes})" if notes else "")
            parent.set_timer(effects, "begin", at_ns=instruction.start_ns)
            return
        self.begin(parent, effects, now_ns)

    def begin(self, parent: Parent, effects: Effects, now_ns: int, *, steps: bool = True) -> None:
        """The start has come, or a pause before it."""
        parent.change(ParentState.WORKING)
        parent.reason = "; ".join(("working", *(parent.instruction.notes if parent.instruction else ())))
        parent.clear_timers(effects, "begin")
        show(parent, effects, now_ns)
        if steps:
            self.step(parent, Wake.START, effects, now_ns)

    def revise(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int, reason: str) -> None:
        """A new plan for what remains. What rests from the old one is taken back."""
        self._sending.cancel_live(parent, effects, now_ns, reason)
        if parent.engine is not None:
            parent.first_slice += parent.engine.state[0] + 1
        plan_rest(parent, instruction, self._reference, effects, now_ns, reason=reason)
        parent.set_timer(effects, "end", at_ns=instruction.end_ns)
        parent.clear_timers(effects, *STEP_TIMERS)
        if parent.state is ParentState.PENDING and instruction.start_ns > now_ns:
            parent.set_timer(effects, "begin", at_ns=instruction.start_ns)

    def apply(self, parent: Parent, change: Change, effects: Effects, now_ns: int) -> None:
        """Go on as changed."""
        self.revise(parent, change.instruction, effects, now_ns, change.reason)
        parent.reason = change.reason
        self.step(parent, Wake.RESUME, effects, now_ns)

    def go_on_after_window(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int) -> None:
        """Plan what a window left, where the deadline is later. A paused order is planned when it is resumed."""
        if now_ns < instruction.end_ns or now_ns >= instruction.deadline_ns:
            return
        if parent.state is ParentState.CANCELLING:
            return
        ledger = parent.ledger
        # What is on its way home is planned once it is here; an unknown child may never come.
        is_home = ledger.live == ledger.unknown
        if parent.state is not ParentState.WORKING or ledger.unallocated == 0 or not is_home:
            parent.set_timer(effects, "end", at_ns=instruction.deadline_ns)
            return
        follows = self._next_window(parent, instruction, now_ns)
        reason = going_on(
            follows, ledger.unallocated, held_by_volume="volume" in parent.timers, last_reason=parent.reason
        )
        self.revise(parent, follows, effects, now_ns, reason)
        parent.reason = reason
        show(parent, effects, now_ns)
        self.step(parent, Wake.RESUME, effects, now_ns)

    def _next_window(self, parent: Parent, instruction: Instruction, now_ns: int) -> Instruction:
        instrument = parent.instrument
        return next_window(
            instruction,
            self._reference.volume_curve(instrument.instrument_id, now_ns),
            now_ns=now_ns,
            quantity=parent.ledger.remaining,
            has_filled=parent.ledger.filled > parent.filled_before,
            instrument=instrument,
            config=self._config,
        )

    # -- the decision step ---------------------------------------------------------------------------------------

    def step(self, parent: Parent, wake: Wake, effects: Effects, now_ns: int) -> None:
        """Let the algorithm decide, unless the order is not to be worked now."""
        instruction = parent.instruction
        if parent.state is not ParentState.WORKING or instruction is None:
            return
        if now_ns >= instruction.end_ns:
            self._sending.cancel_live(parent, effects, now_ns, "end of the window")
            return
        if (killed := self._kills.covers(parent.subject)) is not None:
            self.pause(parent, effects, now_ns, killed)
            return
        if (breach := parent.breach_with()) is not None:
            self._stop_at(parent, breach, effects, now_ns)
            return
        wait_until, why = self._must_wait(parent, instruction, wake, effects, now_ns)
        if wait_until is not None:
            parent.reason = why
            parent.set_timer(effects, "slice", at_ns=min(wait_until, instruction.end_ns))
            return
        first = parent.engine is None
        if parent.engine is None:
            parent.engine = decision_engine(parent, instruction, self._config)
            parent.mark = VolumeMark(cumulative=parent.market.cumulative_volume, ours=parent.ours)
            parent.first_mark = parent.first_mark or parent.mark
            parent.started_ns = parent.started_ns or now_ns
        if parent.retry_ns is not None and now_ns >= parent.retry_ns:
            parent.retry_ns = None
        self._decide(parent, parent.engine, Wake.START if first else wake, effects, now_ns)

    def _must_wait(
        self, parent: Parent, instruction: Instruction, wake: Wake, effects: Effects, now_ns: int
    ) -> tuple[int | None, str]:
        """Until when nothing may be sent, and why; None = go on."""
        if now_ns < instruction.start_ns:
            return instruction.start_ns, f"waits for its start at {to_iso(instruction.start_ns)}"
        for low, high in instruction.no_trade_zones:
            if low <= now_ns < high:
                self._sending.cancel_live(parent, effects, now_ns, "no-trade zone")
                return high, f"no-trade zone until {to_iso(high)}"
        if now_ns < parent.hold_until_ns:
            return parent.hold_until_ns, parent.reason
        stale = parent.guards.stale(parent.market, now_ns)
        pause_on = frozenset[str]() if instruction.controls is None else instruction.controls.pause_on
        held = condition(pause_on, parent.market, stale)
        if held is not None:
            self._sending.cancel_live(parent, effects, now_ns, held)
        if held is not None or stale is not None:
            # A timer carries the market as it is then: what came without one looks again at once.
            return now_ns + (self._config.refusal_backoff_ns if wake is Wake.TIMER else 1), held or stale or ""
        return None, ""

    def _decide(self, parent: Parent, engine: DecisionEngine, wake: Wake, effects: Effects, now_ns: int) -> None:
        ledger, began = parent.ledger, self._stopwatch() if self._stopwatch else 0
        decision = decide(parent, engine, wake, now_ns)
        if self._stopwatch:
            parent.latency_ns = self._stopwatch() - began
        parent.target = decision.target
        if wake in (Wake.START, Wake.TIMER, Wake.VOLUME, Wake.RESUME, Wake.PRICE):
            parent.reason = "working"
        for intent in decision.intents:
            if intent.kind is IntentKind.CANCEL_ALL:
                self._sending.cancel_live(parent, effects, now_ns, "the algorithm takes it back")
            else:
                breach = self._sending.place(parent, intent, effects, now_ns)
                if breach is not None:
                    self._stop_at(parent, breach, effects, now_ns)
                    return
        wake_at_volume = decision.wake_at_volume
        market = uncrossed(parent.market)
        if market.bid is None and market.ask is None:
            parent.reason = "no quote: waits for the market"
        elif not decision.intents and wake_at_volume is not None and parent.reason == "working" and not ledger.live:
            parent.reason = "waits for volume: held to the participation rate"
        if not decision.intents and wake_at_volume == decision.others + 1:
            # The market holds it back, not the volume: the next print is no reason to look again.
            wake_at_volume = None
            parent.retry_at(now_ns + self._config.refusal_backoff_ns)
        times = [time for time in (decision.wake_at_ns, parent.retry_ns) if time is not None]
        parent.set_timer(effects, "slice", at_ns=min(times) if times else None)
        at_volume = None
        if wake_at_volume is not None and parent.mark is not None:
            at_volume = (
                parent.mark.cumulative + parent.ours - parent.mark.ours + wake_at_volume * parent.instrument.lot_size
            )
        parent.set_timer(effects, "volume", at_volume=at_volume)
        parent.set_timer(effects, "touch", at_price=decision.touch)
        parent.set_timer(effects, "price", at_price=decision.price)

    # -- pauses --------------------------------------------------------------------------------------------------

    def pause(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Bring everything home and send nothing until resumed."""
        if parent.state is ParentState.PENDING:
            self.begin(parent, effects, now_ns, steps=False)
        parent.change(ParentState.PAUSED)
        parent.reason = reason
        parent.clear_timers(effects, *STEP_TIMERS)
        self._sending.cancel_live(parent, effects, now_ns, reason)

    def _stop_at(self, parent: Parent, breach: ControlBreach, effects: Effects, now_ns: int) -> None:
        """Pause at a risk control; a person may go on."""
        assert parent.controls is not None
        parent.breach = breach
        self.pause(parent, effects, now_ns, words(breach, parent.controls))

    def resume(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Go on with a new plan for what remains, so that what was missed is spread and not sent at once."""
        assert parent.instruction is not None
        parent.change(ParentState.WORKING)
        parent.rejects_in_a_row = 0
        parent.hold_until_ns = 0
        if parent.breach is not None and parent.controls is not None:
            parent.controls = parent.controls.extended(parent.breach)
        parent.breach = None
        instruction = parent.instruction
        if now_ns < instruction.end_ns:
            instruction = instruction.from_now(now_ns)
        else:
            instruction = self._next_window(parent, instruction, now_ns)
        self.revise(parent, instruction, effects, now_ns, reason)
        parent.reason = reason
        self.step(parent, Wake.RESUME, effects, now_ns)
