#include "bestex/generated_market.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace bestex::generated {

using matching::any_price;
using matching::MatchEvent;
using matching::MatchKind;
using matching::MatchReason;

namespace {

constexpr std::uint64_t own_bit = 1ull << 63;
constexpr std::uint32_t desk_owner = 1;
constexpr std::uint32_t book_levels = 16'384;
constexpr Nanoseconds minute = 60'000'000'000;
constexpr double minutes_per_full_session = 390.0;

// Shape of the day: an opening and a closing burst over a flat middle.
constexpr double flat = 0.60, opening = 1.80, opening_width = 0.06, closing = 2.20, closing_width = 0.05;

constexpr double market_order_share = 0.09;  // of all instants
constexpr double news_share = 0.12;          // instants at which the efficient price hears something
constexpr double news_variance = 0.70;       // share of the day's variance from news; the rest is in the order flow
constexpr double arbitrage_share = 0.25;     // of stale quotes are hit; the others move away in time
constexpr int stale_quotes_per_instant = 8;

// Signs of market orders: chains that keep their sign with different persistence; their mixture has a long memory.
// The price moves with the surprise in the sign only, so the persistence itself predicts no price.
constexpr std::array<double, 5> sign_persistence{0.0, 0.8, 0.95, 0.99, 0.998};
constexpr std::array<double, 5> sign_weights{0.30, 0.25, 0.20, 0.15, 0.10};

double mean_surprise_variance() {
    double sum = 0.0;
    for (std::size_t i = 0; i < sign_weights.size(); ++i)
        sum += sign_weights[i] * (1.0 - sign_persistence[i] * sign_persistence[i]);
    return sum;
}

Ticks lowest_price(double opening_price) {
    return std::max<Ticks>(1, static_cast<Ticks>(std::llround(opening_price)) - book_levels / 2);
}

void check(const GeneratedMarketParameters& p) {
    const auto require = [](bool holds, const char* what) {
        if (!holds) throw std::invalid_argument(what);
    };
    require(p.open > 0 && p.close < (Nanoseconds{1} << 62), "the session must lie between 1970 and 2116");
    require(p.close > p.open, "close must be after open");
    require(p.close - p.open <= 24 * 60 * minute, "a session must not be longer than 24 hours");
    require(p.opening_price >= 20.0 && p.opening_price <= 20'000'000.0, "opening_price must be 20 to 20,000,000 ticks");
    require(p.daily_volatility > 0.0 && p.daily_volatility < 1.0, "daily_volatility must be a fraction in (0, 1)");
    require(p.instants_per_day >= 100.0 && p.instants_per_day <= 2e7, "instants_per_day must be 100 to 20,000,000");
    require(p.half_spread > 0.0 && p.half_spread < 1'000.0, "half_spread must be in (0, 1000) ticks");
    require(p.order_size >= 1.0 && p.market_order_size >= 1.0 && p.dark_order_size >= 1.0, "mean sizes must be at least one lot");
    require(p.orders_per_side >= 1.0 && p.orders_per_side <= 10'000.0, "orders_per_side must be 1 to 10,000");
    require(p.order_size <= 1e7 && p.market_order_size <= 1e7 && p.dark_order_size <= 1e7, "mean sizes must be at most 10,000,000 lots");
    require(p.average_daily_volume >= 1.0 && p.average_daily_volume <= 1e15, "average_daily_volume must be 1 to 1e15 lots");
    require(p.impact >= 0.0 && p.impact <= 1'000.0, "impact must be 0 to 1000");
    require(p.dark_orders_per_day >= 0.0 && p.dark_orders_per_day <= 2e7, "dark_orders_per_day must be 0 to 20,000,000");
    double shares = 0.0;
    for (const double share : p.venue_shares) {
        require(share >= 0.0, "venue_shares must not be negative");
        shares += share;
    }
    require(std::fabs(shares - 1.0) < 1e-9, "venue_shares must sum to 1");
    for (const Nanoseconds latency : p.latency) require(latency >= 0 && latency < minute, "latency must be 0 ns to 1 minute");
    // The integral of bid + ask over the session must fit 63 bits.
    require(p.opening_price * 4.0 * static_cast<double>(p.close - p.open) < 9e18, "opening_price times session length is too large");
}

}  // namespace

double generated_volume_share(double f) {
    f = std::clamp(f, 0.0, 1.0);
    const auto area = [](double x) {
        return flat * x + opening * opening_width * (1.0 - std::exp(-x / opening_width)) +
               closing * closing_width * (std::exp((x - 1.0) / closing_width) - std::exp(-1.0 / closing_width));
    };
    return area(f) / area(1.0);
}

GeneratedMarket::GeneratedMarket(const GeneratedMarketParameters& p)
    : p_((check(p), p)),
      books_{MatchingEngine(lowest_price(p.opening_price), book_levels),
             MatchingEngine(lowest_price(p.opening_price), book_levels),
             MatchingEngine(lowest_price(p.opening_price), book_levels)},
      memory_(p.impact * p.daily_volatility * p.opening_price, p.average_daily_volume),
      efficient_(p.opening_price),
      tick_volatility_(p.opening_price * p.daily_volatility / std::sqrt(p.instants_per_day)),
      times_(p.seed, 1), acts_(p.seed, 2), places_(p.seed, 3), sizes_(p.seed, 4), news_(p.seed, 5), flow_(p.seed, 6),
      stale_(p.seed, 7), dark_times_(p.seed, 8), dark_(p.seed, 9), resort_(p.seed, 10),
      now_(INT64_MIN),
      quote_{p.open, no_price, no_price, 0, 0},
      quote_before_(quote_) {
    counters_.last_half_ticks = no_price;
    for (MatchingEngine& book : books_) book.set_midpoint(no_price);
    prepare_day();
}

void GeneratedMarket::prepare_day() {
    const CounterRandom slow(p_.seed, 20);
    const std::size_t minutes = static_cast<std::size_t>((p_.close - p_.open + minute - 1) / minute);
    const double day_instants = p_.instants_per_day * static_cast<double>(minutes) / minutes_per_full_session;
    constexpr double memory = 0.98, activity_sd = 0.20, day_sd = 0.15, volatility_sd = 0.25;
    const double fresh = std::sqrt(1.0 - memory * memory);
    const double day_level = day_sd * slow.normal(0);
    double activity = slow.normal(1), volatility = slow.normal(2);
    clock_.assign(1, 0.0);
    for (std::size_t m = 0; m < minutes; ++m) {
        activity = memory * activity + fresh * slow.normal(3 + 2 * m);
        volatility = memory * volatility + fresh * slow.normal(4 + 2 * m);
        const double level = day_level + activity_sd * activity - 0.5 * (day_sd * day_sd + activity_sd * activity_sd);
        const double share = generated_volume_share(static_cast<double>(m + 1) / static_cast<double>(minutes)) -
                             generated_volume_share(static_cast<double>(m) / static_cast<double>(minutes));
        clock_.push_back(clock_.back() + day_instants * share * std::exp(level));
        volatility_.push_back(std::exp(volatility_sd * volatility - volatility_sd * volatility_sd));
    }
    for (std::size_t i = 0; i < signs_.size(); ++i) signs_[i] = slow.bits(1'000'000 + i) & 1 ? 1 : -1;
}

// The wall time at which the clock shows an operational time; `never` beyond the close.
static Nanoseconds wall_time(const std::vector<double>& clock, double operational, Nanoseconds open, Nanoseconds close) {
    const auto after = std::upper_bound(clock.begin(), clock.end(), operational);
    if (after == clock.end()) return never;
    const double part = (operational - after[-1]) / (after[0] - after[-1]);
    const Nanoseconds start = open + (after - clock.begin() - 1) * minute;
    const Nanoseconds time = start + static_cast<Nanoseconds>(part * static_cast<double>(minute));
    return time < close ? time : never;
}

void GeneratedMarket::draw_next_instant() {
    operational_ += times_.exponential(instant_);
    next_instant_ = wall_time(clock_, operational_, p_.open, p_.close);
}

Nanoseconds GeneratedMarket::next_time() const {
    Nanoseconds time = arrivals_.empty() ? never : arrivals_.top().time;
    if (is_over_) return time;
    if (!is_open_) return std::min(time, p_.open);
    return std::min({time, next_instant_, next_dark_, p_.close});
}

void GeneratedMarket::step() {
    const Nanoseconds time = next_time();
    if (time == never) return;
    now_ = std::max(now_, time);
    quote_before_ = quote_;
    if (!is_open_ && !is_over_ && p_.open == time) {
        open_books();
    } else if (is_open_ && time == p_.close) {
        close_books();
    } else if (is_open_ && time == next_instant_) {
        instant();
    } else if (is_open_ && time == next_dark_) {
        dark_instant();
    } else {
        const Arrival arrival = arrivals_.top();
        arrivals_.pop();
        arrive(arrival);
    }
    refresh_quote();
}

void GeneratedMarket::run_until(Nanoseconds until) {
    while (next_time() <= until && next_time() != never) step();
    now_ = std::max(now_, until);
}

void GeneratedMarket::open_books() {
    is_open_ = true;
    const CounterRandom start(p_.seed, 21);
    std::uint64_t n = 0;
    for (std::size_t venue = 0; venue < lit_venues; ++venue)
        for (const Side side : {Side::buy, Side::sell})
            for (int i = 0; i < static_cast<int>(p_.orders_per_side); ++i, n += 3)
                add_order(venue, side, start.uniform(n), start.uniform(n + 1), start.uniform(n + 2));
    draw_next_instant();
    if (p_.dark_orders_per_day > 0.0) {
        dark_operational_ = dark_times_.exponential(0) * p_.instants_per_day / p_.dark_orders_per_day;
        next_dark_ = wall_time(clock_, dark_operational_, p_.open, p_.close);
    }
}

void GeneratedMarket::close_books() {
    for (const OwnOrder& order : own_) {
        report(order.handle, order.venue, OwnReportKind::expired, OwnReason::session_closed, order.quantity);
    }
    own_.clear();
    live_own_ = 0;
    pool_.clear();
    for (MatchingEngine& book : books_) book.clear();
    is_open_ = false;
    is_over_ = true;
}

void GeneratedMarket::instant() {
    ++counters_.instants;
    move_efficient_price();
    somebody_acts();
    impact_ticks_ = memory_.ticks(now_);
    resolve_stale_quotes();
    keep_both_sides();
    ++instant_;
    draw_next_instant();
}

double GeneratedMarket::half_spread_now() const {
    const double minutes_open = static_cast<double>(now_ - p_.open) / static_cast<double>(minute);
    return p_.half_spread * (1.0 + 1.2 * std::exp(-minutes_open / 12.0));
}

Lots GeneratedMarket::size(double mean, double draw) const {
    return 1 + static_cast<Lots>(-(mean - 0.5) * std::log(draw));
}

void GeneratedMarket::move_efficient_price() {
    const std::size_t now_minute =
        std::min(static_cast<std::size_t>((now_ - p_.open) / minute), volatility_.size() - 1);
    if (news_.uniform(3 * instant_) < news_share) {
        const double u = news_.uniform(3 * instant_ + 1), v = news_.uniform(3 * instant_ + 2);
        const double normal = std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
        efficient_ += tick_volatility_ * volatility_[now_minute] * std::sqrt(news_variance / news_share) * normal;
        efficient_ = std::max(efficient_, 2.0);
    }
}

void GeneratedMarket::somebody_acts() {
    const double act = acts_.uniform(4 * instant_), place = places_.uniform(2 * instant_);
    const double distance = places_.uniform(2 * instant_ + 1), how_much = sizes_.uniform(instant_);
    const double where = acts_.uniform(4 * instant_ + 1);
    const std::size_t venue = where < p_.venue_shares[0] ? 0 : where < p_.venue_shares[0] + p_.venue_shares[1] ? 1 : 2;
    if (act < market_order_share) {
        double pick = flow_.uniform(2 * instant_);
        std::size_t chain = 0;
        while (chain + 1 < sign_weights.size() && pick >= sign_weights[chain]) pick -= sign_weights[chain++];
        const int before = signs_[chain];
        if (flow_.uniform(2 * instant_ + 1) >= 0.5 * (1.0 + sign_persistence[chain])) signs_[chain] = -before;
        const double surprise = signs_[chain] - sign_persistence[chain] * before;
        const Side side = signs_[chain] > 0 ? Side::buy : Side::sell;
        const Ticks best = side == Side::buy ? quote_.ask : quote_.bid;
        if (best != no_price) market_order(side, size(p_.market_order_size, how_much), best + 2 * sign(side), venue);
        static const double scale = std::sqrt((1.0 - news_variance) / (market_order_share * mean_surprise_variance()));
        efficient_ += tick_volatility_ * scale * surprise;
        return;
    }
    const Side side = acts_.bits(4 * instant_ + 2) & 1 ? Side::buy : Side::sell;
    const double standing = static_cast<double>(standing_[venue][static_cast<int>(side)]);
    const double keep = p_.orders_per_side / (p_.orders_per_side + standing);
    if (acts_.uniform(4 * instant_ + 3) < keep) add_order(venue, side, distance, place, how_much);
    else cancel_order(venue, side);
}

// Takes from the best venue first; a tie goes to `first_venue`.
void GeneratedMarket::market_order(Side side, Lots quantity, Ticks limit, std::size_t first_venue) {
    for (std::size_t tries = 0; tries < 2 * lit_venues && quantity > 0; ++tries) {
        std::size_t best_venue = lit_venues;
        Ticks best = no_price;
        for (std::size_t i = 0; i < lit_venues; ++i) {
            const std::size_t venue = (first_venue + i) % lit_venues;
            const Ticks price = side == Side::buy ? books_[venue].best_ask() : books_[venue].best_bid();
            if (price == no_price || sign(side) * (limit - price) < 0) continue;
            if (best_venue == lit_venues || sign(side) * (best - price) > 0) {
                best_venue = venue;
                best = price;
            }
        }
        if (best_venue == lit_venues) return;
        const Lots volume_before = counters_.volume;
        send(best_venue, OperationKind::immediate, side, best, quantity, next_id_++);
        quantity -= counters_.volume - volume_before;
    }
}

void GeneratedMarket::add_order(std::size_t venue, Side side, double distance_draw, double place_draw, double size_draw) {
    const double half = half_spread_now();
    Ticks away = 0;
    if (distance_draw > 0.5) {
        const double tail = 2.0 * (distance_draw - 0.5);
        away = 1 + static_cast<Ticks>(std::min(60.0, (half + 4.0 * tick_volatility_) * (std::pow(1.0 - tail, -0.8) - 1.0)));
    }
    // Our own fills may drive the price out of any ladder; what does not fit 32 bits must still be refused as such.
    const double view = std::clamp(reference_price() + (place_draw - 0.5) * half, -1e9, 1e9);
    const Ticks price = side == Side::buy ? static_cast<Ticks>(std::floor(view - half)) - away
                                          : static_cast<Ticks>(std::ceil(view + half)) + away;
    const std::uint64_t id = next_id_++;
    send(venue, OperationKind::post_only, side, price, size(p_.order_size, size_draw), id);
    if (books_[venue].open_quantity(id) > 0) resting_[venue][static_cast<int>(side)].push_back({id, price});
}

// Orders far from the market are given up first: of up to three drawn, the farthest goes.
void GeneratedMarket::cancel_order(std::size_t venue, Side side) {
    std::vector<Resting>& orders = resting_[venue][static_cast<int>(side)];
    std::uint64_t farthest = 0;
    Ticks farthest_price = 0;
    const int wanted = places_.uniform(2 * instant_) < 0.5 ? 1 : 3;
    int seen = 0;
    for (std::uint64_t n = 0; n < 12 && seen < wanted && !orders.empty(); ++n) {
        const std::size_t at = mixed(places_.bits(2 * instant_ + 1) + n) % orders.size();
        const Resting order = orders[at];
        if (books_[venue].open_quantity(order.id) == 0) {
            orders[at] = orders.back();
            orders.pop_back();
            continue;
        }
        ++seen;
        if (farthest == 0 || sign(side) * (farthest_price - order.price) > 0) {
            farthest = order.id;
            farthest_price = order.price;
        }
    }
    if (farthest != 0) send(venue, OperationKind::cancel, side, 0, 0, farthest);
}

// A quote that the efficient price has overtaken is hit by somebody faster, or its maker moves it away in time.
void GeneratedMarket::resolve_stale_quotes() {
    const double margin = 0.5 * half_spread_now(), price_now = reference_price();
    for (int n = 0; n < stale_quotes_per_instant; ++n) {
        std::size_t stale_venue = lit_venues;
        Side stale_side = Side::buy;
        double worst = 0.0;
        Ticks price = no_price;
        for (std::size_t venue = 0; venue < lit_venues; ++venue) {
            for (const Side side : {Side::buy, Side::sell}) {
                const Ticks best = side == Side::buy ? books_[venue].best_bid() : books_[venue].best_ask();
                if (best == no_price) continue;
                const double beyond = sign(side) * (static_cast<double>(best) - price_now) + margin;
                if (beyond > worst) {
                    worst = beyond;
                    stale_venue = venue;
                    stale_side = side;
                    price = best;
                }
            }
        }
        if (stale_venue == lit_venues) return;
        const std::uint64_t counter = 4 * (instant_ * stale_quotes_per_instant + static_cast<std::uint64_t>(n));
        const std::uint64_t first = books_[stale_venue].first_order_at(stale_side, price);
        if (stale_.uniform(counter) < arbitrage_share) {
            send(stale_venue, OperationKind::immediate, opposite(stale_side), price,
                 size(p_.market_order_size, stale_.uniform(counter + 1)), next_id_++);
        } else if ((first & own_bit) == 0) {
            send(stale_venue, OperationKind::cancel, stale_side, 0, 0, first);
            add_order(stale_venue, stale_side, stale_.uniform(counter + 1), stale_.uniform(counter + 2),
                      stale_.uniform(counter + 3));
        } else {
            return;
        }
    }
}

// A maker of last resort: others always quote both sides, if only one order.
void GeneratedMarket::keep_both_sides() {
    for (const Side side : {Side::buy, Side::sell}) {
        std::int64_t standing = 0;
        for (const auto& venue : standing_) standing += venue[static_cast<int>(side)];
        if (standing > 0) continue;
        const std::uint64_t counter = 4 * (2 * instant_ + static_cast<std::uint64_t>(side));
        const std::size_t venue = static_cast<std::size_t>(resort_.bits(counter) % lit_venues);
        add_order(venue, side, resort_.uniform(counter + 1), resort_.uniform(counter + 2), resort_.uniform(counter + 3));
    }
}

void GeneratedMarket::dark_instant() {
    const std::uint64_t n = dark_instant_++;
    dark_operational_ += dark_times_.exponential(dark_instant_) * p_.instants_per_day / p_.dark_orders_per_day;
    next_dark_ = wall_time(clock_, dark_operational_, p_.open, p_.close);
    std::erase_if(pool_, [this](const DarkOrder& order) { return order.expires <= now_; });
    // Ours may have become eligible since they came: the mid has moved.
    for (std::size_t i = 0; i < pool_.size(); ++i) {
        if ((pool_[i].id & own_bit) == 0) continue;
        DarkOrder again = pool_[i];
        pool_.erase(pool_.begin() + static_cast<std::ptrdiff_t>(i));
        const std::size_t size_before = pool_.size();
        dark_order(again);
        if (pool_.size() != size_before + 1 || pool_.back().id != again.id) break;
        std::rotate(pool_.begin() + static_cast<std::ptrdiff_t>(i), pool_.end() - 1, pool_.end());
    }
    const double with_flow = dark_.uniform(4 * n);
    const bool is_buy = with_flow < 0.3 ? signs_[3] > 0 : (dark_.bits(4 * n + 1) & 1) != 0;
    constexpr double mean_life = 15e9;
    dark_order({next_id_++, no_price, size(p_.dark_order_size, dark_.uniform(4 * n + 2)),
                now_ + 1 + static_cast<Nanoseconds>(-mean_life * std::log(dark_.uniform(4 * n + 3))),
                is_buy ? Side::buy : Side::sell});
}

// Meets the other side's resting orders at the consolidated mid, oldest first; what is left rests.
void GeneratedMarket::dark_order(DarkOrder order) {
    const bool has_mid = quote_.bid != no_price && quote_.ask != no_price && quote_.bid < quote_.ask;
    const Ticks mid = has_mid ? quote_.bid + quote_.ask : no_price;
    const auto accepts = [&](const DarkOrder& o) {
        return o.limit == no_price || sign(o.side) * (2 * o.limit - mid) >= 0;
    };
    if (has_mid && accepts(order)) {
        for (std::size_t i = 0; i < pool_.size() && order.remaining > 0;) {
            DarkOrder& rests = pool_[i];
            const bool are_both_ours = (rests.id & own_bit) && (order.id & own_bit);
            if (rests.side == order.side || rests.expires <= now_ || are_both_ours || !accepts(rests)) {
                ++i;
                continue;
            }
            const Lots quantity = std::min(rests.remaining, order.remaining);
            rests.remaining -= quantity;
            order.remaining -= quantity;
            const DarkOrder maker = rests;
            if (maker.remaining == 0) pool_.erase(pool_.begin() + static_cast<std::ptrdiff_t>(i));
            trade(dark_venue, maker.id, order.id, mid, quantity, maker.side, true);
        }
    }
    if (order.remaining > 0) pool_.push_back(order);
}

void GeneratedMarket::submit(const OwnOrder& order, Nanoseconds time) {
    if (!handles_.insert(order.handle).second) throw std::invalid_argument("this handle was submitted before; each order needs its own");
    const Nanoseconds arrival = std::max(time + p_.latency[order.venue], now_);
    arrivals_.push({arrival, sequence_++, order, false});
}

void GeneratedMarket::cancel(std::uint64_t handle, std::uint8_t venue, Nanoseconds time) {
    const Nanoseconds arrival = std::max(time + p_.latency[venue], now_);
    arrivals_.push({arrival, sequence_++, {handle, venue, Side::buy, OwnOrderKind::limit, no_price, 0}, true});
}

void GeneratedMarket::arrive(const Arrival& arrival) {
    const OwnOrder& order = arrival.order;
    const std::uint64_t id = own_bit | order.handle;
    if (arrival.is_cancel) {
        const auto live = std::find_if(own_.begin(), own_.end(), [&](const OwnOrder& o) { return o.handle == order.handle; });
        if (live == own_.end()) return;
        if (live->venue != dark_venue) return send(live->venue, OperationKind::cancel, live->side, 0, 0, id);
        std::erase_if(pool_, [&](const DarkOrder& o) { return o.id == id; });
        report(order.handle, dark_venue, OwnReportKind::cancelled, OwnReason::asked, live->quantity);
        own_.erase(live);
        --live_own_;
        return;
    }
    if (!is_open_) {
        return report(order.handle, order.venue, OwnReportKind::rejected, OwnReason::session_closed, order.quantity);
    }
    own_.push_back(order);
    ++live_own_;
    const auto drop = [&](OwnReportKind kind, OwnReason reason) {
        const auto live = std::find_if(own_.begin(), own_.end(), [&](const OwnOrder& o) { return o.handle == order.handle; });
        if (live == own_.end()) return;
        report(order.handle, order.venue, kind, reason, live->quantity);
        own_.erase(live);
        --live_own_;
    };
    if (order.venue == dark_venue) {
        if (order.kind == OwnOrderKind::post_only) return drop(OwnReportKind::rejected, OwnReason::would_cross);
        report(order.handle, order.venue, OwnReportKind::acknowledged, OwnReason::none, order.quantity);
        dark_order({id, order.price, order.quantity, never, order.side});
        if (order.kind == OwnOrderKind::market || order.kind == OwnOrderKind::immediate) {
            std::erase_if(pool_, [&](const DarkOrder& o) { return o.id == id; });
            drop(OwnReportKind::cancelled, OwnReason::no_more_liquidity);
        }
        return;
    }
    OperationKind kind = OperationKind::limit;
    if (order.kind == OwnOrderKind::post_only) kind = OperationKind::post_only;
    else if (order.kind == OwnOrderKind::midpoint_peg) kind = OperationKind::midpoint_peg;
    else if (order.kind != OwnOrderKind::limit) kind = OperationKind::immediate;
    const MatchingEngine& book = books_[order.venue];
    const Ticks lowest = lowest_price(p_.opening_price);
    if (order.price != no_price && (order.price < lowest || order.price >= lowest + book_levels))
        return drop(OwnReportKind::rejected, OwnReason::price_out_of_range);
    if (kind == OperationKind::post_only) {
        const Ticks touch = order.side == Side::buy ? book.best_ask() : book.best_bid();
        if (touch != no_price && sign(order.side) * (order.price - touch) >= 0)
            return drop(OwnReportKind::rejected, OwnReason::would_cross);
    }
    report(order.handle, order.venue, OwnReportKind::acknowledged, OwnReason::none, order.quantity);
    send(order.venue, kind, order.side, order.price == no_price ? any_price : order.price, order.quantity, id);
}

void GeneratedMarket::send(std::size_t venue, OperationKind kind, Side side, Ticks price, Lots quantity, std::uint64_t id) {
    const std::uint32_t owner = id & own_bit ? desk_owner : 0;
    books_[venue].apply({kind, side, 0, static_cast<std::int32_t>(price), static_cast<std::int32_t>(quantity), owner, id});
    read_events(venue);
}

void GeneratedMarket::read_events(std::size_t venue) {
    for (const MatchEvent& event : books_[venue].events()) {
        ++counters_.events;
        if ((event.order & own_bit) == 0) {
            std::int64_t& standing = standing_[venue][static_cast<int>(event.side)];
            if (event.kind == MatchKind::rested) ++standing;
            else if (event.kind == MatchKind::traded && event.remaining == 0) --standing;
            else if (event.kind == MatchKind::cancelled && event.reason == MatchReason::asked) --standing;
        }
        if (event.kind == MatchKind::traded) {
            trade(venue, event.order, event.taker, event.price_half_ticks, event.quantity, event.side, event.is_hidden);
        } else if ((event.order & own_bit) && (event.kind == MatchKind::cancelled || event.kind == MatchKind::rejected)) {
            const std::uint64_t handle = event.order & ~own_bit;
            const auto live = std::find_if(own_.begin(), own_.end(), [&](const OwnOrder& o) { return o.handle == handle; });
            if (live == own_.end()) continue;
            const bool is_cancel = event.kind == MatchKind::cancelled;
            OwnReason reason = OwnReason::would_cross;
            if (event.reason == MatchReason::asked) reason = OwnReason::asked;
            else if (event.reason == MatchReason::self_trade) reason = OwnReason::self_trade;
            else if (event.reason == MatchReason::no_more_liquidity) reason = OwnReason::no_more_liquidity;
            report(handle, venue, is_cancel ? OwnReportKind::cancelled : OwnReportKind::rejected, reason, live->quantity);
            own_.erase(live);
            --live_own_;
        }
    }
    books_[venue].clear_events();
}

void GeneratedMarket::trade(std::size_t venue, std::uint64_t maker, std::uint64_t taker, Ticks price_half_ticks,
                            Lots quantity, Side maker_side, bool is_mid) {
    const bool is_ours = (maker | taker) & own_bit;
    const auto aggressor = static_cast<std::int8_t>(venue == dark_venue ? 0 : -sign(maker_side));
    trades_.push_back({now_, price_half_ticks, quantity, static_cast<std::uint8_t>(venue), aggressor, is_ours});
    counters_.volume += quantity;
    counters_.notional += price_half_ticks * quantity;
    counters_.last_half_ticks = price_half_ticks;
    ++counters_.trades;
    if (!is_ours) return;
    const auto filled = [&](std::uint64_t id, Side side, OwnLiquidity liquidity) {
        if ((id & own_bit) == 0) return;
        const std::uint64_t handle = id & ~own_bit;
        const auto live = std::find_if(own_.begin(), own_.end(), [&](const OwnOrder& o) { return o.handle == handle; });
        if (live == own_.end()) throw std::logic_error("an order of ours was filled that is not live: " + std::to_string(handle));
        report(handle, venue, OwnReportKind::filled, OwnReason::none, quantity, price_half_ticks,
               is_mid ? OwnLiquidity::midpoint : liquidity);
        memory_.add(side, quantity, now_);
        live->quantity -= quantity;
        if (live->quantity == 0) {
            own_.erase(live);
            --live_own_;
        }
    };
    filled(maker, maker_side, OwnLiquidity::added);
    filled(taker, opposite(maker_side), OwnLiquidity::removed);
}

void GeneratedMarket::report(std::uint64_t handle, std::size_t venue, OwnReportKind kind, OwnReason reason, Lots quantity,
                             Ticks price_half_ticks, OwnLiquidity liquidity) {
    reports_.push({now_ + p_.latency[venue], now_, sequence_++, handle, price_half_ticks, quantity, quote_before_.bid,
                   quote_before_.ask, kind, reason, liquidity, static_cast<std::uint8_t>(venue)});
}

std::vector<OwnReport> GeneratedMarket::take_reports(Nanoseconds until) {
    std::vector<OwnReport> taken;
    while (!reports_.empty() && reports_.top().received <= until) {
        taken.push_back(reports_.top());
        reports_.pop();
    }
    return taken;
}

QuoteRow GeneratedMarket::venue_quote(std::size_t venue) const {
    const MatchingEngine& book = books_[venue];
    const Ticks bid = book.best_bid(), ask = book.best_ask();
    return {now_, bid, ask, bid == no_price ? 0 : book.quantity_at(Side::buy, bid),
            ask == no_price ? 0 : book.quantity_at(Side::sell, ask)};
}

void GeneratedMarket::refresh_quote() {
    QuoteRow next{now_, no_price, no_price, 0, 0};
    for (const MatchingEngine& book : books_) {
        const Ticks bid = book.best_bid(), ask = book.best_ask();
        if (bid != no_price) {
            if (next.bid == no_price || bid > next.bid) next.bid = bid, next.bid_quantity = 0;
            if (bid == next.bid) next.bid_quantity += book.quantity_at(Side::buy, bid);
        }
        if (ask != no_price) {
            if (next.ask == no_price || ask < next.ask) next.ask = ask, next.ask_quantity = 0;
            if (ask == next.ask) next.ask_quantity += book.quantity_at(Side::sell, ask);
        }
    }
    if (next.bid == quote_.bid && next.ask == quote_.ask && next.bid_quantity == quote_.bid_quantity &&
        next.ask_quantity == quote_.ask_quantity)
        return;
    const MarketCounters until_now = counters(now_);
    counters_.mid_integral = until_now.mid_integral;
    counters_.mid_time = until_now.mid_time;
    quote_since_ = now_;
    const bool has_moved = next.bid != quote_.bid || next.ask != quote_.ask;
    quote_ = next;
    ++counters_.quotes;
    const bool has_both = next.bid != no_price && next.ask != no_price;
    if (has_moved) {
        const bool is_proper = has_both && next.bid < next.ask;
        for (MatchingEngine& book : books_) book.set_midpoint(is_proper ? next.bid + next.ask : no_price);
        if (has_both && next.bid == next.ask) ++counters_.locked;
        if (has_both && next.bid > next.ask) ++counters_.crossed;
    }
    if (!quotes_.empty() && quotes_.back().time == now_) quotes_.back() = next;
    else quotes_.push_back(next);
}

MarketCounters GeneratedMarket::counters(Nanoseconds now) const {
    MarketCounters c = counters_;
    now = std::min(now, p_.close);  // nothing stands after it
    if (quote_.bid != no_price && quote_.ask != no_price && now > quote_since_) {
        c.mid_integral += (quote_.bid + quote_.ask) * (now - quote_since_);
        c.mid_time += now - quote_since_;
    }
    return c;
}

std::vector<LevelView> GeneratedMarket::depth(std::size_t venue, Side side, std::size_t levels) const {
    return books_[venue].depth(side, levels);
}

Lots GeneratedMarket::quantity_ahead(std::uint64_t handle, std::size_t venue) const {
    return venue == dark_venue ? -1 : books_[venue].quantity_ahead(own_bit | handle);
}

template <typename Row>
static auto first_at(const std::vector<Row>& rows, Nanoseconds time) {
    return std::lower_bound(rows.begin(), rows.end(), time, [](const Row& row, Nanoseconds t) { return row.time < t; });
}

std::vector<QuoteRow> GeneratedMarket::quotes(Nanoseconds start, Nanoseconds end, std::size_t limit) const {
    auto first = first_at(quotes_, start);
    const auto last = first_at(quotes_, end);
    if (first != quotes_.begin() && start < end && (first == quotes_.end() || first->time > start)) --first;
    if (first >= last) return {};
    return {last - static_cast<std::ptrdiff_t>(std::min(static_cast<std::size_t>(last - first), limit)), last};
}

std::vector<TradeRow> GeneratedMarket::trades(Nanoseconds start, Nanoseconds end, std::size_t limit) const {
    const auto first = first_at(trades_, start);
    const auto last = first_at(trades_, end);
    if (first >= last) return {};
    return {last - static_cast<std::ptrdiff_t>(std::min(static_cast<std::size_t>(last - first), limit)), last};
}

std::vector<BarRow> GeneratedMarket::bars(Nanoseconds start, Nanoseconds end, Nanoseconds width) const {
    std::vector<BarRow> bars;
    auto row = first_at(trades_, start);
    for (Nanoseconds at = start; at < end; at += width) {
        BarRow bar{at, std::min(at + width, end), no_price, no_price, no_price, no_price, 0, 0};
        for (; row != trades_.end() && row->time < bar.end; ++row) {
            const Ticks price = row->price_half_ticks;
            if (bar.volume == 0) bar.open = bar.high = bar.low = price;
            bar.high = std::max(bar.high, price);
            bar.low = std::min(bar.low, price);
            bar.close = price;
            bar.volume += row->quantity;
            bar.notional += price * row->quantity;
        }
        bars.push_back(bar);
    }
    return bars;
}

std::uint64_t GeneratedMarket::digest() const {
    std::uint64_t digest = 0xcbf29ce484222325ull;
    const auto add = [&](std::int64_t word) { digest = (digest ^ static_cast<std::uint64_t>(word)) * 0x100000001b3ull; };
    for (const QuoteRow& q : quotes_)
        for (const std::int64_t word : {q.time, q.bid, q.ask, q.bid_quantity, q.ask_quantity}) add(word);
    for (const TradeRow& t : trades_)
        for (const std::int64_t word : {t.time, t.price_half_ticks, t.quantity, Lots{t.venue}, Lots{t.aggressor}}) add(word);
    return digest;
}

}  // namespace bestex::generated
