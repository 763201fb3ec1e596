// The decision step of an execution algorithm: (parameters, state, market, wake) -> (state, intents).
//
// One contract for live, paper and replay. The step is pure: no clock, no randomness, no allocation.
// The caller owns the ledger (what is filled, live or unknown), applies the intents in their order, and wakes the
// algorithm when one of its subscriptions is due. Each answer replaces the subscriptions of the one before.
// Nothing is broadcast: an algorithm hears only what it asked for, its own fills and its children's ends.
//
// Promises, for every input: filled + live + what is sent never exceeds the quantity, nor the schedule's target, nor
// what the participation rate allows; nothing is sent before start, at or after end, or beyond the limit; nothing
// crosses while a cancel is unanswered; new quantity is placed only on start, timer, volume, price and resume, so that a
// venue that refuses everything cannot make it spin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bestex/types.hpp"

namespace bestex {

enum class Algorithm : std::uint8_t { twap = 0, vwap = 1, participation_rate = 2, implementation_shortfall = 3 };

// How a slice is placed. aggressive: cross at once. balanced: post at the near touch, cross what is left when the
// next slice begins. passive: post only, moved to the touch when a slice begins; cross only in the last slice.
// opportunistic: as passive, but take the far touch when the spread is one tick.
// Whatever the style, what is left a tenth before the end of the last slice crosses: nothing is sent after the end.
enum class ExecutionStyle : std::uint8_t { passive = 0, aggressive = 1, balanced = 2, opportunistic = 3 };

enum class Wake : std::uint8_t { start, timer, fill, child_done, volume, resume, best_price, price };

// market and limit take what is there at once and return the rest (immediate or cancel); limit no worse than `price`.
// post_only rests at `price`. cancel_all cancels every child sent by earlier decisions, not those after it.
enum class IntentKind : std::uint8_t { market, limit, post_only, cancel_all };

struct Intent {
    IntentKind kind;
    Lots quantity;  // 0 for cancel_all
    Ticks price;    // no_price for market and cancel_all
};

// What the decision may know of the market. Counters run from the parent order's start.
struct MarketView {
    Nanoseconds now;
    Ticks bid, ask;              // no_price where that side is empty
    Lots bid_quantity, ask_quantity;
    Lots others_volume;          // lots traded by everyone else since the parent started
};

// What the parent has, kept by the caller. live counts everything sent and not finally answered (pending, unknown too).
struct Position {
    Lots filled;
    Lots live;
    bool cancel_pending;         // a cancel was asked and not yet answered: do not ask again, do not cross yet
};

// A monotone cumulative curve on equal time steps: fraction[k] done at start + (end - start) * (k + 1) / size. Not owned.
struct ScheduleCurve {
    std::span<const double> cumulative;
};

struct DecisionParameters {
    Algorithm algorithm;
    ExecutionStyle style;
    Side side;
    Lots quantity;
    Nanoseconds start, end;
    std::int32_t slices;         // equal time steps between start and end
    Ticks limit;                 // worst acceptable price; no_price = none
    double participation_rate;   // (0, 1]; our share of all volume, ours included. Target for PARTICIPATION_RATE, cap for others (1 = none)
    Lots child_quantity_max;     // unlimited = none
    ScheduleCurve curve;         // size == slices. TWAP, VWAP and IMPLEMENTATION_SHORTFALL differ only here
    // Between timers too: PASSIVE and OPPORTUNISTIC follow the touch as it moves, and what the limit holds back goes as
    // soon as the price is within it. Costs a wake for every change of the near touch while something rests.
    bool follows_price = false;
};

// Plain data so that a parent order can be saved, moved and resumed.
struct DecisionState {
    std::int32_t slice = -1;             // last slice begun
    Lots crossing = 0;                   // cumulative quantity that may wait no longer: below it and unfilled, it crosses
    bool done = false;                   // nothing more will be sent, nothing is live
    Lots replacing = 0;                  // to be placed again once the pending cancel is answered
    Ticks posted = no_price;             // least aggressive price posted since nothing was live
    Lots volume_seen = 0;                // others_volume when new quantity was last placed or held back by the market
    Nanoseconds next_child_at = never;   // when the rest of a quantity cut by child_quantity_max goes on
};

// A best price as the algorithm sees it: near is the best of its own side, far the one it would take, mid their middle.
enum class BestPrice : std::uint8_t { near, far, mid };

constexpr std::uint8_t change_of(BestPrice price) { return static_cast<std::uint8_t>(1u << static_cast<unsigned>(price)); }

// A price to be reached. One that is reached already is answered when a best price next changes, never at once.
struct PriceLevel {
    Ticks half_ticks = no_price;        // no_price = none
    BestPrice price = BestPrice::near;
    bool from_below = false;            // reached at or above the level; else at or below

    bool operator==(const PriceLevel&) const = default;
};

struct Decision {
    static constexpr std::size_t intents_max = 3;
    Intent intents[intents_max];
    std::uint8_t count = 0;
    Nanoseconds wake_at = never;      // timer subscription
    Lots wake_at_volume = unlimited;  // others_volume at which to be woken
    std::uint8_t wake_on_change = 0;  // change_of(...) bits: best prices whose change wakes, once rows of one time are over
    PriceLevel wake_at_price;
    Lots target = 0;                  // cumulative schedule target in lots, for display and tracking
};

Decision decide(const DecisionParameters& parameters, DecisionState& state, const Position& position,
                const MarketView& market, Wake wake) noexcept;

}  // namespace bestex
