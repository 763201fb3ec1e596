"""Works one parent order: asks the native decision step, and turns what it decides into child orders and cancels."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bestex.domain.fills import ReportKind, VenueReport
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildOrder, ChildState, OrderType, ParentState, Side, TimeInForce
from bestex.domain.time import to_iso
from bestex.domain.venues import Venue
from bestex.messages.effects import Effects
from bestex.messages.execution import ChildOrderCancelRequested, ChildOrderSubmitted
from bestex.messages.records import FillRow
from bestex.native.decision import AlgorithmCode, DecisionEngine, IntentKind, SideCode, StyleCode, Wake
from bestex.ports import ReferenceData
from bestex.services.algorithm.children import Child
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.guards import Standing
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.ledger import Booking
from bestex.services.algorithm.parent import Parent, VolumeMark
from bestex.services.algorithm.planning import plan
from bestex.services.algorithm.routing import Leg, Router
from bestex.services.algorithm.timetable import timetable
from bestex.services.algorithm.windows import going_on, next_window

_ANSWERABLE = (ChildState.PENDING, ChildState.WORKING, ChildState.PARTIALLY_FILLED)


class Working:
    """The steps of a parent order's life. Each adds what it leads to to the effects it is given."""

    def __init__(
        self,
        reference: ReferenceData,
        config: AlgorithmConfig,
        kills: KillSwitch,
        stopwatch: Callable[[], int] | None,
    ) -> None:
        self._reference = reference
        self._config = config
        self._kills = kills
        self._stopwatch = stopwatch

    # -- plans ---------------------------------------------------------------------------------------------------

    def start(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int) -> None:
        """Make the plan of a pending order and begin, or wait for its start."""
        self._plan(parent, instruction, effects, now_ns)
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
        parent.show(effects, now_ns)
        if steps:
            self.step(parent, Wake.START, effects, now_ns)

    def revise(self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int, reason: str) -> None:
        """A new plan for what remains. What rests from the old one is taken back."""
        self.cancel_live(parent, effects, now_ns, reason)
        if parent.engine is not None:
            parent.first_slice += parent.engine.state[0] + 1
        self._plan(parent, instruction, effects, now_ns, reason=reason)
        parent.set_timer(effects, "end", at_ns=instruction.end_ns)
        parent.clear_timers(effects, "slice", "volume")
        if parent.state is ParentState.PENDING and instruction.start_ns > now_ns:
            parent.set_timer(effects, "begin", at_ns=instruction.start_ns)

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
        parent.show(effects, now_ns)
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

    def _plan(
        self, parent: Parent, instruction: Instruction, effects: Effects, now_ns: int, reason: str | None = None
    ) -> None:
        ledger, instrument = parent.ledger, parent.instrument
        quantity = max(instrument.lot_size, ledger.remaining)
        lots = int(quantity / instrument.lot_size)
        curve = self._reference.volume_curve(instrument.instrument_id, instruction.start_ns)
        parent.table = timetable(instruction, curve, start_ns=instruction.start_ns, lots=lots)
        parent.instruction = instruction
        parent.engine = None
        parent.mark = None
        parent.target = Decimal(0)
        parent.retry_ns = None
        parent.filled_before = ledger.filled
        parent.planned_quantity = ledger.remaining
        parent.revision += 1
        parent.plan = plan(
            instruction,
            parent.table,
            order_id=parent.order_id,
            instrument=instrument,
            side=parent.order.side,
            quantity=quantity,
            market=parent.market,
            reference=self._reference,
            first_slice=parent.first_slice,
        )
        parent.show_plan(effects, now_ns, reason=reason)

    # -- the decision step ---------------------------------------------------------------------------------------

    def step(self, parent: Parent, wake: Wake, effects: Effects, now_ns: int) -> None:
        """Let the algorithm decide, unless the order is not to be worked now."""
        instruction = parent.instruction
        if parent.state is not ParentState.WORKING or instruction is None:
            return
        if now_ns >= instruction.end_ns:
            self.cancel_live(parent, effects, now_ns, "end of the window")
            return
        if (killed := self._kills.covers(parent.subject)) is not None:
            self.pause(parent, effects, now_ns, killed)
            return
        wait_until, why = self._must_wait(parent, instruction, wake, effects, now_ns)
        if wait_until is not None:
            parent.reason = why
            parent.set_timer(effects, "slice", at_ns=min(wait_until, instruction.end_ns))
            return
        first = parent.engine is None
        if parent.engine is None:
            parent.engine = self._engine(parent, instruction)
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
                self.cancel_live(parent, effects, now_ns, "no-trade zone")
                return high, f"no-trade zone until {to_iso(high)}"
        if now_ns < parent.hold_until_ns:
            return parent.hold_until_ns, parent.reason
        stale = parent.guards.stale(parent.market, now_ns)
        if stale is not None:
            # A timer carries the market as it is then: what came without one looks again at once.
            return now_ns + (self._config.refusal_backoff_ns if wake is Wake.TIMER else 1), stale
        return None, ""

    def _engine(self, parent: Parent, instruction: Instruction) -> DecisionEngine:
        assert parent.table is not None
        instrument, side = parent.instrument, parent.order.side
        limit = instruction.limit(side)
        return DecisionEngine(
            algorithm=AlgorithmCode[instruction.algorithm],
            style=StyleCode[instruction.style],
            side=SideCode[side],
            quantity=max(1, int(parent.planned_quantity / instrument.lot_size)),
            start=int(parent.table.edges_ns[0]),
            end=int(parent.table.edges_ns[-1]),
            slices=parent.table.slices,
            curve=parent.table.curve,
            limit=None if limit is None else _ticks(limit, parent, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING),
            participation_rate=instruction.participation_rate,
            child_quantity_max=self._child_lots_max(parent, instruction),
        )

    def _child_lots_max(self, parent: Parent, instruction: Instruction) -> int:
        """The largest child that the request and the notional guard allow, at least one lot."""
        instrument = parent.instrument
        prices = [price for price in (parent.market.ask, parent.market.bid, parent.market.last_price) if price]
        sizes = [parent.ledger.ordered]
        if instruction.child_quantity_max is not None:
            sizes.append(instruction.child_quantity_max)
        if prices:
            guards = self._config.guards
            # Room for the collar, and for the market to rise while the plan stands.
            worst = max(prices) * (1 + 2 * guards.collar_bps / 10_000)
            sizes.append(guards.child_notional_max / (worst * instrument.multiplier))
        return max(1, int(min(sizes) / instrument.lot_size))

    def _decide(self, parent: Parent, engine: DecisionEngine, wake: Wake, effects: Effects, now_ns: int) -> None:
        ledger, instrument, market = parent.ledger, parent.instrument, _uncrossed(parent.market)
        lot = instrument.lot_size
        cancel_pending = any(child.state is ChildState.CANCEL_PENDING for child in ledger.live_children())
        others = int(parent.others_since(parent.mark) / lot)
        began = self._stopwatch() if self._stopwatch else 0
        intents, wake_at, wake_at_volume, target = engine.decide(
            _lots_up(ledger.filled - parent.filled_before, lot),
            _lots_up(ledger.live, lot),
            cancel_pending,
            now_ns,
            None if market.bid is None else _ticks(market.bid, parent, ROUND_FLOOR),
            None if market.ask is None else _ticks(market.ask, parent, ROUND_CEILING),
            int(market.bid_quantity / lot),
            int(market.ask_quantity / lot),
            others,
            wake,
        )
        if self._stopwatch:
            parent.latency_ns = self._stopwatch() - began
        parent.target = instrument.lots_to_quantity(target)
        if wake in (Wake.START, Wake.TIMER, Wake.VOLUME, Wake.RESUME):
            parent.reason = "working"
        for kind, lots, price_ticks in intents:
            if kind == IntentKind.CANCEL_ALL:
                self.cancel_live(parent, effects, now_ns, "the algorithm takes it back")
            elif not self._carried_forward(parent, lots):
                price = None if price_ticks is None else instrument.ticks_to_price(price_ticks)
                self._place(parent, IntentKind(kind), lots, price, effects, now_ns)
        if market.bid is None and market.ask is None:
            parent.reason = "no quote: waits for the market"
        elif not intents and wake_at_volume is not None and parent.reason == "working" and not ledger.live:
            parent.reason = "waits for volume: held to the participation rate"
        if not intents and wake_at_volume == others + 1:
            # The market holds it back, not the volume: the next print is no reason to look again.
            wake_at_volume = None
            self._retry_at(parent, now_ns + self._config.refusal_backoff_ns)
        times = [time for time in (wake_at, parent.retry_ns) if time is not None]
        parent.set_timer(effects, "slice", at_ns=min(times) if times else None)
        at_volume = None
        if wake_at_volume is not None and parent.mark is not None:
            at_volume = parent.mark.cumulative + parent.ours - parent.mark.ours + wake_at_volume * lot
        parent.set_timer(effects, "volume", at_volume=at_volume)

    # -- child orders --------------------------------------------------------------------------------------------

    def _carried_forward(self, parent: Parent, lots: int) -> bool:
        """A child below the smallest size waits for the next slice, unless it is the last of the order."""
        smallest = parent.instruction.child_quantity_min if parent.instruction else None
        quantity = parent.instrument.lots_to_quantity(lots)
        if smallest is None or quantity >= smallest or quantity >= parent.ledger.unallocated:
            return False
        parent.reason = f"{quantity} is below the smallest child of {smallest}: carried forward"
        return True

    def _place(
        self, parent: Parent, kind: IntentKind, lots: int, price: Decimal | None, effects: Effects, now_ns: int
    ) -> None:
        assert parent.instruction is not None
        instruction, instrument, side, market = parent.instruction, parent.instrument, parent.order.side, parent.market
        router = Router(instruction, self._venues(parent))
        split = self._config.venues_per_child_max
        crosses = kind is not IntentKind.POST_ONLY
        if crosses:
            price = parent.guards.worst_price(side, instrument, market, instruction.limit(side))
            legs = [] if price is None else router.take(lots, side, price, market, instrument, split)
        else:
            smallest = instruction.child_quantity_min
            lots_min = 1 if smallest is None else int(smallest / instrument.lot_size)
            legs = router.post(lots, side, market, lots_min, split)
        if not legs:
            self._refuse(
                parent, now_ns, f"no venue to send {instrument.lots_to_quantity(lots)} to at {price} or better"
            )
        for leg in legs:
            self._send(parent, leg, None if leg.is_dark else price, crosses, effects, now_ns)

    def _send(
        self, parent: Parent, leg: Leg, price: Decimal | None, crosses: bool, effects: Effects, now_ns: int
    ) -> None:
        assert parent.engine is not None
        assert parent.table is not None
        slice_id = parent.first_slice + max(0, parent.engine.state[0])
        market = parent.market
        order = ChildOrder(
            child_order_id=parent.numbers.next_id(parent.order.order_id, slice_id),
            parent_order_id=parent.order.order_id,
            instrument_id=parent.order.instrument_id,
            side=parent.order.side,
            quantity=parent.instrument.lots_to_quantity(leg.lots),
            order_type=OrderType.MIDPOINT_PEG if leg.is_dark else OrderType.LIMIT,
            venue=leg.venue,  # type: ignore[arg-type]
            price=price,
            time_in_force=TimeInForce.IOC if crosses else TimeInForce.DAY,
            post_only=not crosses and not leg.is_dark,
        )
        refusal = parent.guards.refusal(order, parent.instrument, self._standing(parent, now_ns))
        if refusal is not None:
            self._refuse(parent, now_ns, f"guard refused {order.quantity} to {order.venue}: {refusal}")
            return
        how = "rest at the mid" if leg.is_dark else "cross" if crosses else "post at the near touch"
        words = f"slice {slice_id - parent.first_slice + 1} of {parent.table.slices}: {how}"
        child = Child(order=order, slice_id=slice_id, reason=words, submitted_ns=now_ns, updated_ns=now_ns)
        parent.ledger.reserve(child)
        parent.numbers.use(slice_id)
        parent.guards.note_sent(now_ns)
        effects.events.append(
            (
                parent.order_id,
                ChildOrderSubmitted(child=order, slice_id=slice_id, bid=market.bid, ask=market.ask, reason=words),
            )
        )
        effects.records.append(parent.child_row(child))

    def _standing(self, parent: Parent, now_ns: int) -> Standing:
        assert parent.instruction is not None
        return Standing(
            now_ns=now_ns,
            market=parent.market,
            price_min=parent.instruction.price_min,
            price_max=parent.instruction.price_max,
            unallocated=parent.ledger.unallocated,
            sent=parent.ledger.filled + parent.ledger.live,
            others_volume=parent.others_since(parent.first_mark),
            live_children=len(parent.ledger.live_children()),
            killed=self._kills.covers(parent.subject),
        )

    def _refuse(self, parent: Parent, now_ns: int, reason: str) -> None:
        """Nothing left; the quantity is still unallocated and is tried again."""
        parent.reason = reason
        self._retry_at(parent, now_ns + self._config.refusal_backoff_ns)

    def _retry_at(self, parent: Parent, time_ns: int) -> None:
        parent.retry_ns = time_ns if parent.retry_ns is None else min(parent.retry_ns, time_ns)

    def _venues(self, parent: Parent) -> list[Venue]:
        return list(self._reference.venues(parent.order.instrument_id))

    def cancel_live(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Ask the cancel of every live child that has not been asked."""
        for child in parent.ledger.live_children():
            if child.state in _ANSWERABLE:
                self._ask_cancel(parent, child, effects, now_ns, reason)

    def _ask_cancel(self, parent: Parent, child: Child, effects: Effects, now_ns: int, reason: str) -> None:
        child.ask_cancel(now_ns)
        effects.events.append(
            (
                parent.order_id,
                ChildOrderCancelRequested(order_id=parent.order_id, child_order_id=child.child_order_id, reason=reason),
            )
        )
        effects.records.append(parent.child_row(child))

    # -- what venues say -----------------------------------------------------------------------------------------

    def report(self, parent: Parent, report: VenueReport, effects: Effects, now_ns: int) -> None:
        """Book a venue's report once, and go on."""
        booking = parent.ledger.book(report, now_ns)
        if not booking.is_new:
            return
        child = parent.ledger.children.get(report.child_order_id)
        if child is not None:
            effects.records.append(parent.child_row(child))
        if report.kind is ReportKind.FILL:
            effects.records.append(_fill_row(parent, report))
        if report.kind in (ReportKind.FILL, ReportKind.NEW):
            parent.rejects_in_a_row = 0
        if booking.late:
            self._late_fill(parent, report, booking, effects, now_ns)
        elif report.kind is ReportKind.REJECTED and booking.returned:
            self._rejected(parent, report, effects, now_ns)
        elif booking.returned and child is not None and child.is_taker and parent.state is ParentState.WORKING:
            self._retry_at(parent, now_ns + self._config.refusal_backoff_ns)
        wake = Wake.FILL if report.kind is ReportKind.FILL else Wake.CHILD_DONE
        if report.kind is not ReportKind.NEW:
            self.step(parent, wake, effects, now_ns)

    def _late_fill(self, parent: Parent, report: VenueReport, booking: Booking, effects: Effects, now_ns: int) -> None:
        """A real fill is never dropped. It was not expected any more, so nobody knows what else the venue will say."""
        words = f"late fill of {booking.late} on {report.child_order_id} at {report.venue}, booked"
        if booking.overfilled:
            words += f"; {booking.overfilled} more than ordered"
        parent.flag = words
        if parent.state is ParentState.WORKING:
            self.pause(parent, effects, now_ns, f"frozen: {words}")
        else:
            parent.reason = words
            if not parent.state.is_final:
                self.cancel_live(parent, effects, now_ns, words)

    def _rejected(self, parent: Parent, report: VenueReport, effects: Effects, now_ns: int) -> None:
        parent.rejects_in_a_row += 1
        words = f"{report.venue} rejected {report.child_order_id}: {report.reason or 'no reason given'}"
        if parent.rejects_in_a_row >= self._config.rejects_in_a_row_max and parent.state is ParentState.WORKING:
            self.pause(parent, effects, now_ns, f"{parent.rejects_in_a_row} rejects in a row; {words}")
            return
        parent.reason = words
        parent.hold_until_ns = now_ns + (self._config.reject_backoff_ns << (parent.rejects_in_a_row - 1))
        self._retry_at(parent, parent.hold_until_ns)

    def answers_due(self, parent: Parent, effects: Effects, now_ns: int) -> None:
        """Silence is no answer: a child whose venue owes one becomes UNKNOWN, keeps its quantity, is cancelled."""
        config = self._config
        for child in parent.ledger.live_children():
            due = child.answer_due_ns(config.answer_timeout_ns, config.cancels_asked_max)
            if due is not None and due <= now_ns:
                child.doubt(now_ns)
                parent.reason = (
                    f"{child.order.venue} does not answer for {child.child_order_id}: unknown, kept reserved"
                )
                self._ask_cancel(parent, child, effects, now_ns, "no answer in time")

    def watch_answers(self, parent: Parent, effects: Effects) -> None:
        """Keep the timer of the earliest answer that is owed."""
        config = self._config
        dues = [
            due
            for child in parent.ledger.live_children()
            if (due := child.answer_due_ns(config.answer_timeout_ns, config.cancels_asked_max)) is not None
        ]
        parent.set_timer(effects, "answer", at_ns=min(dues) if dues else None)

    # -- pauses --------------------------------------------------------------------------------------------------

    def pause(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Bring everything home and send nothing until resumed."""
        if parent.state is ParentState.PENDING:
            self.begin(parent, effects, now_ns, steps=False)
        parent.change(ParentState.PAUSED)
        parent.reason = reason
        parent.clear_timers(effects, "slice", "volume")
        self.cancel_live(parent, effects, now_ns, reason)

    def resume(self, parent: Parent, effects: Effects, now_ns: int, reason: str) -> None:
        """Go on with a new plan for what remains, so that what was missed is spread and not sent at once."""
        assert parent.instruction is not None
        parent.change(ParentState.WORKING)
        parent.rejects_in_a_row = 0
        parent.hold_until_ns = 0
        instruction = parent.instruction
        if now_ns < instruction.end_ns:
            instruction = instruction.from_now(now_ns)
        else:
            instruction = self._next_window(parent, instruction, now_ns)
        self.revise(parent, instruction, effects, now_ns, reason)
        parent.reason = reason
        self.step(parent, Wake.RESUME, effects, now_ns)


def _fill_row(parent: Parent, report: VenueReport) -> FillRow:
    assert report.price is not None
    return FillRow(
        execution_id=report.execution_id,
        order_id=parent.order_id,
        child_order_id=report.child_order_id,
        instrument_id=parent.order.instrument_id,
        side=parent.order.side,
        venue=report.venue,
        quantity=report.quantity,
        price=report.price,
        liquidity=report.liquidity or "",
        fee=report.fee,
        bid=report.bid,
        ask=report.ask,
        venue_time_ns=report.venue_time_ns,
        received_time_ns=report.received_time_ns,
    )


def _uncrossed(market: MarketSnapshot) -> MarketSnapshot:
    """A crossed quote is not a market to price against: both sides are taken as empty."""
    if market.bid is None or market.ask is None or market.bid <= market.ask:
        return market
    return MarketSnapshot(
        instrument_id=market.instrument_id,
        time_ns=market.time_ns,
        bid=None,
        ask=None,
        bid_quantity=Decimal(0),
        ask_quantity=Decimal(0),
        last_price=market.last_price,
        cumulative_volume=market.cumulative_volume,
        cumulative_notional=market.cumulative_notional,
        mid_time_integral=market.mid_time_integral,
        mid_seconds=market.mid_seconds,
    )


def _ticks(price: Decimal, parent: Parent, rounding: str) -> int:
    return int((price / parent.instrument.tick_size).to_integral_value(rounding))


def _lots_up(quantity: Decimal, lot: Decimal) -> int:
    return int((quantity / lot).to_integral_value(ROUND_CEILING))
