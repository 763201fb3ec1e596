// From 64-bit order ids to dense slots: open addressing over the live orders only, and deletion by shifting back, so that
// no search ever meets a grave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bestex {

class OrderIndex {
public:
    static constexpr std::uint32_t absent = UINT32_MAX;

    OrderIndex() : cells_(1024, Cell{0, absent}), mask_(1023), shift_(64 - 10) {}

    std::uint32_t find(std::uint64_t id) const {
        for (std::size_t i = home(id);; i = (i + 1) & mask_) {
            if (cells_[i].slot == absent) return absent;
            if (cells_[i].id == id) return cells_[i].slot;
        }
    }

    // False: already there, and nothing changes.
    [[gnu::always_inline]] inline bool insert(std::uint64_t id, std::uint32_t slot) {
        if (2 * (size_ + 1) > cells_.size()) grow();
        std::size_t i = home(id);
        while (cells_[i].slot != absent) {
            if (cells_[i].id == id) return false;
            i = (i + 1) & mask_;
        }
        cells_[i] = {id, slot};
        ++size_;
        return true;
    }

    // The slot it had, or absent.
    [[gnu::always_inline]] inline std::uint32_t erase(std::uint64_t id) {
        std::size_t hole = home(id);
        while (cells_[hole].id != id || cells_[hole].slot == absent) {
            if (cells_[hole].slot == absent) return absent;
            hole = (hole + 1) & mask_;
        }
        const std::uint32_t slot = cells_[hole].slot;
        for (std::size_t i = (hole + 1) & mask_; cells_[i].slot != absent; i = (i + 1) & mask_) {
            if (((i - home(cells_[i].id)) & mask_) >= ((i - hole) & mask_)) {
                cells_[hole] = cells_[i];
                hole = i;
            }
        }
        cells_[hole].slot = absent;
        --size_;
        return slot;
    }

    std::size_t size() const { return size_; }

    void clear() {
        cells_.assign(cells_.size(), Cell{0, absent});
        size_ = 0;
    }

private:
    struct Cell {
        std::uint64_t id;
        std::uint32_t slot;  // absent = empty
    };

    std::size_t home(std::uint64_t id) const { return (id * 0x9E3779B97F4A7C15u) >> shift_; }

    [[gnu::noinline]] void grow() {
        std::vector<Cell> old(cells_.size() * 2, Cell{0, absent});
        old.swap(cells_);
        mask_ = cells_.size() - 1;
        --shift_;
        for (const Cell& cell : old) {
            if (cell.slot == absent) continue;
            std::size_t i = home(cell.id);
            while (cells_[i].slot != absent) i = (i + 1) & mask_;
            cells_[i] = cell;
        }
    }

    std::vector<Cell> cells_;
    std::size_t mask_, size_ = 0;
    int shift_;
};

}  // namespace bestex
