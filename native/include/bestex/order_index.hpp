// From a feed's 64-bit order ids to dense slots: open addressing over the live orders only, no tombstones.
#pragma once

#include <cstdint>
#include <vector>

namespace bestex {

class OrderIndex {
public:
    static constexpr std::uint32_t absent = UINT32_MAX;

    OrderIndex() : cells_(1024) {}

    std::uint32_t find(std::uint64_t id) const {
        for (std::size_t i = home(id);; i = next(i)) {
            if (cells_[i].slot_plus_one == 0) return absent;
            if (cells_[i].id == id) return cells_[i].slot_plus_one - 1;
        }
    }

    // The id must be absent.
    void insert(std::uint64_t id, std::uint32_t slot) {
        if (++size_ * 2 > cells_.size()) grow();
        place({id, slot + 1});
    }

    // The id must be present. Later cells of the run move back, so no search ever meets a grave.
    void erase(std::uint64_t id) {
        std::size_t hole = home(id);
        while (cells_[hole].id != id || cells_[hole].slot_plus_one == 0) hole = next(hole);
        for (std::size_t i = next(hole); cells_[i].slot_plus_one != 0; i = next(i)) {
            const std::size_t wanted = home(cells_[i].id);
            if (((i - wanted) & mask()) >= ((i - hole) & mask())) {
                cells_[hole] = cells_[i];
                hole = i;
            }
        }
        cells_[hole].slot_plus_one = 0;
        --size_;
    }

    std::size_t size() const { return size_; }

private:
    struct Cell {
        std::uint64_t id;
        std::uint32_t slot_plus_one;  // 0 = empty
    };

    std::size_t mask() const { return cells_.size() - 1; }
    std::size_t next(std::size_t i) const { return (i + 1) & mask(); }
    std::size_t home(std::uint64_t id) const { return (id * 0x9E3779B97F4A7C15u >> 20) & mask(); }

    void place(const Cell& cell) {
        std::size_t i = home(cell.id);
        while (cells_[i].slot_plus_one != 0) i = next(i);
        cells_[i] = cell;
    }

    void grow() {
        std::vector<Cell> old(cells_.size() * 2);
        old.swap(cells_);
        for (const Cell& cell : old) {
            if (cell.slot_plus_one != 0) place(cell);
        }
    }

    std::vector<Cell> cells_;
    std::size_t size_ = 0;
};

}  // namespace bestex
