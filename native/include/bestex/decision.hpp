// The decision step of an execution algorithm: (parameters, state, market, wake) -> (state, intents).
//
// One contract for live, paper and replay. The step is pure: no clock, no randomness, no allocation.
// The caller owns the ledger (what is filled, live or unknown), applies the intents, and wakes the algorithm
// when one of its subscriptions is due. Nothing is broadcast: an algorithm hears only what it asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bestex/types.hpp"

namespace bestex {

enum class Algorithm : std::uint8_t { twap = 0, vwap = 1, participation_rate = 2, implementation_shortfall = 3 };

// How a slice is placed. aggressive: cross at once. balanced: post at the near touch, cross what is left when the
// next slice begins. passive: post only; cross only in the last slice. opportunistic: as passive, but take the far
// touch when the spread is one tick.
enum class ExecutionStyle : std::uint8_t { passive = 0, aggressive = 1, balanced = 2, opportunistic = 3 };

enum class Wake : std::uint8_t { start, timer, fill, child_done, volume, resume };

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
};

// Plain data so that a parent order can be saved, moved and resumed.
struct DecisionState {
    std::int32_t slice = -1;     // last slice begun
    Lots crossing = 0;           // to be crossed once the pending cancel is answered
    bool done = false;
};

struct Decision {
    static constexpr std::size_t intents_max = 3;
    Intent intents[intents_max];
    std::uint8_t count = 0;
    Nanoseconds wake_at = never;      // timer subscription
    Lots wake_at_volume = unlimited;  // others_volume at which to be woken
    Lots target = 0;                  // cumulative schedule target in lots, for display and tracking
};

Decision decide(const DecisionParameters& parameters, DecisionState& state, const Position& position,
                const MarketView& market, Wake wake) noexcept;

}  // namespace bestex
