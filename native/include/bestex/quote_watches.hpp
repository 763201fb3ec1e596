// Who waits for a best price of the tape to change, or to reach a level.
//
// Asked at the end of an instant, and only while somebody waits. A change wakes everyone who waits for that price; levels
// are heaps, so that a quote compares one number for each price and direction. A waiter is woken once and then gone; one
// that has been taken back is skipped where it is met.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bestex/decision.hpp"
#include "bestex/types.hpp"

namespace bestex {

class QuoteWatches {
public:
    struct Waiter {
        std::uint32_t parent, number;
    };

    bool any() const { return waiting_ > 0; }

    // The quote from which changes count, for the first to wait.
    void begin(Ticks bid, Ticks ask) { seen_ = half_ticks(bid, ask); }

    void wait(Waiter waiter, Side side, std::uint8_t changes, const PriceLevel& level) {
        ++waiting_;
        for (const BestPrice price : {BestPrice::near, BestPrice::far, BestPrice::mid}) {
            if (changes & change_of(price)) changes_[index(side, price)].push_back(waiter);
        }
        if (level.half_ticks == no_price) return;
        auto& levels = levels_[index(side, level.price)][level.from_below];
        levels.push_back({level.from_below ? level.half_ticks : -level.half_ticks, waiter});
        std::push_heap(levels.begin(), levels.end());
    }

    // Somebody has been woken or waits no longer.
    void leave() {
        if (--waiting_ > 0) return;
        for (auto& list : changes_) list.clear();
        for (auto& both : levels_) both[0].clear(), both[1].clear();
    }

    // Calls due(waiter, its wake) for each whose price is there; due() returns whether it still waited.
    template <class Due>
    void see(Ticks bid, Ticks ask, Due&& due) {
        const Prices now = half_ticks(bid, ask), before = seen_;
        if (now == before) return;
        seen_ = now;
        for (std::size_t i = 0; i < now.size() && any(); ++i) {
            if (now[i] == no_price) continue;
            wake_reached(levels_[i][0], -now[i], due);
            wake_reached(levels_[i][1], now[i], due);
        }
        for (std::size_t i = 0; i < now.size() && any(); ++i) {
            if (now[i] == before[i]) continue;
            woken_.swap(changes_[i]);
            changes_[i].clear();
            for (const Waiter waiter : woken_) {
                if (due(waiter, Wake::best_price)) leave();
            }
            woken_.clear();
        }
    }

private:
    using Prices = std::array<Ticks, 3>;  // bid, ask, mid; no_price where there is none

    struct Level {
        Ticks distance;  // reached when the price, in its direction, is at least this
        Waiter waiter;
        bool operator<(const Level& other) const { return distance > other.distance; }
    };

    static std::size_t index(Side side, BestPrice price) {
        if (price == BestPrice::mid) return 2;
        return static_cast<std::size_t>(price) ^ static_cast<std::size_t>(side);
    }

    static Prices half_ticks(Ticks bid, Ticks ask) {
        return {bid == no_price ? no_price : 2 * bid, ask == no_price ? no_price : 2 * ask,
                bid == no_price || ask == no_price ? no_price : bid + ask};
    }

    template <class Due>
    void wake_reached(std::vector<Level>& levels, Ticks reached, Due&& due) {
        while (!levels.empty() && levels.front().distance <= reached) {
            const Waiter waiter = levels.front().waiter;
            std::pop_heap(levels.begin(), levels.end());
            levels.pop_back();
            if (due(waiter, Wake::price)) leave();
        }
    }

    std::size_t waiting_ = 0;
    Prices seen_{no_price, no_price, no_price};
    std::array<std::vector<Waiter>, 3> changes_;
    std::array<std::array<std::vector<Level>, 2>, 3> levels_;
    std::vector<Waiter> woken_;
};

}  // namespace bestex
