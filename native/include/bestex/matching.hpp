// A limit-order book that matches: price, then time; owners never trade with themselves.
//
// Ladder of levels + bitmap of non-empty levels + 32-byte order nodes + open-addressing id table. Each operation
// appends what happened to `events()`; the caller reads and clears. Midpoint pegs are hidden, stand on the half-tick
// grid strictly inside this book's spread, and meet before any displayed level because their price is better.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bestex/level_set.hpp"
#include "bestex/order_index.hpp"
#include "bestex/types.hpp"

namespace bestex::matching {

enum class OperationKind : std::uint8_t {
    limit = 0,
    cancel = 1,
    immediate = 2,      // IOC; price any_price = market
    post_only = 3,
    amend = 4,          // quantity is the new open quantity; down at the same price keeps its place
    midpoint_peg = 5,   // rests hidden at the mid
};

constexpr std::int32_t any_price = INT32_MIN;  // immediate: takes at any price

struct Operation {
    OperationKind kind;
    Side side;
    std::uint16_t unused;
    std::int32_t price;     // ticks
    std::int32_t quantity;  // lots, positive
    std::uint32_t owner;    // 0 = nobody: no self-trade prevention
    std::uint64_t id;
};
static_assert(sizeof(Operation) == 24);

enum class MatchKind : std::uint8_t {
    rested = 0,     // `order` stands in the book with `quantity`
    traded = 1,     // `order` rested, `taker` came
    cancelled = 2,  // `quantity` given back
    rejected = 3,   // `quantity` refused, nothing changed
    reduced = 4,    // amended down in place; `remaining` is open
    replaced = 5,   // left its place with `quantity`; what follows is its new life
};

enum class MatchReason : std::uint8_t {
    none = 0,
    asked = 1,
    no_more_liquidity = 2,  // the rest of an immediate order
    self_trade = 3,         // the resting one gives way
    duplicate_id = 4,
    unknown_id = 5,
    price_out_of_range = 6,
    bad_quantity = 7,
    would_cross = 8,        // post-only
    not_amendable = 9,      // a peg has no price of its own
};

struct MatchEvent {
    std::uint64_t order;
    std::uint64_t taker;            // traded only, else 0
    std::int32_t price_half_ticks;  // traded and rested; 0 for a resting peg
    std::uint32_t quantity;         // lots
    std::uint32_t remaining;        // lots still open of `order`
    MatchKind kind;
    Side side;                      // of `order`
    MatchReason reason;
    std::uint8_t is_hidden;         // 1: `order` is a peg
};
static_assert(sizeof(MatchEvent) == 32);

struct LevelView {
    Ticks price;
    Lots quantity;
    std::uint32_t orders;
};

class MatchingEngine {
public:
    // Prices from lowest_price on, `levels` of them (at most 262,144; a multiple of 64).
    MatchingEngine(Ticks lowest_price, std::uint32_t levels);

    void apply(const Operation& operation);

    std::span<const MatchEvent> events() const { return {events_.data(), event_count_}; }
    void clear_events() { event_count_ = 0; }

    Ticks best_bid() const { return best_[0] < 0 ? no_price : lowest_ + best_[0]; }
    Ticks best_ask() const { return best_[1] >= levels_ ? no_price : lowest_ + best_[1]; }
    Lots quantity_at(Side side, Ticks price) const;  // displayed
    Lots open_quantity(std::uint64_t id) const;      // 0 if not live
    // Displayed lots that stand before the order at its price; -1 if not live or hidden.
    Lots quantity_ahead(std::uint64_t id) const;
    std::uint64_t first_order_at(Side side, Ticks price) const;  // 0 if none
    std::vector<LevelView> depth(Side side, std::size_t levels) const;
    std::size_t live_orders() const { return index_.size(); }
    bool has_pegs() const { return peg_quantity_[0] + peg_quantity_[1] > 0; }
    Lots peg_quantity(Side side) const { return static_cast<Lots>(peg_quantity_[static_cast<int>(side)]); }

    // Where pegs stand: by default this book's own mid. A consolidated mid in half ticks may be given instead; while it
    // does not lie strictly inside this book's spread (or is no_price) the pegs rest and meet nobody.
    void set_midpoint(Ticks half_ticks);
    void use_own_midpoint();
    Ticks midpoint_half_ticks() const;  // no_price where pegs cannot meet

    void clear();

private:
    struct Node {
        std::uint32_t next, prev;
        std::uint32_t remaining;
        std::uint32_t owner;
        std::uint64_t id;
        std::int32_t level;  // peg_level for a peg
        Side side;
        std::uint8_t unused[3];
    };
    static_assert(sizeof(Node) == 32);
    struct Level {
        std::uint32_t head, tail;
        std::uint64_t quantity;
    };
    static constexpr std::uint32_t none = OrderIndex::absent;
    static constexpr std::int32_t peg_level = -1;

    bool is_valid(const Operation& operation, bool needs_price);
    void enter(const Operation& operation, bool is_immediate);
    void enter_peg(const Operation& operation);
    void amend(const Operation& operation);
    void cancel(std::uint64_t id, MatchReason reason);
    std::uint32_t take(const Operation& operation, std::uint32_t wanted, std::int64_t limit_half_ticks, bool takes_lit);
    std::uint32_t take_queue(const Operation& operation, std::uint32_t wanted, std::uint32_t& head, std::int32_t price);
    bool rest(const Operation& operation, std::uint32_t quantity, std::int32_t level);
    void unlink(std::uint32_t node);
    std::int32_t worse(int side, std::int32_t level) const;
    void refresh_best(int side);
    std::uint32_t allocate();
    void emit(const MatchEvent& event) {
        if (event_count_ == events_.size()) [[unlikely]] events_.resize(2 * event_count_);
        events_[event_count_++] = event;
    }
    void reject(const Operation& operation, MatchReason reason);

    Ticks lowest_;
    std::int32_t levels_;
    std::array<std::int32_t, 2> best_;
    std::array<std::vector<Level>, 2> ladder_;
    std::array<LevelSet, 2> set_;
    std::array<Level, 2> pegs_;
    std::array<std::uint64_t, 2> peg_quantity_{};
    std::vector<Node> nodes_;
    std::uint32_t free_ = none;
    OrderIndex index_;
    std::vector<MatchEvent> events_;  // the first event_count_ of them
    std::size_t event_count_ = 0;
    bool has_own_midpoint_ = true;
    Ticks midpoint_ = no_price;
};

// Applies all operations and returns a digest of every event: what a benchmark or a comparison needs.
struct MatchingSummary {
    std::uint64_t events, trades, traded_lots, digest;
};
MatchingSummary run_operations(MatchingEngine& engine, std::span<const Operation> operations, bool with_digest);

}  // namespace bestex::matching
