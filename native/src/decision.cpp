#include "bestex/decision.hpp"

#include <algorithm>

#include "participation.hpp"
#include "placement.hpp"
#include "schedule.hpp"

namespace bestex {

namespace {

// The cumulative levels that one decision works between, none above the quantity ordered.
struct Levels {
    Lots schedule;  // what the algorithm wants done by the end of this slice
    Lots target;    // as much of it as the participation rate allows now
};

Levels levels_of(const DecisionParameters& p, std::int32_t slice, Lots others_volume) {
    const Lots allowed = std::min(p.quantity, allowed_by(p.participation_rate, others_volume));
    const Lots schedule = p.algorithm == Algorithm::participation_rate ? allowed : curve_target(p, slice);
    return {schedule, std::min(schedule, allowed)};
}

bool rests(ExecutionStyle style) { return style != ExecutionStyle::aggressive; }

bool moves_to_the_touch(ExecutionStyle style) {
    return style == ExecutionStyle::passive || style == ExecutionStyle::opportunistic;
}

// How far crossing is due when this wake may place quantity.
Lots due_level(const DecisionParameters& p, const Position& position, const Levels& levels, std::int32_t slice,
               bool begins, bool closing) {
    if (closing || p.style == ExecutionStyle::aggressive) return levels.target;
    if (p.style != ExecutionStyle::balanced || !begins) return 0;
    const Lots before = p.algorithm == Algorithm::participation_rate ? position.filled + position.live
                                                                     : curve_target(p, slice - 1);
    return std::min(before, levels.target);
}

// The usual size of a child where volume, not the clock, sets the pace.
Lots clip(const DecisionParameters& p) {
    return std::max<Lots>(1, std::min(p.child_quantity_max, (p.quantity + p.slices - 1) / p.slices));
}

Lots volume_subscription(const DecisionParameters& p, const DecisionState& state, const Position& position,
                         const MarketView& market, const Levels& levels) {
    if (p.participation_rate >= 1.0) return unlimited;
    const Lots sent = position.filled + position.live;
    const Lots wanted = (p.algorithm == Algorithm::participation_rate ? p.quantity : levels.schedule) - sent;
    if (wanted <= 0) return unlimited;
    const Lots child = std::min(wanted, clip(p));
    const Lots for_target = volume_for(p.participation_rate, sent + child);
    const Lots for_pace = volume_for(p.participation_rate, child, catch_up);
    const Lots paced = for_pace == unlimited ? unlimited : state.volume_seen + for_pace;
    return std::max({for_target, paced, market.others_volume + 1});
}

Nanoseconds next_time(const DecisionParameters& p, std::int32_t slice, Nanoseconds now) {
    if (slice < p.slices - 1) return slice_start(p, slice + 1);
    const Nanoseconds closing = closing_time(p);
    return now < closing ? closing : p.end;
}

Decision wind_up(const DecisionParameters& p, DecisionState& state, const Position& position, Lots target) {
    Decision decision;
    decision.target = std::min(target, p.quantity);
    state.replacing = 0;
    state.next_child_at = never;
    if (position.live > 0 && !position.cancel_pending) add_intent(decision, IntentKind::cancel_all, 0, no_price);
    state.done = position.live == 0;
    return decision;
}

}  // namespace

Decision decide(const DecisionParameters& p, DecisionState& state, const Position& position, const MarketView& market,
                Wake wake) noexcept {
    Decision decision;
    if (state.done) {
        decision.target = levels_of(p, p.slices - 1, market.others_volume).schedule;
        return decision;
    }
    if (market.now >= p.end || position.filled >= p.quantity)
        return wind_up(p, state, position, levels_of(p, p.slices - 1, market.others_volume).schedule);
    if (market.now < p.start) {
        decision.wake_at = p.start;
        return decision;
    }

    const std::int32_t slice = slice_at(p, market.now);
    const Levels levels = levels_of(p, slice, market.others_volume);
    const bool follows = wake == Wake::best_price;
    const bool places = wake != Wake::fill && wake != Wake::child_done && !follows;
    const bool begins = places && slice > state.slice;
    const bool closing = places && market.now >= closing_time(p);
    if (begins) state.slice = slice;
    if (position.live == 0) state.posted = no_price;
    if (places) {
        state.crossing = std::max(state.crossing, due_level(p, position, levels, slice, begins, closing));
        state.next_child_at = never;
    }
    decision.target = levels.schedule;

    // 1. Take back what rests where it should not: due to cross, behind the touch, or more than is ordered.
    const Ticks near = near_touch(p.side, market);
    const bool is_due = state.crossing > position.filled && (begins || state.crossing + position.live > levels.target);
    const bool is_behind = (begins || follows) && moves_to_the_touch(p.style) && within_limit(p, near) &&
                           more_aggressive(p.side, near, state.posted);
    const bool is_stale = state.posted != no_price && ((places && is_due) || is_behind);
    const bool is_too_much = position.filled + position.live > p.quantity;  // the order was made smaller
    const bool answered = state.replacing > 0 && !position.cancel_pending;
    bool cancels = position.cancel_pending;
    Lots released = 0;
    if (answered) {
        released = state.replacing;
        state.replacing = 0;
    }
    if (!cancels && position.live > 0 && (is_stale || (places && is_too_much))) {
        add_intent(decision, IntentKind::cancel_all, 0, no_price);
        cancels = true;
        state.replacing = position.live;
        state.posted = no_price;
    }

    // 2. How much may be placed now. Released quantity was allowed before; new quantity keeps the pace of the volume.
    const Lots free = std::max<Lots>(0, levels.target - position.filled - position.live);
    Lots budget = std::min(free, released);
    if (places && free > budget) {
        const Lots recent = std::max<Lots>(0, market.others_volume - state.volume_seen);
        const Lots pace = allowed_by(p.participation_rate, recent, catch_up);
        if (pace > 0) state.volume_seen = market.others_volume;
        budget += std::min(free - budget, pace);
    }

    // 3. Split it: what is due crosses, the rest is posted. Nothing crosses before the cancel's answer.
    //    What rests undisturbed belongs to this slice; other live quantity is already on its way to be done.
    const Lots under_way = state.posted == no_price || cancels ? position.live : 0;
    Lots to_cross = std::clamp<Lots>(state.crossing - position.filled - under_way, 0, budget);
    Lots to_post = rests(p.style) ? budget - to_cross : 0;
    if (p.style == ExecutionStyle::opportunistic && spread_is_one_tick(market) && !cancels) {
        to_cross += to_post;
        to_post = 0;
    }
    if (cancels && to_cross > 0) {
        state.replacing = std::min(p.quantity, state.replacing + to_cross);
        to_cross = 0;
    }
    const Ticks far = far_touch(p.side, market);
    const bool holds_cross = to_cross > 0 && !within_limit(p, far);
    const bool holds_post = to_post > 0 && !within_limit(p, near);
    if (holds_cross) to_cross = 0;
    if (holds_post) to_post = 0;

    // 4. Send it, in children of the largest size allowed.
    const Lots cross_child = std::min(to_cross, p.child_quantity_max);
    const Lots post_child = std::min(to_post, p.child_quantity_max);
    if (cross_child > 0) cross(decision, p, cross_child);
    if (post_child > 0) {
        add_intent(decision, IntentKind::post_only, post_child, near);
        if (state.posted == no_price || more_aggressive(p.side, state.posted, near)) state.posted = near;
    }

    // 5. When to be woken.
    const Nanoseconds next = next_time(p, slice, market.now);
    const Lots rest = to_cross + to_post - cross_child - post_child;
    if (rest > 0) {
        const Nanoseconds children = (rest - 1) / p.child_quantity_max + 2;
        state.next_child_at = market.now + std::max<Nanoseconds>(1, (next - market.now) / children);
    }
    decision.wake_at = std::min(next, state.next_child_at);
    const Position after{position.filled, position.live + cross_child + post_child, cancels};
    decision.wake_at_volume = volume_subscription(p, state, after, market, levels);
    if (p.follows_price) {
        if (moves_to_the_touch(p.style) && state.posted != no_price) decision.wake_on_change = change_of(BestPrice::near);
        if (p.limit != no_price && (holds_post || holds_cross))
            decision.wake_at_price = {2 * p.limit, holds_post ? BestPrice::near : BestPrice::far, p.side == Side::sell};
    }
    return decision;
}

}  // namespace bestex
