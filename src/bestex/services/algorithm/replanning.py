"""A new plan for what remains of a parent order: at its start, after a change, a pause or a window."""

from decimal import Decimal

from bestex.messages.effects import Effects
from bestex.ports import ReferenceData
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.parent import Parent
from bestex.services.algorithm.planning import plan
from bestex.services.algorithm.risk_controls import Controls
from bestex.services.algorithm.telling import show_plan
from bestex.services.algorithm.timetable import timetable


def plan_rest(
    parent: Parent,
    instruction: Instruction,
    reference: ReferenceData,
    effects: Effects,
    now_ns: int,
    reason: str | None = None,
) -> None:
    """Plan what remains of a parent order anew, and show the plan."""
    ledger, instrument = parent.ledger, parent.instrument
    quantity = max(instrument.lot_size, ledger.remaining)
    lots = int(quantity / instrument.lot_size)
    curve = reference.volume_curve(instrument.instrument_id, instruction.start_ns)
    parent.table = timetable(instruction, curve, start_ns=instruction.start_ns, lots=lots)
    parent.instruction = instruction
    _take_controls(parent, instruction)
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
        reference=reference,
        first_slice=parent.first_slice,
    )
    show_plan(parent, effects, now_ns, reason=reason)


def _take_controls(parent: Parent, instruction: Instruction) -> None:
    """The controls of another selection begin now; a new plan of the same selection keeps what they have counted."""
    selected = instruction.controls
    if selected is None:
        parent.controls = None
    elif parent.controls is None or parent.controls.selected != selected:
        benchmark = parent.market.mid if selected.is_adaptation else parent.arrival.mid
        parent.controls = Controls.begin(selected, benchmark=benchmark, account=parent.account)
        parent.breach = None
