// The units and small values every part of the core shares.
//
// Prices are integer ticks, quantities integer lots, times int64 nanoseconds since the Unix epoch (UTC).
// A midpoint lies on the half-tick grid, so midpoint prices are named `*_half_ticks`.
#pragma once

#include <cstdint>

namespace bestex {

using Nanoseconds = std::int64_t;
using Ticks = std::int64_t;
using Lots = std::int64_t;

enum class Side : std::uint8_t { buy = 0, sell = 1 };

constexpr Side opposite(Side side) { return side == Side::buy ? Side::sell : Side::buy; }

// +1 for a buy, -1 for a sell: multiply a price difference by it and positive is worse for us.
constexpr int sign(Side side) { return side == Side::buy ? 1 : -1; }

constexpr Ticks no_price = INT64_MIN;
constexpr Nanoseconds never = INT64_MAX;
constexpr Lots unlimited = INT64_MAX;

}  // namespace bestex
