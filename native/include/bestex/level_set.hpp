// A set of price levels that answers "which is the highest, the lowest, the next" in a few instructions.
//
// A bitmap with three summaries above it, 64-fold each. A summary is written only when a word becomes zero or
// non-zero, which is rare: near the touch a word holds many levels.
#pragma once

#include <bit>
#include <cstdint>

#include "bestex/zeroed_array.hpp"

namespace bestex {

using Level = std::uint32_t;

constexpr Level no_level = UINT32_MAX;

class LevelSet {
public:
    explicit LevelSet(Level levels)
        : leaves_(levels / 64 + 1), middle_(levels / 4096 + 1), upper_(levels / 262144 + 1) {}

    bool contains(Level i) const { return leaves_[i >> 6] >> (i & 63) & 1; }

    void insert(Level i) {
        std::uint64_t& word = leaves_[i >> 6];
        const bool was_empty = word == 0;
        word |= bit(i);
        if (was_empty) {
            middle_[i >> 12] |= bit(i >> 6);
            upper_[i >> 18] |= bit(i >> 12);
            top_ |= bit(i >> 18);
        }
    }

    void erase(Level i) {
        if ((leaves_[i >> 6] &= ~bit(i)) != 0) return;
        if ((middle_[i >> 12] &= ~bit(i >> 6)) != 0) return;
        if ((upper_[i >> 18] &= ~bit(i >> 12)) != 0) return;
        top_ &= ~bit(i >> 18);
    }

    void clear() {
        while (top_ != 0) erase(lowest());
    }

    // no_level when the set is empty.
    Level highest() const { return top_ == 0 ? no_level : highest_under(last(top_)); }
    Level lowest() const { return top_ == 0 ? no_level : lowest_under(first(top_)); }

    // The nearest member strictly above or below; no_level when there is none.
    Level above(Level i) const {
        if (const auto w = leaves_[i >> 6] & after(i)) return (i & ~63u) | first(w);
        if (const auto w = middle_[i >> 12] & after(i >> 6)) return lowest_leaf((i >> 12 << 6) | first(w));
        if (const auto w = upper_[i >> 18] & after(i >> 12)) return lowest_middle((i >> 18 << 6) | first(w));
        if (const auto w = top_ & after(i >> 18)) return lowest_under(first(w));
        return no_level;
    }
    Level below(Level i) const {
        if (const auto w = leaves_[i >> 6] & before(i)) return (i & ~63u) | last(w);
        if (const auto w = middle_[i >> 12] & before(i >> 6)) return highest_leaf((i >> 12 << 6) | last(w));
        if (const auto w = upper_[i >> 18] & before(i >> 12)) return highest_middle((i >> 18 << 6) | last(w));
        if (const auto w = top_ & before(i >> 18)) return highest_under(last(w));
        return no_level;
    }

    static constexpr Level levels_max = 1u << 24;

private:
    static std::uint64_t bit(Level i) { return std::uint64_t{1} << (i & 63); }
    static std::uint64_t before(Level i) { return bit(i) - 1; }
    static std::uint64_t after(Level i) { return ~(bit(i) | before(i)); }
    static Level first(std::uint64_t word) { return static_cast<Level>(std::countr_zero(word)); }
    static Level last(std::uint64_t word) { return 63u - static_cast<Level>(std::countl_zero(word)); }

    Level lowest_leaf(Level word) const { return word << 6 | first(leaves_[word]); }
    Level lowest_middle(Level word) const { return lowest_leaf(word << 6 | first(middle_[word])); }
    Level lowest_under(Level word) const { return lowest_middle(word << 6 | first(upper_[word])); }
    Level highest_leaf(Level word) const { return word << 6 | last(leaves_[word]); }
    Level highest_middle(Level word) const { return highest_leaf(word << 6 | last(middle_[word])); }
    Level highest_under(Level word) const { return highest_middle(word << 6 | last(upper_[word])); }

    ZeroedArray<std::uint64_t> leaves_, middle_, upper_;
    std::uint64_t top_ = 0;
};

}  // namespace bestex
