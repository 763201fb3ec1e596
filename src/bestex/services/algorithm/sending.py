"""What leaves for the venues: child orders that pass the guards, cancels, and the watch over answers that are owed."""

from decimal import Decimal

from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ChildOrder, ChildState, OrderType, ParentState, Side, TimeInForce
from bestex.domain.venues import Venue
from bestex.messages.effects import Effects
from bestex.messages.execution import ChildOrderCancelRequested, ChildOrderSubmitted, ControlBreach
from bestex.native.decision import IntentKind
from bestex.ports import ReferenceData
from bestex.services.algorithm.children import Child
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.deciding import Intent
from bestex.services.algorithm.guards import Standing
from bestex.services.algorithm.kill import KillSwitch
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.routing import Leg, Router
from bestex.services.algorithm.telling import child_row

_ANSWERABLE = (ChildState.PENDING, ChildState.WORKING, ChildState.PARTIALLY_FILLED)


class Sending:
    """The one way to the venues. Each step adds what it leads to to the effects it is given."""

    def __init__(self, reference: ReferenceData, config: AlgorithmConfig, kills: KillSwitch) -> None:
        self._reference = reference
        self._config = config
        self._kills = kills

    def place(self, parent: Parent, intent: Intent, effects: Effects, now_ns: int) -> ControlBreach | None:
        """Route what the algorithm decided to send, unless it waits for more.

        Returns:
            The risk control that the next child would break; then it and what follows it has not left.
        """
        assert parent.instruction is not None
        kind, lots, price = intent
        if self._carried_forward(parent, lots):
            return None
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
            breach = self._send(parent, leg, None if leg.is_dark else price, crosses, effects, now_ns)
            if breach is not None:
                return breach
        return None

    def _carried_forward(self, parent: Parent, lots: int) -> bool:
        """A child below the smallest size waits for the next slice, unless it is the last of the order."""
        smallest = parent.instruction.child_quantity_min if parent.instruction else None
        quantity = parent.instrument.lots_to_quantity(lots)
        if smallest is None or quantity >= smallest or quantity >= parent.ledger.unallocated:
            return False
        parent.reason = f"{quantity} is below the smallest child of {smallest}: carried forward"
        return True

    def _send(
        self, parent: Parent, leg: Leg, price: Decimal | None, crosses: bool, effects: Effects, now_ns: int
    ) -> ControlBreach | None:
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
            return None
        breach = parent.breach_with(order.quantity, _likely_price(order, market))
        if breach is not None:
            return breach
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
        effects.records.append(child_row(parent, child))
        return None

    def _standing(self, parent: Parent, now_ns: int) -> Standing:
        assert parent.instruction is not None
        return Standing(
            now_ns=now_ns,
            market=parent.market,
            price_min=parent.instruction.price_min,
            price_max=parent.instruction.price_max,
            child_quantity_max=parent.instruction.child_quantity_max,
            plan_rate=parent.instruction.participation_rate,
            plan_sent=parent.ledger.filled - parent.filled_before + parent.ledger.live,
            plan_others_volume=parent.others_since(parent.mark),
            unallocated=parent.ledger.unallocated,
            sent=parent.ledger.filled + parent.ledger.live,
            others_volume=parent.others_since(parent.first_mark),
            live_children=len(parent.ledger.live_children()),
            killed=self._kills.covers(parent.subject),
        )

    def _refuse(self, parent: Parent, now_ns: int, reason: str) -> None:
        """Nothing left; the quantity is still unallocated and is tried again."""
        parent.reason = reason
        parent.retry_at(now_ns + self._config.refusal_backoff_ns)

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
        effects.records.append(child_row(parent, child))

    def answers_due(self, parent: Parent, effects: Effects, now_ns: int) -> None:
        """Silence is no answer: a child whose venue owes one becomes UNKNOWN, keeps its quantity, is cancelled."""
        config = self._config
        for child in parent.ledger.live_children():
            due = child.answer_due_ns(config.answer_timeout_ns, config.cancels_asked_max)
            if due is not None and due <= now_ns:
                child.doubt(now_ns)
                if parent.state is not ParentState.PAUSED:  # why it paused is what a person needs to read
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


def _likely_price(child: ChildOrder, market: MarketSnapshot) -> Decimal | None:
    """What it will trade at: the far touch for what crosses, which is priced beyond it; the mid for a peg."""
    if child.order_type is OrderType.MIDPOINT_PEG:
        return market.mid
    if child.time_in_force is TimeInForce.IOC:
        return market.ask if child.side is Side.BUY else market.bid
    return child.price
