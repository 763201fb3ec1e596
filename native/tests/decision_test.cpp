// The decision step on its own: stories checked by hand, then seeded lives that must keep every promise.
#include "bestex/decision.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace bestex;

#define CHECK(condition)                                                                                      \
    do {                                                                                                      \
        if (!(condition)) throw std::runtime_error("line " + std::to_string(__LINE__) + ": " #condition);      \
    } while (false)

namespace {

std::vector<double> even(int slices) {
    std::vector<double> curve;
    for (int k = 1; k <= slices; ++k) curve.push_back(static_cast<double>(k) / slices);
    return curve;
}

DecisionParameters parameters(const std::vector<double>& curve, ExecutionStyle style, Lots quantity) {
    return {Algorithm::twap, style, Side::buy, quantity, 0, 1000 * static_cast<Nanoseconds>(curve.size()),
            static_cast<std::int32_t>(curve.size()), no_price, 1.0, unlimited, {curve}};
}

MarketView market(Nanoseconds now) { return {now, 99, 101, 500, 500, 0}; }

bool is(const Intent& intent, IntentKind kind, Lots quantity, Ticks price) {
    return intent.kind == kind && intent.quantity == quantity && intent.price == price;
}

void an_aggressive_twap_crosses_each_slice() {
    const auto curve = even(4);
    const auto p = parameters(curve, ExecutionStyle::aggressive, 10);
    DecisionState state;
    const Lots targets[] = {3, 5, 8, 10};  // floor(10 k / 4 + 1/2)
    Lots filled = 0;
    for (int k = 0; k < 4; ++k) {
        const auto d = decide(p, state, {filled, 0, false}, market(1000 * k), k ? Wake::timer : Wake::start);
        CHECK(d.target == targets[k] && d.count == 1);
        CHECK(is(d.intents[0], IntentKind::market, targets[k] - filled, no_price));
        CHECK(d.wake_at == (k < 3 ? 1000 * (k + 1) : 3900));
        filled = targets[k];
    }
    const auto end = decide(p, state, {filled, 0, false}, market(3000), Wake::fill);
    CHECK(state.done && end.count == 0 && end.wake_at == never);
}

void balanced_posts_then_crosses_what_is_left_after_the_cancel() {
    const auto curve = even(2);
    const auto p = parameters(curve, ExecutionStyle::balanced, 20);
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 10, 99));
    d = decide(p, state, {4, 6, false}, market(500), Wake::fill);
    CHECK(d.count == 0 && d.wake_at == 1000);
    d = decide(p, state, {4, 6, false}, market(1000), Wake::timer);
    CHECK(d.count == 2 && is(d.intents[0], IntentKind::cancel_all, 0, no_price));
    CHECK(is(d.intents[1], IntentKind::post_only, 10, 99));
    d = decide(p, state, {5, 15, true}, market(1001), Wake::fill);  // a fill overtakes the cancel
    CHECK(d.count == 0);
    d = decide(p, state, {5, 10, false}, market(1002), Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 5, no_price));
    d = decide(p, state, {10, 10, false}, market(1900), Wake::timer);  // a tenth before the end
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::cancel_all, 0, no_price) && d.wake_at == 2000);
    d = decide(p, state, {10, 0, false}, market(1901), Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 10, no_price));
    d = decide(p, state, {20, 0, false}, market(1902), Wake::fill);
    CHECK(state.done);
}

