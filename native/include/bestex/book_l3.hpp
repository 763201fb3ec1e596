// The order-by-order book of a tape: exact queues, one 16-byte node an order.
//
// Each level is a ring whose sentinel lies in the same array as the orders, so linking has no branch. The sentinel's
// own fields hold the level's lots and number of orders.
#pragma once

#include <cstdint>

#include "bestex/tape.hpp"
#include "bestex/zeroed_array.hpp"

namespace bestex {

class BookL3 {
public:
    static constexpr Flavour flavour = Flavour::l3;

    struct Node {
        std::uint32_t next, prev;
        std::uint32_t remaining;  // lots; of a sentinel: lots of its level
        std::uint32_t birth;      // number of the row that added it; of a sentinel: orders of its level
    };

    explicit BookL3(const Tape& tape)
        : levels_(tape.header().levels), nodes_(2 * std::size_t{levels_} + tape.header().slots), sides_{levels_set(), levels_set()} {}

    Level best(Side side) const { return side == Side::buy ? bids().highest() : asks().lowest(); }
    Level next(Side side, Level level) const { return side == Side::buy ? bids().below(level) : asks().above(level); }
    std::uint32_t quantity(Side side, Level level) const { return nodes_[sentinel(side, level)].remaining; }
    std::uint32_t orders(Side side, Level level) const { return nodes_[sentinel(side, level)].birth; }

    // The queue of a level, first in line first: from first() by after() until end().
    std::uint32_t first(Side side, Level level) const { return nodes_[sentinel(side, level)].next; }
    std::uint32_t after(std::uint32_t node) const { return nodes_[node].next; }
    std::uint32_t end(Side side, Level level) const { return sentinel(side, level); }
    const Node& node(std::uint32_t i) const { return nodes_[i]; }
    std::uint32_t slot(std::uint32_t node) const { return node - 2 * levels_; }
    std::uint32_t node_of_slot(std::uint32_t slot) const { return 2 * levels_ + slot; }

    void add(Side side, Level level, std::uint32_t slot, std::uint32_t quantity, std::uint32_t row) {
        const std::uint32_t head = sentinel(side, level), i = node_of_slot(slot);
        Node& ring = nodes_[head];
        if (ring.birth == 0) {
            ring.next = ring.prev = head;
            sides_[static_cast<unsigned>(side)].insert(level);
        }
        nodes_[i] = {head, ring.prev, quantity, row};
        nodes_[ring.prev].next = i;
        ring.prev = i;
        ring.remaining += quantity;
        ++ring.birth;
    }

    void reduce(Side side, Level level, std::uint32_t slot, std::uint32_t quantity) {
        nodes_[node_of_slot(slot)].remaining -= quantity;
        nodes_[sentinel(side, level)].remaining -= quantity;
    }

    void remove(Side side, Level level, std::uint32_t slot) {
        Node& order = nodes_[node_of_slot(slot)];
        Node& ring = nodes_[sentinel(side, level)];
        nodes_[order.prev].next = order.next;
        nodes_[order.next].prev = order.prev;
        ring.remaining -= order.remaining;
        order.remaining = 0;
        if (--ring.birth == 0) sides_[static_cast<unsigned>(side)].erase(level);
    }

private:
    LevelSet levels_set() const { return LevelSet(levels_); }
    const LevelSet& bids() const { return sides_[0]; }
    const LevelSet& asks() const { return sides_[1]; }
    std::uint32_t sentinel(Side side, Level level) const { return static_cast<std::uint32_t>(side) * levels_ + level; }

    Level levels_;
    ZeroedArray<Node> nodes_;
    LevelSet sides_[2];
};

}  // namespace bestex
