// One world worked from outside: orders go in by key, the tape runs until something of ours happens.
//
// Times are the tape's. The caller adds its own delay to the venue when it says when an order arrives; reports come
// back `report_delay` after they happened. Calls at one time act in the order they were made.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bestex/exchange.hpp"
#include "bestex/tape.hpp"

namespace bestex {

enum class ReportKind : std::uint8_t { accepted, fill, cancelled, rejected, expired, amended };

enum class Reason : std::uint8_t { none, asked, unfilled, would_take, halted, closed, repeated_key, unknown_key };

struct Report {
    Nanoseconds venue_time, received_time;
    std::uint64_t key;
    Lots quantity;                  // filled now, given back, or ordered (accepted, amended)
    std::int64_t price_half_ticks;  // fill only
    Ticks bid, ask;                 // the tape's quote at venue_time; no_price where that side is empty
    ReportKind kind;
    Reason reason;
    Liquidity liquidity;            // fill only
    bool is_new_volume;             // fill only: a trade that the tape does not print
    std::uint8_t pad[4];
};
static_assert(sizeof(Report) == 64);

// The tape's public picture. Counters run from its first row; our own takes are volume too.
struct Snapshot {
    Nanoseconds now;
    Ticks bid, ask;
    Lots bid_quantity, ask_quantity;
    Lots volume;                    // lots, crosses included
    Lots auction_volume;            // of which crosses
    __int128 notional_half_ticks;   // sum of price in half ticks x lots
    __int128 mid_half_ticks_ns;     // sum of (bid + ask) x ns while bid < ask stood
    Nanoseconds mid_ns;             // ns while bid < ask stood
    std::int64_t last_price_half_ticks;  // no_price before the first trade
    std::int64_t trades;
    std::int64_t crossed_quotes, locked_quotes;  // instants that ended so
    Lots displaced;                 // traded on the tape by others, though here it was ours
    bool is_halted, is_closed;
};

struct DepthLevel {
    Ticks price;
    Lots quantity;
    std::int64_t orders;  // -1 on an L2 tape
};

// A resting order of ours: what is open, and how many displayed lots trade before it.
struct OpenOrder {
    Lots open, ahead;
};

struct InteractiveConfig {
    Nanoseconds report_delay = 0;
    QueueModel queue_model = QueueModel::pro_rata;
    Nanoseconds close = 0;  // resting orders expire then; the tape's last row when earlier than that
};

class InteractiveReplay {
public:
    static std::unique_ptr<InteractiveReplay> create(const Tape& tape, const InteractiveConfig& config);
    virtual ~InteractiveReplay() = default;

    // What arrives before now arrives now. Raises std::invalid_argument for a quantity that is not positive, or a price
    // that the kind needs and is missing. A key used before gets a rejected report.
    virtual void submit(std::uint64_t key, OrderKind kind, Side side, Lots quantity, Ticks price, Nanoseconds arrives) = 0;
    virtual void cancel(std::uint64_t key, Nanoseconds arrives) = 0;
    // `quantity` is the new total, filled lots included; no_price keeps the price.
    virtual void amend(std::uint64_t key, Lots quantity, Ticks price, Nanoseconds arrives) = 0;

    // Runs to `until`, or to the end of the first instant at which reports reach us, and returns those.
    virtual std::vector<Report> advance(Nanoseconds until) = 0;

    virtual Nanoseconds now() const = 0;
    // The earliest time at which anything can happen: a row, a request, a report. `never` when nothing is left.
    virtual Nanoseconds next_time() const = 0;
    virtual Snapshot snapshot() const = 0;
    virtual std::vector<DepthLevel> depth(Side side, std::size_t levels) const = 0;
    virtual OpenOrder open_order(std::uint64_t key) const = 0;  // {0, 0} when nothing is open
};

// Several replays on one clock: all run to `until`, or to the end of the first instant at which any of them has reports.
// Returns that time; received[i] is what the i-th heard.
Nanoseconds advance_together(const std::vector<InteractiveReplay*>& replays, Nanoseconds until,
                             std::vector<std::vector<Report>>& received);

}  // namespace bestex
