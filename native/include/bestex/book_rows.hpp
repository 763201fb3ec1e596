// How a tape's rows change each kind of book, and nothing else. For readers of the past; replay adds the fill rules.
#pragma once

#include "bestex/book_l2.hpp"
#include "bestex/book_l3.hpp"

namespace bestex {

inline void apply_row(BookL3& book, const Row& row, Level level, std::uint32_t row_number) {
    switch (row.kind) {
        case RowKind::add: return book.add(row.side(), level, row.order, row.quantity, row_number);
        case RowKind::cancel:
        case RowKind::fill: return book.reduce(row.side(), level, row.order, row.quantity);
        case RowKind::cancel_last:
        case RowKind::fill_last: return book.remove(row.side(), level, row.order);
        default: return;
    }
}

inline void apply_row(BookL2& book, const Row& row, Level level, std::uint32_t) {
    switch (row.kind) {
        case RowKind::add:
        case RowKind::cancel:
        case RowKind::fill: return book.set(row.side(), level, row.order);
        case RowKind::cancel_last:
        case RowKind::fill_last: return book.clear(row.side(), level);
        default: return;
    }
}

}  // namespace bestex
