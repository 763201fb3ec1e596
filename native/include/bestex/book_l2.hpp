// The price-level book of a tape: what each level shows, and nothing about who is in it.
#pragma once

#include <cstdint>

#include "bestex/tape.hpp"
#include "bestex/zeroed_array.hpp"

namespace bestex {

class BookL2 {
public:
    static constexpr Flavour flavour = Flavour::l2;

    explicit BookL2(const Tape& tape)
        : levels_(tape.header().levels), shown_(2 * std::size_t{levels_}), sides_{LevelSet(levels_), LevelSet(levels_)} {}

    Level best(Side side) const { return side == Side::buy ? sides_[0].highest() : sides_[1].lowest(); }
    Level next(Side side, Level level) const {
        return side == Side::buy ? sides_[0].below(level) : sides_[1].above(level);
    }
    std::uint32_t quantity(Side side, Level level) const { return shown_[key(side, level)]; }

    // A level as the key of what was taken there.
    std::uint32_t key(Side side, Level level) const { return static_cast<std::uint32_t>(side) * levels_ + level; }

    void set(Side side, Level level, std::uint32_t quantity) {
        std::uint32_t& shown = shown_[key(side, level)];
        if (shown == 0) sides_[static_cast<unsigned>(side)].insert(level);
        shown = quantity;
    }

    void clear(Side side, Level level) {
        shown_[key(side, level)] = 0;
        sides_[static_cast<unsigned>(side)].erase(level);
    }

private:
    Level levels_;
    ZeroedArray<std::uint32_t> shown_;
    LevelSet sides_[2];
};

}  // namespace bestex
