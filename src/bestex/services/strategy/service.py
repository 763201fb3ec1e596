"""The strategy service: recommends, commits, adapts and keeps score. Which messages it takes and what they lead to."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from bestex.domain.errors import BestexError, Conflict, InvalidOrder, StaleMarketData
from bestex.domain.ids import time_ordered_uuid
from bestex.domain.market import MarketSnapshot
from bestex.domain.orders import ParentState
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.effects import Effects, Timer
from bestex.messages.envelope import Message
from bestex.messages.execution import AlgorithmEnabledChanged, AlgorithmExecution, ExecutionCompleted, TimerDue
from bestex.messages.monitoring import ExecutionMeasured, TradeExecuted
from bestex.messages.orders import OrderAmended, OrderCreated
from bestex.messages.records import ExecutionStrategyRow, Record, StrategyPerformanceRow
from bestex.messages.strategy import (
    AdaptStrategy,
    AssessMarket,
    DeleteStrategy,
    ExecutionStrategySelected,
    MarketContext,
    RecommendExecution,
    SaveStrategy,
)
from bestex.ports import ReferenceData
from bestex.quant.volume_curves import VolumeCurve as SessionCurve
from bestex.services.strategy.assessment import assessed
from bestex.services.strategy.catalogue import Catalogue, CatalogueEntry, default_catalogue
from bestex.services.strategy.confidence import ErrorDraws
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.estimates import session_curve
from bestex.services.strategy.outcomes import execution_date, joined, realised_outcome, rolled_up
from bestex.services.strategy.profile import OrderProfile, profile_of_order, profile_of_request, tighter
from bestex.services.strategy.recommendation import Choice, recommended
from bestex.services.strategy.selections import Proposal, WorkedOrder, amended, committed, mismatch, selection_row

_SELECT = "select"  # the timer of an order that waits for its first quote


class StrategyService:
    """Which execution strategy for this order, and why.

    A proposal is stored and starts nothing; an order commits one. An order whose `selection_id` cannot be honoured gets
    a fresh selection that says why. An order that no strategy may work is completed as REJECTED with the reason.
    """

    name = "strategy"
    takes = frozenset(
        {
            "recommend_execution",
            "adapt_strategy",
            "save_strategy",
            "delete_strategy",
            "order_created",
            "order_amended",
            "algorithm_execution",
            "execution_completed",
            "execution_measured",
            "trade_executed",
            "timer_due",
            "assess_market",
            "algorithm_enabled_changed",
        }
    )

    restores: tuple[type[Record], ...] = (StrategyPerformanceRow,)

    def __init__(self, reference: ReferenceData, config: StrategyConfig) -> None:
        self._reference = reference
        self._config = config
        self._draws = ErrorDraws.latin_hypercube(config.confidence_points, config.confidence_seed)
        self._catalogue = Catalogue(default_catalogue())
        self._algorithms_off: set[str] = set()  # in the algorithm service's catalogue
        self._workable: tuple[CatalogueEntry, ...] | None = None  # None until asked for after a change
        self._orders: dict[str, WorkedOrder] = {}
        self._proposals: OrderedDict[str, Proposal] = OrderedDict()
        self._committed_by: dict[str, str] = {}  # selection id -> order id
        self._made: dict[str, tuple[int, int]] = {}  # order id -> (time, how many selections were made for it then)
        self._performance: dict[tuple[str, str], StrategyPerformanceRow] = {}
        self._curves: dict[str, tuple[int, Any, SessionCurve]] = {}  # instrument id -> (open, port's curve, ours)

    def initial_records(self, now_ns: int) -> tuple[ExecutionStrategyRow, ...]:
        """The catalogue's rows, to be saved at the first start."""
        return self._catalogue.rows

    def restore(self, rows: Iterable[Record]) -> None:
        """Continue the daily roll-ups of an earlier run. Changes of the catalogue come back with their messages."""
        self._performance |= {
            (row.strategy_name, row.execution_date): row for row in rows if isinstance(row, StrategyPerformanceRow)
        }

    def state(self, order_id: str) -> object:
        return self._orders.get(order_id)

    def handle(self, message: Message[Any]) -> Effects:
        now_ns = message.time_ns
        match message.payload:
            case RecommendExecution() as request:
                return self._recommend(request, now_ns)
            case AdaptStrategy() as request:
                return self._adapt(request, now_ns)
            case SaveStrategy() as request:
                self._workable = None
                saved = self._catalogue.save(request, now_ns)
                return Effects(records=[saved], answer=saved)
            case DeleteStrategy() as request:
                self._workable = None
                saved = self._catalogue.disable(request.strategy_name)
                return Effects(records=[saved], answer=saved)
            case AssessMarket() as request:
                conditions = assessed(request, self._reference, self._config, now_ns)
                return Effects(answer=conditions)
            case AlgorithmEnabledChanged() as fact:
                self._workable = None
                known = self._algorithms_off
                self._algorithms_off = known - {fact.algorithm_name} if fact.enabled else known | {fact.algorithm_name}
            case OrderCreated() as fact:
                return self._created(fact, now_ns)
            case OrderAmended() as fact:
                return self._change(fact.order_id, lambda worked: replace(worked, order=amended(worked.order, fact)))
            case AlgorithmExecution() as fact:
                return self._progress(fact.order_id, fact.filled_quantity, fact.state)
            case ExecutionCompleted() as fact:
                return self._progress(fact.order_id, fact.filled_quantity, fact.state)
            case ExecutionMeasured() as fact:
                return self._change(fact.order_id, lambda worked: replace(worked, measured=fact))
            case TradeExecuted() as fact:
                return self._score(fact)
            case TimerDue() as fact if fact.service == self.name and fact.name == _SELECT:
                return self._select(fact.order_id, fact.market, now_ns)
        return Effects()

    # -- recommending ------------------------------------------------------------------------------------------------

    def _recommend(self, request: RecommendExecution, now_ns: int) -> Effects:
        profile = profile_of_request(request, self._reference, now_ns)
        choice = self._choose(profile, request.market, request.market_context, now_ns)
        self._proposals[choice.recommendation.selection_id] = Proposal(choice=choice, created_ns=now_ns)
        while len(self._proposals) > self._config.proposals_kept_max:
            self._proposals.popitem(last=False)
        row = selection_row(choice, adaptation=0, reason=None, created_ns=now_ns)
        return Effects(records=[row], answer=choice.recommendation)

    def _created(self, fact: OrderCreated, now_ns: int) -> Effects:
        order = fact.order
        self._orders[order.order_id] = WorkedOrder(order=order, arrival=fact.arrival)
        if order.instructions.algorithm is not None and order.instructions.selection_id is None:
            return Effects()
        return self._select(order.order_id, fact.arrival, now_ns)

    def _select(self, order_id: str, market: MarketSnapshot, now_ns: int) -> Effects:
        """The first selection of an order: its proposal, or a fresh one; later if the market has no quote yet."""
        worked = self._orders.get(order_id)
        if worked is None or worked.selections or worked.state.is_final:
            return Effects()
        try:
            wanted = profile_of_order(worked.order, self._reference, now_ns)
            choice, reason = self._proposed_or_fresh(worked, wanted, market, now_ns)
        except StaleMarketData:
            retry_ns = now_ns + round(self._config.retry_seconds * NS_PER_SECOND)
            return Effects(timers=[Timer(order_id=order_id, name=_SELECT, at_ns=max(retry_ns, wanted.open_ns))])
        except BestexError as error:
            return self._reject(worked, f"no execution strategy: {error.message}", now_ns)
        return self._commit(worked, choice, 0, reason, now_ns)

    def _proposed_or_fresh(
        self, worked: WorkedOrder, wanted: OrderProfile, market: MarketSnapshot, now_ns: int
    ) -> tuple[Choice, str | None]:
        selection_id = worked.order.instructions.selection_id
        if selection_id is None:
            return self._choose(wanted, market, None, now_ns), None
        proposal = self._proposals.get(selection_id)
        if proposal is not None:
            why = mismatch(proposal, wanted, now_ns, self._config)
            if why is None:
                del self._proposals[selection_id]
                self._committed_by[selection_id] = worked.order.order_id
                return committed(proposal.choice, wanted), None
        elif (owner := self._committed_by.get(selection_id)) is not None:
            why = f"order {owner} has committed it"
        else:
            why = "it is not known"
        choice = self._choose(wanted, market, None, now_ns)
        return choice, f"selection {selection_id} could not be taken: {why}"

    def _adapt(self, request: AdaptStrategy, now_ns: int) -> Effects:
        worked = self._orders.get(request.order_id)
        if worked is None:
            raise Conflict(
                f"order {request.order_id} is not known to the strategy service",
                field="order_id",
                value=request.order_id,
                expected="an order that is being worked",
            )
        if worked.state.is_final:
            raise Conflict(
                f"order {request.order_id} is {worked.state}: there is nothing left to adapt",
                field="order_id",
                value=worked.state,
                expected="an order that is being worked",
            )
        before, order = worked.profile, worked.order
        given = request.constraints
        if before is not None:
            standing = msgspec.structs.replace(before.constraints, time_limit_minutes=None)
            given = standing if given is None else tighter(standing, given, order.side)
        profile = profile_of_order(
            order,
            self._reference,
            now_ns,
            quantity=_remaining(worked, request.remaining_quantity),
            objective=request.objective or (before.objective if before else None),
            urgency=request.urgency or order.instructions.urgency,
            constraints=given,
            end_time_ns=before.end_ns if before is not None and before.end_is_fixed else None,
        )
        choice = self._choose(profile, request.market, request.market_context, now_ns)
        answer = msgspec.structs.replace(choice.recommendation, status="COMMITTED")
        choice = Choice(recommendation=answer, profile=profile)
        return self._commit(worked, choice, worked.adaptations + 1, request.reason, now_ns)

    def _choose(
        self, profile: OrderProfile, market: MarketSnapshot, context: MarketContext | None, now_ns: int
    ) -> Choice:
        curve, sessions = self._curve(profile)
        # Counted within an instant: an id must not depend on proposals that a restart need not compute again.
        made_ns, made = self._made.get(profile.order_id, (now_ns, 0))
        count = made + 1 if made_ns == now_ns else 1
        choice = recommended(
            profile,
            market,
            context,
            selection_id=time_ordered_uuid(now_ns, "selection", profile.order_id, count),
            entries=self._entries(),
            curve=curve,
            sessions=sessions,
            config=self._config,
            draws=self._draws,
        )
        self._made[profile.order_id] = (now_ns, count)
        return choice

    def _entries(self) -> tuple[CatalogueEntry, ...]:
        """The catalogue as the algorithm service can work it."""
        if self._workable is None:
            self._workable = tuple(
                replace(entry, enabled=entry.enabled and entry.algorithm not in self._algorithms_off)
                for entry in self._catalogue.entries
            )
        return self._workable

    def _curve(self, profile: OrderProfile) -> tuple[Any, SessionCurve]:
        instrument_id = profile.instrument.instrument_id
        known = self._curves.get(instrument_id)
        if known is None or known[0] != profile.open_ns:
            curve = self._reference.volume_curve(instrument_id, profile.open_ns)
            known = (profile.open_ns, curve, session_curve(curve, profile.open_ns, profile.close_ns))
            self._curves[instrument_id] = known
        return known[1], known[2]

    # -- committing and following ------------------------------------------------------------------------------------

    def _commit(self, worked: WorkedOrder, choice: Choice, adaptation: int, reason: str | None, now_ns: int) -> Effects:
        answer = msgspec.structs.replace(choice.recommendation, status="COMMITTED")
        choice = Choice(recommendation=answer, profile=choice.profile)
        row = selection_row(choice, adaptation=adaptation, reason=reason, created_ns=now_ns)
        self._orders[worked.order.order_id] = replace(
            worked,
            profile=choice.profile,
            selections=(*worked.selections, row),
            recommendations=(*worked.recommendations, answer),
            adaptations=adaptation,
        )
        fact = ExecutionStrategySelected(
            order_id=answer.order_id,
            selection_id=answer.selection_id,
            recommended_strategy=answer.recommended_strategy,
            strategy_rationale=answer.strategy_rationale,
            expected_outcomes=answer.expected_outcomes,
            confidence=answer.confidence,
            adaptation=adaptation,
            reason=reason,
            deadline_time_ns=choice.profile.end_ns if choice.profile.end_is_fixed else None,
        )
        return Effects(events=[(answer.order_id, fact)], records=[row], answer=answer)

    def _reject(self, worked: WorkedOrder, reason: str, now_ns: int) -> Effects:
        order = worked.order
        self._orders[order.order_id] = replace(worked, state=ParentState.REJECTED)
        fact = ExecutionCompleted(
            order_id=order.order_id,
            state=ParentState.REJECTED,
            quantity=order.quantity,
            filled_quantity=Decimal(0),
            unfilled_quantity=order.quantity,
            average_fill_price=None,
            notional=Decimal(0),
            fees=Decimal(0),
            started_ns=None,
            completed_ns=now_ns,
            child_orders=0,
            reason=reason,
        )
        return Effects(events=[(order.order_id, fact)])

    def _change(self, order_id: str, change: Any) -> Effects:
        worked = self._orders.get(order_id)
        if worked is not None:
            self._orders[order_id] = change(worked)
        return Effects()

    def _progress(self, order_id: str, filled: Decimal, state: ParentState) -> Effects:
        worked = self._orders.get(order_id)
        if worked is None or worked.state.is_final:
            return Effects()
        self._orders[order_id] = replace(worked, filled_quantity=filled, state=state)
        waits = state.is_final and not worked.selections
        return Effects(timers=[Timer(order_id=order_id, name=_SELECT)] if waits else [])

    def _score(self, fact: TradeExecuted) -> Effects:
        """Once per order, against its first selection: that is what the client was promised for the whole order."""
        order_id = fact.execution.order_id
        worked = self._orders.get(order_id)
        if worked is None or worked.is_scored or not worked.selections:
            return Effects()
        expected = worked.recommendations[0].expected_outcomes
        realised = realised_outcome(fact)
        first = joined(worked.selections[0], expected, realised, worked.measured, worked.adaptations)
        records: list[Record] = [first]
        if realised.cost is not None:
            completed_ns = fact.timing.completion_time_ns
            key = (first.strategy_name, execution_date(completed_ns))
            self._performance[key] = rolled_up(
                self._performance.get(key), first.strategy_name, expected, realised, completed_ns
            )
            records.append(self._performance[key])
        self._orders[order_id] = replace(worked, selections=(first, *worked.selections[1:]), is_scored=True)
        return Effects(records=records)


def _remaining(worked: WorkedOrder, asked: Decimal | None) -> Decimal:
    """What is left to work.

    Raises:
        InvalidOrder: if more is asked for than is left. Conflict: if nothing is left.
    """
    left = worked.order.quantity - worked.filled_quantity
    if left <= 0:
        raise Conflict(
            f"order {worked.order.order_id} is filled: there is nothing left to adapt",
            field="order_id",
            value=worked.order.order_id,
        )
    if asked is not None and asked > left:
        raise InvalidOrder(
            f"remaining_quantity {asked} is more than the {left} left of order {worked.order.order_id}",
            field="remaining_quantity",
            value=asked,
            expected=f"at most {left}",
        )
    return left if asked is None else asked
