"""Changes of a parent order that is being worked: what the client amends and what the desk modifies."""

from dataclasses import dataclass, replace
from decimal import Decimal

from bestex.domain.errors import InvalidOrder
from bestex.domain.orders import OrderType, ParentOrder, Side
from bestex.messages.execution import ModifyExecution
from bestex.messages.orders import OrderAmended
from bestex.ports import ReferenceData
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.instruction import KAPPA_T, STYLES, Instruction
from bestex.services.algorithm.parent import Parent


@dataclass(frozen=True, kw_only=True)
class Change:
    """How the rest is to be worked from now on, and why."""

    instruction: Instruction
    reason: str


def amended(order: ParentOrder, fact: OrderAmended) -> ParentOrder:
    """The client's order as it now stands."""
    instructions = order.instructions
    if fact.end_time_ns is not None:
        instructions = replace(instructions, end_time_ns=fact.end_time_ns)
    if fact.max_participation_rate is not None:
        instructions = replace(instructions, max_participation_rate=fact.max_participation_rate)
    if fact.urgency is not None:
        instructions = replace(instructions, urgency=fact.urgency)
    return replace(
        order,
        quantity=fact.quantity or order.quantity,
        price=fact.price or order.price,
        order_type=OrderType.LIMIT if fact.price else order.order_type,
        instructions=instructions,
    )


def modified(
    parent: Parent,
    wanted: ModifyExecution | OrderAmended,
    reference: ReferenceData,
    config: AlgorithmConfig,
    now_ns: int,
) -> Change:
    """The instruction for what remains, with what is wanted changed and the rest as it was.

    Raises:
        InvalidOrder: for an end that is past or after the close, or a price off the grid.
    """
    assert parent.instruction is not None
    amends = isinstance(wanted, OrderAmended)
    price = wanted.price if isinstance(wanted, OrderAmended) else wanted.price_limit
    rate = wanted.max_participation_rate if isinstance(wanted, OrderAmended) else wanted.participation_rate
    instruction = parent.instruction.from_now(now_ns, _end(parent, wanted.end_time_ns, reference, now_ns))
    if wanted.end_time_ns is not None:
        instruction = replace(instruction, last_end_ns=None)
    if price is not None:
        parent.instrument.price_to_ticks(price, field="price" if amends else "price_limit")
        price = _within_client_limit(parent, price)
        is_buy = parent.order.side is Side.BUY
        instruction = replace(
            instruction,
            price_max=price if is_buy else instruction.price_max,
            price_min=instruction.price_min if is_buy else price,
        )
    if rate is not None:
        if not 0 < rate <= 1:
            raise InvalidOrder(
                f"participation_rate {rate} is not in (0, 1]; 10 % is 0.10",
                field="participation_rate",
                value=rate,
                expected="more than 0, at most 1",
            )
        held = min(rate, config.guards.participation_rate_max, parent.order.instructions.max_participation_rate or 1.0)
        notes = (f"participation rate {rate} held to {held}",) if held < rate else ()
        instruction = replace(instruction, participation_rate=held, notes=notes)
    if wanted.urgency is not None:
        instruction = replace(instruction, style=STYLES[wanted.urgency], kappa_t=KAPPA_T[wanted.urgency])
    words = "; ".join((wanted.reason or f"{'amended' if amends else 'modified'} by {wanted.actor}", *instruction.notes))
    return Change(instruction=instruction, reason=words)


def checked_change(parent: Parent, quantity: Decimal) -> None:
    """Refuse a quantity to work that is off the grid, below what is filled, or above what the client ordered."""
    parent.instrument.quantity_to_lots(quantity)
    low, high = parent.ledger.filled, parent.ledger.ordered
    if not low <= quantity <= high:
        raise InvalidOrder(
            f"quantity {quantity} is not between the {low} filled and the {high} ordered",
            field="quantity",
            value=quantity,
            expected=f"from {low} to {high}; to order more, amend the order at the order desk",
        )


def _within_client_limit(parent: Parent, price: Decimal) -> Decimal:
    """The desk may tighten the client's limit, never loosen it."""
    client, side = parent.order.price, parent.order.side
    if client is not None and side.sign * (price - client) > 0:
        raise InvalidOrder(
            f"price limit {price} is beyond the client's {client}",
            field="price_limit",
            value=price,
            expected=f"{client} or {'below' if side is Side.BUY else 'above'}; amend the order to change the client's",
        )
    return price


def _end(parent: Parent, end_ns: int | None, reference: ReferenceData, now_ns: int) -> int:
    assert parent.instruction is not None
    planned = parent.instruction
    # A window may have ended while the order was paused: then the rest of the time to the deadline is left.
    end = end_ns or (planned.end_ns if now_ns < planned.end_ns else planned.deadline_ns)
    begins = max(now_ns, planned.start_ns)
    session = reference.session(parent.instrument.instrument_id, parent.instruction.start_ns)
    closes = end if session is None else session[1]
    if not begins < end <= closes:
        raise InvalidOrder(
            "end_time is not between the start and the session's close",
            field="end_time",
            value=end,
            expected=f"after {begins}, at most {closes}",
        )
    return end
