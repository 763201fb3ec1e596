"""The decision engine: what it refuses, what it remembers, and stories small enough to check by hand."""

from typing import Any

import numpy as np
import pytest

from bestex.native.decision import (
    AlgorithmCode,
    BestPrice,
    DecisionEngine,
    IntentKind,
    PriceWatch,
    SideCode,
    StyleCode,
    Wake,
    price_watch,
)


def engine(**changes: Any) -> DecisionEngine:
    """Buy 20 lots in two slices of 1000 ns."""
    parameters: dict[str, Any] = {
        "algorithm": AlgorithmCode.TWAP,
        "style": StyleCode.BALANCED,
        "side": SideCode.BUY,
        "quantity": 20,
        "start": 0,
        "end": 2000,
        "slices": 2,
        "curve": np.array([0.5, 1.0]),
    }
    return DecisionEngine(**{**parameters, **changes})


def step(
    e: DecisionEngine, now: int, wake: Wake, *, filled: int = 0, live: int = 0, pending: bool = False, others: int = 0
) -> Any:
    return e.decide(filled, live, pending, now, 99, 101, 50, 50, others, wake)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slices": 0}, "slices is 0; expected at least 1"),
        ({"quantity": 0}, "quantity is 0; expected at least 1 lot"),
        ({"end": 0}, "end is 0; expected a time after start, which is 0"),
        ({"end": 1}, "end - start is 1; expected at least one nanosecond per slice"),
        ({"participation_rate": 0.0}, "participation_rate is 0.0"),
        ({"participation_rate": 1.5}, "participation_rate is 1.5"),
        ({"participation_rate": float("nan")}, "participation_rate is nan"),
        ({"algorithm": AlgorithmCode.PARTICIPATION_RATE}, "below 1 for PARTICIPATION_RATE"),
        ({"curve": np.array([0.6, 0.5])}, r"curve\[1\] is 0.5"),
        ({"curve": np.array([0.5, 0.9])}, "the last value of curve is 0.9.*exactly 1"),
        ({"curve": np.array([float("nan"), 1.0])}, r"curve\[0\] is nan"),
        ({"curve": np.array([1.0])}, "curve is 1 values long; expected 2, one per slice"),
        ({"child_quantity_max": 0}, "child_quantity_max is 0"),
        ({"style": 4}, "style is 4; expected a code from 0 to 3"),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_value(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        engine(**change)


def test_balanced_posts_then_crosses_what_is_left_once_the_cancel_is_answered() -> None:
    e = engine()
    assert step(e, 0, Wake.START) == (((IntentKind.POST_ONLY, 10, 99),), 1000, None, 10)
    assert step(e, 500, Wake.FILL, filled=4, live=6)[0] == ()
    intents, _, _, target = step(e, 1000, Wake.TIMER, filled=4, live=6)
    assert intents == ((IntentKind.CANCEL_ALL, 0, None), (IntentKind.POST_ONLY, 10, 99))
    assert target == 20
    assert step(e, 1001, Wake.FILL, filled=5, live=15, pending=True)[0] == ()
    assert step(e, 1002, Wake.CHILD_DONE, filled=5, live=10)[0] == ((IntentKind.MARKET, 5, None),)


def test_a_saved_state_goes_on_in_another_engine() -> None:
    first, second = engine(), engine()
    step(first, 0, Wake.START)
    second.state = first.state
    assert step(first, 1000, Wake.TIMER, live=10) == step(second, 1000, Wake.TIMER, live=10)
    assert first.state == second.state != engine().state


def test_a_state_of_another_schedule_is_refused() -> None:
    e = engine()
    with pytest.raises(ValueError, match="state slice is 7"):
        e.state = (7, 0, False, 0, 0, 0, 0)


def test_after_the_end_what_is_live_is_cancelled_and_the_order_is_done_once_it_is_gone() -> None:
    e = engine()
    assert step(e, 2000, Wake.TIMER, live=10)[:2] == (((IntentKind.CANCEL_ALL, 0, None),), None)
    assert not e.done
    step(e, 2001, Wake.CHILD_DONE)
    assert e.done
    assert step(e, 2002, Wake.TIMER)[0] == ()


def test_before_the_start_nothing_is_sent() -> None:
    assert step(engine(start=100), 0, Wake.START) == ((), 100, None, 0)


def test_a_capped_order_waits_for_volume_and_then_sends_no_more_than_it_allows() -> None:
    e = engine(style=StyleCode.AGGRESSIVE, participation_rate=0.25)  # one of ours to three of theirs
    assert step(e, 0, Wake.START) == ((), 1000, 30, 10)
    assert step(e, 10, Wake.VOLUME, others=30)[0] == ((IntentKind.MARKET, 10, None),)
    assert step(e, 1000, Wake.TIMER, filled=10, others=44)[0] == ((IntentKind.MARKET, 4, None),)


def test_after_a_drought_catching_up_is_limited_to_twice_the_rate() -> None:
    e = engine(
        algorithm=AlgorithmCode.PARTICIPATION_RATE, style=StyleCode.AGGRESSIVE, participation_rate=0.5, limit=100
    )
    assert step(e, 10, Wake.VOLUME, others=18)[0] == ()  # the ask of 101 is beyond the limit
    intents = e.decide(0, 0, False, 20, 98, 100, 5, 5, 20, Wake.VOLUME)[0]
    assert intents == ((IntentKind.LIMIT, 4, 100),)  # 20 are allowed by now; twice the 2 traded since are sent


def test_a_refused_child_is_not_sent_again_before_the_next_timer() -> None:
    e = engine(style=StyleCode.AGGRESSIVE)
    step(e, 0, Wake.START)
    assert step(e, 1, Wake.CHILD_DONE)[:2] == ((), 1000)
    assert step(e, 1000, Wake.TIMER)[0] == ((IntentKind.MARKET, 20, None),)


def test_an_order_made_smaller_than_what_is_sent_takes_it_back() -> None:
    big, small = engine(), engine(quantity=6)
    step(big, 0, Wake.START)
    small.state = big.state
    assert step(small, 10, Wake.RESUME, filled=2, live=8)[0] == ((IntentKind.CANCEL_ALL, 0, None),)
    assert step(small, 11, Wake.CHILD_DONE, filled=2)[0] == ((IntentKind.POST_ONLY, 1, 99),)  # target 3 of 6


def test_a_passive_order_asks_for_changes_of_the_touch_only_while_something_rests() -> None:
    e = engine(style=StyleCode.PASSIVE, follows_price=True)
    step(e, 0, Wake.START)
    assert price_watch(e).changes == 1 << BestPrice.NEAR
    step(e, 10, Wake.BEST_PRICE, live=10)
    assert price_watch(e).changes == 1 << BestPrice.NEAR
    step(e, 20, Wake.CHILD_DONE)
    assert price_watch(e).changes == 0


@pytest.mark.parametrize("side", list(SideCode))
def test_what_a_limit_holds_back_asks_for_the_price_at_which_it_may_go(side: SideCode) -> None:
    limit = 100
    e = engine(style=StyleCode.AGGRESSIVE, side=side, limit=limit, follows_price=True)
    assert step(e, 0, Wake.START)[0] == ()  # the quote is 99 - 101
    assert price_watch(e) == PriceWatch(0, 2 * limit, BestPrice.FAR, side == SideCode.SELL)
    assert e.decide(0, 0, False, 10, 100, 100, 5, 5, 0, Wake.PRICE)[0] == ((IntentKind.LIMIT, 10, 100),)
    assert price_watch(e).level_half_ticks is None


def test_no_order_asks_for_prices_unless_told_to() -> None:
    e = engine(style=StyleCode.PASSIVE, limit=98)
    step(e, 0, Wake.START)
    assert price_watch(e) == PriceWatch(0, None, BestPrice.NEAR, False)
