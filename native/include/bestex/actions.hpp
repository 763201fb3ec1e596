// What is due next: orders and cancels on their way, answers coming back, timers.
//
// Ordered by (time, parent, the parent's own action number): keys local to a parent, so that company in the same pass
// cannot change the order of anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bestex/exchange.hpp"
#include "bestex/types.hpp"

namespace bestex {

enum class ActionKind : std::uint8_t {
    timer,     // wakes the algorithm
    volume,    // wakes the algorithm: others traded what it waited for
    arrive,    // an order reaches the venue
    cancel,    // a cancel of all its orders reaches the venue
    report,    // fills, or the end of an order, reach the algorithm
    answered,  // the cancel's answer reaches the algorithm
    best_price,  // wakes the algorithm: a best price has changed
    price,       // wakes the algorithm: a price has reached its level
};

struct Action {
    Nanoseconds time;
    std::uint32_t parent, number;
    ActionKind kind;
    bool ends;            // report: the order has ended
    std::uint32_t order;  // arrive, report
    Lots filled, returned;  // report
};

class Actions {
public:
    Nanoseconds due() const { return heap_.empty() ? never : heap_.front().time; }

    void push(const Action& action) {
        heap_.push_back(action);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }

    Action pop() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Action action = heap_.back();
        heap_.pop_back();
        return action;
    }

private:
    static bool later(const Action& a, const Action& b) {
        if (a.time != b.time) return a.time > b.time;
        return a.parent != b.parent ? a.parent > b.parent : a.number > b.number;
    }

    std::vector<Action> heap_;
};

}  // namespace bestex
