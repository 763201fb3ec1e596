"""Numbers small enough to check by hand."""

from decimal import Decimal

import numpy as np
import pytest

from bestex.quant.benchmarks import (
    interval_twap,
    interval_vwap,
    interval_vwap_without_own,
    participation_rate,
    participation_weighted_price,
    slippage_bps,
    timing_risk,
)
from bestex.quant.markouts import fill_markouts_bps, mid_markouts_bps, reversion_bps, share_weighted_means
from bestex.quant.spreads import (
    at_or_better_share,
    effective_over_quoted,
    effective_spreads,
    far_touch,
    near_touch,
    outside_quote,
    price_improvements,
    quoted_spreads,
    spread_captures,
    weighted_mean,
)

NAN = float("nan")


def test_a_buy_filled_above_arrival_has_positive_slippage() -> None:
    assert slippage_bps(side_sign=1, price=Decimal("100.05"), benchmark=Decimal(100)) == pytest.approx(5.0)
    assert slippage_bps(side_sign=-1, price=Decimal("100.05"), benchmark=Decimal(100)) == pytest.approx(-5.0)


def test_slippage_against_a_price_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not positive"):
        slippage_bps(side_sign=1, price=Decimal(1), benchmark=Decimal(0))


def test_vwap_without_own_prints_is_the_others_average() -> None:
    # we bought 10 at 11, others 30 at 9
    assert interval_vwap(notional=Decimal(380), volume=Decimal(40)) == Decimal("9.5")
    assert interval_vwap_without_own(
        notional=Decimal(380), volume=Decimal(40), own_notional=Decimal(110), own_volume=Decimal(10)
    ) == Decimal(9)


def test_own_against_market_slippage_is_one_less_the_share_times_the_other() -> None:
    """Identity of number 6: (own - market) = (1 - p)(own - ex-own)."""
    own, market, others, share = Decimal(11), Decimal("9.5"), Decimal(9), Decimal("0.25")
    assert own - market == (1 - share) * (own - others)


def test_benchmarks_without_volume_or_quotes_are_none() -> None:
    assert interval_vwap(notional=Decimal(0), volume=Decimal(0)) is None
    assert interval_twap(mid_time_integral=Decimal(0), mid_seconds=Decimal(0)) is None
    assert participation_rate(own_volume=Decimal(0), market_volume=Decimal(0)) is None


def test_more_own_volume_than_the_market_had_is_bad_data() -> None:
    assert participation_rate(own_volume=Decimal(11), market_volume=Decimal(10)) is None
    assert participation_rate(own_volume=Decimal(1), market_volume=Decimal(10)) == 0.1


def test_the_participation_weighted_price_uses_a_part_of_the_last_print() -> None:
    # 10 at 10 % needs 100 units: 60 at 20 and 40 of 80 at 21
    price = participation_weighted_price(
        trade_prices=np.array([20.0, 21.0]), trade_quantities=np.array([60.0, 80.0]), quantity=10, participation=0.1
    )
    assert price == pytest.approx(20.4)


def test_the_participation_weighted_price_is_nan_where_the_tape_ends_before() -> None:
    price = participation_weighted_price(
        trade_prices=np.array([20.0]), trade_quantities=np.array([99.0]), quantity=10, participation=0.1
    )
    assert np.isnan(price)


def test_timing_risk_of_a_whole_session_is_the_daily_volatility_over_root_three() -> None:
    assert timing_risk(daily_volatility=0.03, session_fraction=1.0) == pytest.approx(0.03 / 3**0.5)


def test_markouts_are_positive_when_the_market_moved_our_way() -> None:
    after = np.array([[101.0, NAN], [99.0, 100.0]])
    signs, mids = np.array([1.0, -1.0]), np.array([100.0, 100.0])
    moved = mid_markouts_bps(side_signs=signs, mids_at_fill=mids, mids_after=after)
    assert moved[:, 0] == pytest.approx([100.0, 100.0])
    assert np.isnan(moved[0, 1])
    assert moved[1, 1] == 0
    fills = fill_markouts_bps(side_signs=signs, prices=np.array([100.5, 100.0]), mids_after=after)
    assert fills[0, 0] == pytest.approx(0.5 / 100.5 * 1e4)


def test_an_unobserved_markout_lowers_the_observed_share_and_not_the_mean() -> None:
    means, covered = share_weighted_means(np.array([[2.0, NAN], [4.0, NAN]]), np.array([3.0, 1.0]))
    assert means[0] == pytest.approx(2.5)
    assert np.isnan(means[1])
    assert covered == pytest.approx([1.0, 0.0])


def test_a_price_that_falls_back_after_a_buy_is_positive_reversion() -> None:
    assert reversion_bps(side_sign=1, mid_at_end=100.0, mid_after=99.9) == pytest.approx(10.0)


class TestOneBuyAtEachPlaceOfTheQuote:
    """Bid 10.0, ask 10.2: at the ask, at the mid, at the bid, above the ask; and one without a quote, one crossed."""

    signs = np.ones(6)
    prices = np.array([10.2, 10.1, 10.0, 10.3, 10.1, 10.1])
    bids = np.array([10.0, 10.0, 10.0, 10.0, NAN, 10.2])
    asks = np.array([10.2, 10.2, 10.2, 10.2, 10.2, 10.1])
    sizes = np.ones(6)

    def test_effective_spread_is_twice_the_distance_from_the_mid(self) -> None:
        effective = effective_spreads(self.signs, self.prices, self.bids, self.asks)
        assert effective[:4] == pytest.approx([0.2, 0.0, -0.2, 0.4])
        assert np.isnan(effective[4:]).all()

    def test_quoted_spread_leaves_out_missing_and_crossed_quotes(self) -> None:
        quoted = quoted_spreads(self.bids, self.asks)
        assert quoted[:4] == pytest.approx(0.2)
        assert np.isnan(quoted[4:]).all()

    def test_capture_is_zero_at_the_far_touch_half_at_the_mid_one_at_the_near(self) -> None:
        capture = spread_captures(self.signs, self.prices, self.bids, self.asks)
        assert capture[:4] == pytest.approx([0.0, 0.5, 1.0, -0.5])

    def test_improvement_and_outside_are_never_negative(self) -> None:
        assert price_improvements(self.signs, self.prices, self.bids, self.asks)[:4] == pytest.approx([0, 0.1, 0.2, 0])
        assert outside_quote(self.signs, self.prices, self.bids, self.asks)[:4] == pytest.approx([0, 0, 0, 0.1])

    def test_at_or_better_counts_quoted_fills_alone(self) -> None:
        assert at_or_better_share(self.signs, self.prices, self.bids, self.asks, self.sizes) == 0.75

    def test_effective_over_quoted_is_a_ratio_of_sums(self) -> None:
        # (0.2 + 0 - 0.2 + 0.4) / (4 x 0.2)
        ratio = effective_over_quoted(self.signs, self.prices, self.bids, self.asks, self.sizes)
        assert ratio == pytest.approx(0.5)

    def test_a_seller_takes_the_bid_and_posts_at_the_ask(self) -> None:
        assert far_touch(-self.signs, self.bids, self.asks)[0] == 10.0
        assert near_touch(-self.signs, self.bids, self.asks)[0] == 10.2


def test_a_mean_of_nothing_is_nan() -> None:
    assert np.isnan(weighted_mean(np.array([NAN]), np.array([1.0])))