void passive_follows_the_touch_and_crosses_only_at_the_end() {
    const auto curve = even(4);
    const auto p = parameters(curve, ExecutionStyle::passive, 40);
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 10, 99));
    d = decide(p, state, {0, 10, false}, market(1000), Wake::timer);  // still at the touch: keeps its place
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 10, 99));
    d = decide(p, state, {0, 20, false}, {2000, 100, 102, 5, 5, 0}, Wake::timer);  // left behind
    CHECK(d.count == 2 && d.intents[0].kind == IntentKind::cancel_all);
    CHECK(is(d.intents[1], IntentKind::post_only, 10, 100));
    d = decide(p, state, {0, 10, false}, {2001, 100, 102, 5, 5, 0}, Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 20, 100));
    d = decide(p, state, {0, 30, false}, {3000, 100, 102, 5, 5, 0}, Wake::timer);  // nothing is left behind now
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 10, 100));
    d = decide(p, state, {0, 40, false}, {3900, 100, 102, 5, 5, 0}, Wake::timer);
    CHECK(d.count == 1 && d.intents[0].kind == IntentKind::cancel_all);
    d = decide(p, state, {0, 0, false}, {3901, 100, 102, 5, 5, 0}, Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 40, no_price));
}

void opportunistic_takes_the_far_touch_when_it_is_one_tick_away() {
    const auto curve = even(2);
    const auto p = parameters(curve, ExecutionStyle::opportunistic, 20);
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 10, 99));
    d = decide(p, state, {10, 0, false}, {1000, 99, 100, 5, 5, 0}, Wake::timer);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 10, no_price));
}

void a_limit_holds_quantity_back_until_the_price_returns() {
    const auto curve = even(2);
    auto p = parameters(curve, ExecutionStyle::aggressive, 20);
    p.limit = 100;
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 0 && d.target == 10);
    d = decide(p, state, {0, 0, false}, {1000, 98, 100, 1, 1, 0}, Wake::timer);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::limit, 20, 100));
}

void participation_follows_the_volume_of_others() {
    const auto curve = even(10);
    auto p = parameters(curve, ExecutionStyle::aggressive, 100);
    p.algorithm = Algorithm::participation_rate;
    p.participation_rate = 0.2;  // one of ours to four of theirs
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 0 && d.wake_at_volume == 40);  // clips of 10
    auto at = market(10);
    at.others_volume = 43;
    d = decide(p, state, {0, 0, false}, at, Wake::volume);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 10, no_price) && d.wake_at_volume == 80);
    at.now = p.end;
    at.others_volume = 100'000;
    d = decide(p, state, {10, 0, false}, at, Wake::timer);
    CHECK(d.count == 0 && state.done);  // what stays unfilled stays unfilled
}

void after_a_drought_it_catches_up_at_twice_the_rate() {
    const auto curve = even(2);
    auto p = parameters(curve, ExecutionStyle::aggressive, 20);
    p.algorithm = Algorithm::participation_rate;
    p.participation_rate = 0.5;
    p.limit = 100;
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, {10, 99, 101, 5, 5, 18}, Wake::volume);
    CHECK(d.count == 0);
    d = decide(p, state, {0, 0, false}, {20, 98, 100, 5, 5, 20}, Wake::volume);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::limit, 4, 100));
}

void within_a_slice_what_rests_is_left_alone() {
    const auto curve = even(2);
    auto p = parameters(curve, ExecutionStyle::balanced, 20);
    p.participation_rate = 0.5;
    DecisionState state;
    auto at = market(0);
    at.others_volume = 5;
    auto d = decide(p, state, {0, 0, false}, at, Wake::start);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 5, 99));
    at = market(1000);
    at.others_volume = 12;
    d = decide(p, state, {0, 5, false}, at, Wake::timer);  // 10 were due, volume allows 12
    CHECK(d.count == 2 && d.intents[0].kind == IntentKind::cancel_all);
    CHECK(is(d.intents[1], IntentKind::post_only, 2, 99));
    at = market(1001);
    at.others_volume = 12;
    d = decide(p, state, {0, 2, false}, at, Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, 10, no_price));
    at = market(1100);
    at.others_volume = 16;
    d = decide(p, state, {6, 2, false}, at, Wake::volume);  // 4 came back: they cross again, 4 more may follow
    CHECK(d.count == 2 && is(d.intents[0], IntentKind::market, 4, no_price));
    CHECK(is(d.intents[1], IntentKind::post_only, 4, 99));
}

