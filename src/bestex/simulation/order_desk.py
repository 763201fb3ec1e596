"""The paper order desk: the embedded stand-in for an order management service.

It accepts parent orders, says so on their streams, and follows what becomes of them. It is shaped like a service, so
the same wiring runs it.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from bestex.domain.errors import BestexError, Conflict, InvalidInput, InvalidOrder, NotFound, Outdated
from bestex.domain.ids import checked_order_id
from bestex.domain.orders import OrderType, ParentOrder, ParentState, changed_parent_state
from bestex.messages.effects import Effects
from bestex.messages.envelope import Message
from bestex.messages.execution import AlgorithmExecution, ExecutionCompleted
from bestex.messages.orders import AmendOrder, CancelOrder, CreateOrder, OrderAmended, OrderCancelled, OrderCreated
from bestex.messages.records import ParentOrderRow
from bestex.messages.strategy import ExecutionStrategySelected
from bestex.ports import ReferenceData


class OrderDesk:
    """Parent orders as their owner sees them."""

    name = "order-desk"
    takes = frozenset(
        {
            "create_order",
            "amend_order",
            "cancel_order",
            "execution_strategy_selected",
            "algorithm_execution",
            "execution_completed",
        }
    )

    def __init__(self, reference: ReferenceData) -> None:
        self._reference = reference
        self._orders: dict[str, ParentOrderRow] = {}

    def state(self, order_id: str) -> object:
        return self._orders.get(order_id)

    def handle(self, message: Message[Any]) -> Effects:
        match message.payload:
            case CreateOrder() as request:
                return self._create(request, message.time_ns)
            case AmendOrder() as request:
                return self._amend(request, message.time_ns)
            case CancelOrder() as request:
                return self._cancel(request, message.time_ns)
            case ExecutionStrategySelected() as fact:
                return self._keep(
                    fact.order_id,
                    message.time_ns,
                    algorithm=fact.recommended_strategy.algorithm,
                    strategy_name=fact.recommended_strategy.strategy_name,
                    selection_id=fact.selection_id,
                )
            case AlgorithmExecution() as fact:
                return self._follow(fact, message.time_ns)
            case ExecutionCompleted() as fact:
                return self._complete(fact, message.time_ns)
        return Effects()

    def _create(self, request: CreateOrder, now_ns: int) -> Effects:
        order = request.order
        if order.order_id in self._orders:
            raise Conflict(
                f"order_id {order.order_id} is already in use",
                field="order_id",
                value=order.order_id,
                expected="a new id",
            )
        self.check(order, now_ns)
        row = ParentOrderRow(
            order_id=order.order_id,
            instrument_id=order.instrument_id,
            side=order.side,
            quantity=order.quantity,
            order_type=order.order_type,
            price=order.price,
            state=ParentState.PENDING,
            algorithm=order.instructions.algorithm,
            strategy_name=None,
            selection_id=order.instructions.selection_id,
            portfolio_id=order.portfolio_id,
            account_id=order.account_id,
            instructions=order.instructions,
            arrival=request.market,
            filled_quantity=Decimal(0),
            average_fill_price=None,
            created_time_ns=now_ns,
            updated_time_ns=now_ns,
            actor=request.actor,
            reason=None,
        )
        self._orders[order.order_id] = row
        created = OrderCreated(
            order=order,
            status=ParentState.PENDING,
            actor=request.actor,
            arrival=request.market,
            decision_time_ns=request.decision_time_ns or now_ns,
            submission_time_ns=now_ns,
        )
        return Effects(events=[(order.order_id, created)], records=[row], answer=row)

    def check(self, order: ParentOrder, now_ns: int) -> None:
        """Everything that is wrong with the order, at once.

        Raises:
            InvalidOrder: with one entry in `errors` per offending field.
        """
        errors: list[InvalidInput] = []

        def note(error: BestexError) -> None:
            errors.append(InvalidOrder(error.message, field=error.field, value=error.value, expected=error.expected))

        try:
            checked_order_id(order.order_id, field="order_id")
        except InvalidInput as error:
            note(error)
        try:
            instrument = self._reference.instrument(order.instrument_id)
        except NotFound as error:
            note(error)
            raise InvalidOrder(errors[0].message, errors=errors) from None
        grids: list[tuple[Callable[..., int], Decimal | None, str]] = [
            (instrument.quantity_to_lots, order.quantity, "quantity"),
            (instrument.price_to_ticks, order.price, "price"),
            (instrument.quantity_to_lots, order.instructions.min_fill_size, "execution_instructions.min_fill_size"),
        ]
        for convert, value, field in grids:
            try:
                if value is not None:
                    convert(value, field=field)
            except InvalidOrder as error:
                note(error)
        if (order.order_type is OrderType.LIMIT) != (order.price is not None):
            errors.append(
                InvalidOrder(
                    "a LIMIT order needs a price, and only a LIMIT order has one",
                    field="price",
                    value=order.price,
                    expected="a price with order_type LIMIT, none with MARKET",
                )
            )
        rate = order.instructions.max_participation_rate
        if rate is not None and not 0 < rate <= 1:
            errors.append(
                InvalidOrder(
                    f"max_participation_rate {rate} is not in (0, 1]; 10 % is 0.10",
                    field="execution_instructions.max_participation_rate",
                    value=rate,
                    expected="more than 0, at most 1",
                )
            )
        start, end = order.instructions.start_time_ns, order.instructions.end_time_ns
        if end is not None and end <= max(start or now_ns, now_ns):
            errors.append(
                InvalidOrder(
                    "end_time is not after the start and now",
                    field="execution_instructions.end_time",
                    value=end,
                    expected="a time after start_time and after now",
                )
            )
        known = {venue.venue_id for venue in self._reference.venues(order.instrument_id)}
        errors.extend(
            InvalidOrder(
                f"venue {venue!r} does not trade {order.instrument_id}",
                field="execution_instructions.venue_restrictions",
                value=venue,
                expected="one of " + ", ".join(sorted(known)),
            )
            for venue in order.instructions.venue_restrictions
            if venue not in known
        )
        if errors:
            raise InvalidOrder("; ".join(error.message for error in errors), errors=errors)

    def _amend(self, request: AmendOrder, now_ns: int) -> Effects:
        row = self._live(request.order_id, request.expected_version)
        instrument = self._reference.instrument(row.instrument_id)
        if request.quantity is not None:
            instrument.quantity_to_lots(request.quantity)
            if request.quantity < row.filled_quantity:
                raise InvalidOrder(
                    f"quantity {request.quantity} is below the {row.filled_quantity} already filled",
                    field="quantity",
                    value=request.quantity,
                    expected=f"at least {row.filled_quantity}; to stop, cancel the order",
                )
        if request.price is not None:
            instrument.price_to_ticks(request.price)
        if request.end_time_ns is not None and request.end_time_ns <= now_ns:
            raise InvalidOrder(
                "end_time is not after now", field="end_time", value=request.end_time_ns, expected="a time after now"
            )
        if request.max_participation_rate is not None and not 0 < request.max_participation_rate <= 1:
            raise InvalidOrder(
                f"max_participation_rate {request.max_participation_rate} is not in (0, 1]",
                field="max_participation_rate",
                value=request.max_participation_rate,
                expected="more than 0, at most 1",
            )
        fields = {
            name: getattr(request, name)
            for name in ("quantity", "price", "end_time_ns", "max_participation_rate", "urgency", "reason")
        }
        effects = self._keep(
            request.order_id,
            now_ns,
            is_command=True,
            quantity=request.quantity or row.quantity,
            price=request.price or row.price,
            order_type=OrderType.LIMIT if request.price else row.order_type,
        )
        effects.events.append(
            (request.order_id, OrderAmended(order_id=request.order_id, actor=request.actor, **fields))
        )
        effects.answer = self._orders[request.order_id]
        return effects

    def _cancel(self, request: CancelOrder, now_ns: int) -> Effects:
        self._live(request.order_id, request.expected_version)
        cancelled = OrderCancelled(order_id=request.order_id, actor=request.actor, reason=request.reason)
        effects = self._keep(
            request.order_id, now_ns, is_command=True, reason=request.reason or "cancelled by the client"
        )
        effects.events.append((request.order_id, cancelled))
        effects.answer = self._orders[request.order_id]
        return effects

    def _follow(self, fact: AlgorithmExecution, now_ns: int) -> Effects:
        row = self._orders.get(fact.order_id)
        if row is None or ParentState(row.state).is_final:
            return Effects()
        state = ParentState(row.state)
        if fact.state is not state and not fact.state.is_final:
            state = changed_parent_state(state, fact.state)
        return self._keep(
            fact.order_id,
            now_ns,
            state=state,
            algorithm=fact.algorithm,
            filled_quantity=fact.filled_quantity,
            average_fill_price=fact.average_fill_price,
            reason=fact.reason,
        )

    def _complete(self, fact: ExecutionCompleted, now_ns: int) -> Effects:
        return self._keep(
            fact.order_id,
            now_ns,
            state=fact.state,
            filled_quantity=fact.filled_quantity,
            average_fill_price=fact.average_fill_price,
            reason=fact.reason,
        )

    def _live(self, order_id: str, expected_version: int | None) -> ParentOrderRow:
        row = self._orders.get(order_id)
        if row is None:
            raise NotFound(f"no order {order_id}", field="order_id", value=order_id)
        if ParentState(row.state).is_final:
            raise Conflict(f"order {order_id} is {row.state}: it cannot change", field="state", value=row.state)
        if expected_version not in (None, row.version):
            raise Outdated(
                f"order {order_id} is at version {row.version} by now; this was meant for version {expected_version}",
                field="If-Match",
                value=expected_version,
                expected=f"version {row.version}, after reading what it says",
            )
        return row

    def _keep(self, order_id: str, now_ns: int, *, is_command: bool = False, **changes: Any) -> Effects:
        row = self._orders.get(order_id)
        if row is None:
            return Effects()
        changed = msgspec.structs.replace(row, **changes)
        if is_command or msgspec.structs.replace(changed, reason=row.reason) != row:
            changed = msgspec.structs.replace(changed, version=row.version + 1)
        self._orders[order_id] = msgspec.structs.replace(changed, updated_time_ns=now_ns)
        return Effects(records=[self._orders[order_id]])
