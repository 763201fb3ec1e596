"""Where instructions come from: requests, orders that name their algorithm, and selections."""

from bestex.domain.orders import ParentOrder, Side, Urgency
from bestex.messages.execution import ExecutionRequest
from bestex.messages.strategy import ExecutionStrategy
from bestex.ports import ReferenceData
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.given_values import named_algorithm, named_style, on_grid
from bestex.services.algorithm.instruction import Instruction
from bestex.services.algorithm.instruction_building import build_instruction


def from_request(
    request: ExecutionRequest, reference: ReferenceData, config: AlgorithmConfig, now_ns: int
) -> Instruction:
    """The instruction of a plan or start request.

    Raises:
        InvalidOrder: for a parameter or constraint that cannot be met.
        NotFound: for an instrument that nobody knows.
    """
    instrument = reference.instrument(request.instrument_id)
    instrument.quantity_to_lots(request.quantity)
    given = request.parameters
    custom = dict(given.custom_parameters)
    parameters = {
        **custom,
        **{
            name: getattr(given, name)
            for name in ("participation_rate", "time_horizon_minutes", "risk_aversion")
            if getattr(given, name) is not None
        },
    }
    limits = request.constraints.price_limits
    for bound, price in (("min", limits.min), ("max", limits.max)):
        if price is not None:
            instrument.price_to_ticks(price, field=f"constraints.price_limits.{bound}")
    return build_instruction(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=named_algorithm(request.algorithm),
        style=request.execution_style,
        urgency=Urgency.NORMAL,
        parameters=parameters,
        start_ns=request.start_time_ns,
        end_ns=request.target_completion_time_ns,
        price_min=limits.min,
        price_max=limits.max,
        child_quantity_max=request.constraints.max_order_size,
        child_quantity_min=request.constraints.min_order_size,
        dark_ratio=request.constraints.dark_pool_ratio,
        preferences=request.constraints.venue_preferences,
        exclusions=request.constraints.venue_exclusions,
        zones=request.constraints.no_trade_zones,
    )


def from_order(order: ParentOrder, reference: ReferenceData, config: AlgorithmConfig, now_ns: int) -> Instruction:
    """The instruction of an order that names its algorithm. Raises InvalidOrder."""
    wanted = order.instructions
    assert wanted.algorithm is not None, "an order without an algorithm waits for its selection"
    instrument = reference.instrument(order.instrument_id)
    is_buy = order.side is Side.BUY
    return build_instruction(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=wanted.algorithm,
        style=wanted.execution_style,
        urgency=wanted.urgency,
        parameters=wanted.parameters or {},
        start_ns=wanted.start_time_ns,
        end_ns=wanted.end_time_ns,
        price_min=None if is_buy else order.price,
        price_max=order.price if is_buy else None,
        rate_max=wanted.max_participation_rate,
        child_quantity_min=wanted.min_fill_size,
        exclusions=wanted.venue_restrictions,
        no_dark=wanted.dark_pool_preference is False,
    )


def from_strategy(
    strategy: ExecutionStrategy, order: ParentOrder, reference: ReferenceData, config: AlgorithmConfig, now_ns: int
) -> Instruction:
    """The instruction of a selection, within what the client's own order allows. Raises InvalidOrder."""
    wanted, controls, window = order.instructions, strategy.risk_controls, strategy.time_allocation
    instrument = reference.instrument(order.instrument_id)
    style = strategy.parameters.get("execution_style")
    rates = [rate for rate in (wanted.max_participation_rate, controls.max_participation_rate) if rate is not None]
    maxima = [size for size in (controls.max_child_quantity,) if size is not None]
    is_buy = order.side is Side.BUY
    limits = [
        price for price in (order.price, on_grid(controls.price_limit, instrument, order.side)) if price is not None
    ]
    limit = (min(limits) if is_buy else max(limits)) if limits else None
    return build_instruction(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=named_algorithm(strategy.algorithm),
        style=wanted.execution_style or (None if style is None else named_style(style)),
        urgency=wanted.urgency,
        parameters={key: value for key, value in strategy.parameters.items() if key != "execution_style"},
        start_ns=max(window.start_time_ns, now_ns),
        end_ns=window.end_time_ns,
        price_min=None if is_buy else limit,
        price_max=limit if is_buy else None,
        rate_max=min(rates) if rates else None,
        child_quantity_max=min(maxima) if maxima else None,
        child_quantity_min=wanted.min_fill_size,
        weights=strategy.venue_allocation,
        exclusions=wanted.venue_restrictions,
        no_dark=wanted.dark_pool_preference is False,
    )