void a_child_cut_to_size_goes_on_within_the_slice() {
    const auto curve = even(1);
    auto p = parameters(curve, ExecutionStyle::aggressive, 10);
    p.child_quantity_max = 4;
    DecisionState state;
    Lots filled = 0;
    Nanoseconds now = 0;
    for (const Lots child : {4, 4, 2}) {
        const auto d = decide(p, state, {filled, 0, false}, market(now), Wake::timer);
        CHECK(d.count == 1 && is(d.intents[0], IntentKind::market, child, no_price));
        CHECK(d.wake_at > now && d.wake_at <= 900);
        filled += child;
        now = d.wake_at;
    }
}

void what_follows_the_price_moves_within_the_slice() {
    const auto curve = even(2);
    auto p = parameters(curve, ExecutionStyle::passive, 20);
    p.follows_price = true;
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 1 && d.wake_on_change == change_of(BestPrice::near) && d.wake_at_price.half_ticks == no_price);
    d = decide(p, state, {0, 10, false}, {10, 98, 101, 5, 5, 0}, Wake::best_price);  // the touch falls away from us: stay
    CHECK(d.count == 0 && d.wake_on_change == change_of(BestPrice::near));
    d = decide(p, state, {0, 10, false}, {20, 100, 101, 5, 5, 0}, Wake::best_price);
    CHECK(d.count == 1 && d.intents[0].kind == IntentKind::cancel_all && d.wake_on_change == 0);
    d = decide(p, state, {4, 0, false}, {30, 100, 101, 5, 5, 0}, Wake::child_done);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::post_only, 6, 100));
}

void what_a_limit_holds_back_waits_for_the_price() {
    const auto curve = even(2);
    auto p = parameters(curve, ExecutionStyle::aggressive, 20);
    p.limit = 100;
    p.follows_price = true;
    DecisionState state;
    auto d = decide(p, state, {0, 0, false}, market(0), Wake::start);
    CHECK(d.count == 0 && d.wake_at == 1000);
    CHECK((d.wake_at_price == PriceLevel{200, BestPrice::far, false}));
    d = decide(p, state, {0, 0, false}, {10, 98, 100, 5, 5, 0}, Wake::price);
    CHECK(d.count == 1 && is(d.intents[0], IntentKind::limit, 10, 100) && d.wake_at_price.half_ticks == no_price);
}

void nothing_is_sent_into_an_empty_book() {
    const auto curve = even(2);
    for (auto style : {ExecutionStyle::aggressive, ExecutionStyle::balanced, ExecutionStyle::passive,
                       ExecutionStyle::opportunistic}) {
        DecisionState state;
        const auto d = decide(parameters(curve, style, 20), state, {0, 0, false}, {0, no_price, no_price, 0, 0, 0},
                              Wake::start);
        CHECK(d.count == 0 && d.wake_at == 1000);
    }
}

struct Child {
    Lots quantity;
    bool rests;
    bool cancel_asked;
};

