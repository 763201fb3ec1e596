// What a tape says about the past: quotes and trades between two times, without any order of ours.
#pragma once

#include <cstdint>
#include <vector>

#include "bestex/tape.hpp"

namespace bestex {

struct QuoteRow {
    Nanoseconds time;
    Ticks bid, ask;  // no_price where that side is empty
    std::uint32_t bid_quantity, ask_quantity;
};
static_assert(sizeof(QuoteRow) == 32);

enum class TradeKind : std::uint8_t { displayed, hidden, print, cross };

struct TradeRow {
    Nanoseconds time;
    std::int64_t price_half_ticks;
    std::uint32_t quantity;
    Side aggressor;  // meaningless for a cross
    TradeKind kind;
    std::uint8_t pad[2];
};
static_assert(sizeof(TradeRow) == 24);

enum class QuoteStep : std::uint8_t { instant, row };

// Of the best quote standing at `start` (if there is one) and every change in (start, end) the latest `limit` rows, in
// order. By `row` every state of the book is seen; by `instant` only what stands when all rows of one time are applied.
std::vector<QuoteRow> quotes_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit, QuoteStep step);

// The latest `limit` executions and prints in [start, end), in order.
std::vector<TradeRow> trades_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit);

}  // namespace bestex
