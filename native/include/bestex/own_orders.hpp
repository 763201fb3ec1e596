// Our own orders: one pool, and for each side the levels where one of them rests.
//
// Displayed orders stand in one list per side and level, in order of arrival. Midpoint pegs all have the same price, so
// each side has one list of them.
#pragma once

#include <cstdint>
#include <vector>

#include "bestex/level_set.hpp"
#include "bestex/types.hpp"
#include "bestex/zeroed_array.hpp"

namespace bestex {

enum class OrderKind : std::uint8_t {
    market,     // takes what is there, the rest returns
    immediate,  // as market, no worse than its price
    limit,      // takes what is there no worse than its price, the rest rests
    post_only,  // rests; returns at once where it would take
    midpoint,   // rests hidden at the middle of the tape's quote, no worse than its price if it has one
};

enum class OrderState : std::uint8_t { travelling, resting, ended };

struct OwnOrder {
    Lots remaining = 0;
    Lots quantity = 0;
    Lots ahead = 0;            // L2: displayed lots still in line before it
    Ticks price = no_price;    // limit; no_price for market and a peg without one
    std::uint64_t key = 0;     // the owner's name for it
    std::uint32_t world = 0, owner = 0;
    std::uint32_t next = 0, previous = 0;              // in its level's or the pegs' list
    std::uint32_t owner_next = 0, owner_previous = 0;  // among its owner's live orders
    std::uint32_t join = 0;    // rows applied when it took its place
    std::uint32_t number = 0;  // its owner's own count
    Level level = 0;
    std::uint32_t awaited = 0; // messages under way about it
    OrderKind kind = OrderKind::market;
    Side side = Side::buy;
    OrderState state = OrderState::travelling;
};

class OwnOrders {
public:
    explicit OwnOrders(Level levels) : levels_(levels), queues_(2 * std::size_t{levels}), resting_{LevelSet(levels), LevelSet(levels)}, orders_(1) {}

    OwnOrder& operator[](std::uint32_t i) { return orders_[i]; }
    const OwnOrder& operator[](std::uint32_t i) const { return orders_[i]; }

    std::uint32_t create(const OwnOrder& order) {
        if (free_.empty()) {
            orders_.push_back(order);
            return static_cast<std::uint32_t>(orders_.size() - 1);
        }
        const std::uint32_t i = free_.back();
        free_.pop_back();
        orders_[i] = order;
        return i;
    }

    void recycle(std::uint32_t i) { free_.push_back(i); }

    void rest(std::uint32_t i) {
        OwnOrder& order = orders_[i];
        Queue& queue = queue_of(order);
        order.state = OrderState::resting;
        order.next = 0;
        order.previous = queue.last;
        (queue.last != 0 ? orders_[queue.last].next : queue.first) = i;
        queue.last = i;
        if (order.kind != OrderKind::midpoint) levels(order.side).insert(order.level);
        refresh(order.side);
    }

    void leave(std::uint32_t i) {
        OwnOrder& order = orders_[i];
        Queue& queue = queue_of(order);
        (order.previous != 0 ? orders_[order.previous].next : queue.first) = order.next;
        (order.next != 0 ? orders_[order.next].previous : queue.last) = order.previous;
        order.state = OrderState::ended;
        if (order.kind != OrderKind::midpoint && queue.first == 0) levels(order.side).erase(order.level);
        refresh(order.side);
    }

    // Could an order of ours on `side` trade at `level` or worse? One comparison, asked for every add and trade.
    bool reached(Side side, Level level) const {
        return reach_[static_cast<unsigned>(side)] >= towards_us(side, level);
    }
    bool rests_at(Side side, Level level) const { return resting_[static_cast<unsigned>(side)].contains(level); }

    Level best(Side side) const {
        const LevelSet& set = resting_[static_cast<unsigned>(side)];
        return side == Side::buy ? set.highest() : set.lowest();
    }
    Level next(Side side, Level level) const {
        const LevelSet& set = resting_[static_cast<unsigned>(side)];
        return side == Side::buy ? set.below(level) : set.above(level);
    }
    std::uint32_t first(Side side, Level level) const { return queues_[static_cast<unsigned>(side) * levels_ + level].first; }
    std::uint32_t first_peg(Side side) const { return pegs_[static_cast<unsigned>(side)].first; }

private:
    struct Queue {
        std::uint32_t first, last;
    };

    // A level as a number that grows the better it is for whoever trades with us: +level for a buy, -level for a sell.
    // Without a branch: which side a row is on cannot be foreseen.
    static std::int64_t towards_us(Side side, Level level) {
        const auto sells = static_cast<std::int64_t>(side);
        return (std::int64_t{level} ^ -sells) + sells;
    }

    LevelSet& levels(Side side) { return resting_[static_cast<unsigned>(side)]; }
    Queue& queue_of(const OwnOrder& order) {
        return order.kind == OrderKind::midpoint ? pegs_[static_cast<unsigned>(order.side)]
                                                 : queues_[static_cast<unsigned>(order.side) * levels_ + order.level];
    }

    // A peg's price moves with every quote, so while there is one every row is looked at.
    void refresh(Side side) {
        const Level level = best(side);
        reach_[static_cast<unsigned>(side)] = first_peg(side) != 0 ? INT64_MAX
                                              : level == no_level  ? INT64_MIN
                                                                   : towards_us(side, level);
    }

    Level levels_;
    ZeroedArray<Queue> queues_;
    Queue pegs_[2]{};
    LevelSet resting_[2];
    std::int64_t reach_[2] = {INT64_MIN, INT64_MIN};  // the best of ours, as towards_us
    std::vector<OwnOrder> orders_;  // [0] is nobody's
    std::vector<std::uint32_t> free_;
};

}  // namespace bestex