// One life in a market that fills, rejects, delays and moves as a seeded generator likes. Returns what was filled.
// forgets: the caller says that nothing is live, which the promises must not survive.
Lots live_once(std::uint64_t seed, bool kind_market, bool forgets = false) {
    std::mt19937_64 random(seed);
    const auto draw = [&](Lots low, Lots high) { return low + static_cast<Lots>(random() % (high - low + 1)); };
    std::vector<double> curve;
    double sum = 0;
    const auto slices = static_cast<int>(draw(1, 40));
    for (int k = 0; k < slices; ++k) curve.push_back(sum += static_cast<double>(draw(0, 100)));
    for (auto& c : curve) c = sum > 0 ? c / sum : 1.0;
    curve.back() = 1.0;
    DecisionParameters p{static_cast<Algorithm>(draw(0, 3)), static_cast<ExecutionStyle>(draw(0, 3)),
                         static_cast<Side>(draw(0, 1)), draw(1, 5000), 1000, 1000 + draw(slices, 1'000'000), slices,
                         no_price, 1.0, unlimited, {curve}};
    if (p.algorithm == Algorithm::participation_rate || draw(0, 2) == 0) p.participation_rate = draw(1, 90) / 100.0;
    if (!kind_market && draw(0, 2) == 0) p.limit = draw(95, 105);
    if (draw(0, 2) == 0) p.child_quantity_max = draw(1, 500);
    p.follows_price = draw(0, 1) == 0;
    if (kind_market) {  // what crosses is filled at once, what is posted never: all must be done by the end
        p.algorithm = Algorithm::vwap;
        p.participation_rate = 1.0;
        p.child_quantity_max = unlimited;
        p.end = p.start + 1000 * slices;
    }

    DecisionState state;
    std::vector<Child> children;
    Lots filled = 0, others = 0, last_target = 0;
    Nanoseconds now = 1000;
    Ticks bid = 99;
    Wake wake = Wake::start;
    bool cancels_out = false;
    for (int step = 0; step < 100'000 && !state.done; ++step) {
        Lots live = 0;
        bool cancel_pending = false;
        for (const auto& c : children) live += c.quantity, cancel_pending |= c.cancel_asked;
        const Ticks spread = kind_market ? 2 : draw(1, 3);
        MarketView view{now, bid, bid + spread, 10, 10, others};
        if (!kind_market && draw(0, 9) == 0) view.ask = no_price;
        if (!kind_market && draw(0, 9) == 0) view.bid = no_price;
        const auto d = decide(p, state, {filled, forgets ? 0 : live, cancel_pending}, view, wake);
        const bool only_heard = wake == Wake::fill || wake == Wake::child_done || wake == Wake::best_price;
        const bool may_follow = wake == Wake::best_price && d.count == 1 && d.intents[0].kind == IntentKind::cancel_all;
        if (only_heard && !may_follow && now < p.end && filled < p.quantity) CHECK(d.count == 0 || (cancels_out && !cancel_pending));
        if (!cancel_pending) cancels_out = false;
        CHECK(d.count <= Decision::intents_max && d.target >= last_target && d.target <= p.quantity);
        if (!state.done) last_target = d.target;
        bool asked = cancel_pending;
        for (int i = 0; i < d.count; ++i) {
            const auto& intent = d.intents[i];
            if (intent.kind == IntentKind::cancel_all) {
                CHECK(!cancel_pending && live > 0);
                asked = cancels_out = true;
                for (auto& c : children) c.cancel_asked = true;
                continue;
            }
            CHECK(now >= p.start && now < p.end);
            CHECK(intent.quantity > 0 && intent.quantity <= p.child_quantity_max);
            const bool rests = intent.kind == IntentKind::post_only;
            CHECK(rests || !asked);
            CHECK(rests || (p.side == Side::buy ? view.ask : view.bid) != no_price);
            if (rests) CHECK(intent.price == (p.side == Side::buy ? view.bid : view.ask) && intent.price != no_price);
            if (p.limit != no_price)
                CHECK(intent.price != no_price && sign(p.side) * (intent.price - p.limit) <= 0);
            children.push_back({intent.quantity, rests, false});
            live += intent.quantity;
        }
        CHECK(filled + live <= p.quantity);
        if (d.count > 1 || (d.count == 1 && d.intents[0].kind != IntentKind::cancel_all)) {
            CHECK(filled + live <= std::max(d.target, last_target));
            if (p.participation_rate < 1.0) {
                const double rate = p.participation_rate;
                CHECK(static_cast<double>(filled + live) <= rate / (1 - rate) * static_cast<double>(others) + 1e-6);
            }
        }
        if (state.done) break;
        const bool placed = !only_heard;
        CHECK(now >= p.end || (placed ? d.wake_at > now : d.wake_at >= now));
        CHECK(d.wake_at_volume > others);
        CHECK(p.follows_price || (d.wake_on_change == 0 && d.wake_at_price.half_ticks == no_price));
        if (d.wake_at_price.half_ticks != no_price) {  // only what is not reached yet is waited for
            const bool is_near = d.wake_at_price.price == BestPrice::near;
            const Ticks seen = is_near == (p.side == Side::buy) ? view.bid : view.ask;
            CHECK(seen == no_price || sign(p.side) * (2 * seen - d.wake_at_price.half_ticks) > 0);
        }

        // The market's turn: answer a child, or move on to the timer.
        const auto due = std::find_if(children.begin(), children.end(), [](const Child& c) {
            return !c.rests || c.cancel_asked;
        });
        if (!children.empty() && (kind_market ? due != children.end() : now >= p.end || draw(0, 2) > 0)) {
            const auto i = kind_market ? static_cast<std::size_t>(due - children.begin())
                                       : static_cast<std::size_t>(draw(0, static_cast<Lots>(children.size()) - 1));
            auto& c = children[i];
            const Lots got = !kind_market ? draw(0, c.quantity) : c.rests ? 0 : c.quantity;
            filled += got;
            c.quantity -= got;
            const bool ends = c.quantity == 0 || !c.rests || c.cancel_asked || draw(0, 3) == 0;
            if (ends) children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
            wake = ends ? Wake::child_done : Wake::fill;
            if (now < p.end - 1) now = std::min(d.wake_at, now + draw(0, 1));
        } else {
            const Lots traded = draw(0, 300);
            if (d.wake_at != never && now + 1 < d.wake_at && draw(0, 3) == 0) {
                ++now;
                wake = draw(0, 1) == 0 ? Wake::best_price : Wake::price;
            } else if (d.wake_at_volume != unlimited && others + traded >= d.wake_at_volume) {
                now = std::min(d.wake_at, now + draw(1, 50));
                wake = now == d.wake_at ? Wake::timer : Wake::volume;
            } else {
                if (d.wake_at == never) {  // past the end: only children are left to hear of
                    CHECK(!children.empty());
                    wake = Wake::child_done;
                    continue;
                }
                now = d.wake_at;
                wake = draw(0, 19) == 0 ? Wake::resume : Wake::timer;
            }
            others += traded;
            bid = std::clamp<Ticks>(bid + draw(-1, 1), 95, 104);
        }
    }
    CHECK(state.done && children.empty() && filled <= p.quantity);
    if (kind_market) CHECK(filled == p.quantity);
    return filled;
}

bool caught(std::uint64_t seed) {
    for (std::uint64_t life = 0; life < 100; ++life) {
        try {
            live_once(seed + life, false, true);
        } catch (const std::runtime_error&) {
            return true;
        }
    }
    return false;
}

}  // namespace

// decision_test [lives] [seed]
int main(int argc, char** argv) try {
    an_aggressive_twap_crosses_each_slice();
    balanced_posts_then_crosses_what_is_left_after_the_cancel();
    passive_follows_the_touch_and_crosses_only_at_the_end();
    opportunistic_takes_the_far_touch_when_it_is_one_tick_away();
    a_limit_holds_quantity_back_until_the_price_returns();
    participation_follows_the_volume_of_others();
    after_a_drought_it_catches_up_at_twice_the_rate();
    within_a_slice_what_rests_is_left_alone();
    a_child_cut_to_size_goes_on_within_the_slice();
    what_follows_the_price_moves_within_the_slice();
    what_a_limit_holds_back_waits_for_the_price();
    nothing_is_sent_into_an_empty_book();
    const std::uint64_t lives = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20260101;
    std::printf("decision_test: seed %llu\n", static_cast<unsigned long long>(seed));
    std::uint64_t life = 0;
    try {
        for (; life < lives; ++life) live_once(seed + life, life % 4 == 0);
    } catch (const std::runtime_error& broken) {
        throw std::runtime_error("life " + std::to_string(life) + ", " + broken.what());
    }
    CHECK(caught(seed));
    std::printf("decision_test: ok, %llu lives\n", static_cast<unsigned long long>(lives));
} catch (const std::exception& broken) {
    std::printf("decision_test: %s\n", broken.what());
    return 1;
}
