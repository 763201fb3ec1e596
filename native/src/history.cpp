#include "bestex/history.hpp"

#include <algorithm>

#include "bestex/book_rows.hpp"

namespace bestex {

namespace {

// Calls visit(row, time, row number) for each row but time rows until it returns false; pages are let go behind it.
template <class Visit>
void each_row(const Tape& tape, Tape::Start start, Visit&& visit) {
    Nanoseconds base = start.base;
    for (std::uint32_t from = start.row; from < tape.size();) {
        const std::uint32_t to = std::min<std::uint64_t>(tape.size(), std::uint64_t{from} + rows_per_chunk);
        bool goes_on = true;
        for (std::uint32_t i = from; i < to && goes_on; ++i) {
            const Row& row = tape.rows()[i];
            if (row.kind == RowKind::time) {
                base = row.time_base();
            } else {
                goes_on = visit(row, base + row.time, i + 1);
            }
        }
        tape.release(from, to);
        if (!goes_on) return;
        from = to;
    }
}

// Lets go of all but the latest `limit` rows whenever there are twice as many, so that a short answer needs little room.
template <class Rows>
void keep_latest(Rows& rows, std::size_t limit, std::size_t slack) {
    if (rows.size() < slack || rows.size() - slack <= limit) return;
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(limit));
}

bool same_quote(const QuoteRow& a, const QuoteRow& b) {
    return a.bid == b.bid && a.ask == b.ask && a.bid_quantity == b.bid_quantity && a.ask_quantity == b.ask_quantity;
}

template <class Book>
std::vector<QuoteRow> quotes(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit, QuoteStep step) {
    Book book(tape);
    std::vector<QuoteRow> found;
    QuoteRow before{0, no_price, no_price, 0, 0};
    const auto see = [&](Nanoseconds time) {
        const Level bid = book.best(Side::buy), ask = book.best(Side::sell);
        QuoteRow quote{time, no_price, no_price, 0, 0};
        if (bid != no_level) quote.bid = tape.price(bid), quote.bid_quantity = book.quantity(Side::buy, bid);
        if (ask != no_level) quote.ask = tape.price(ask), quote.ask_quantity = book.quantity(Side::sell, ask);
        if (same_quote(before, quote)) return;
        found.push_back(quote);
        keep_latest(found, limit, limit);
        before = quote;
    };
    Nanoseconds last = 0;
    bool any = false;
    // A state is seen when its instant is over (or at each row); up to `start` only the one left standing matters.
    each_row(tape, {0, 0}, [&](const Row& row, Nanoseconds time, std::uint32_t number) {
        if (any && time > last && (last <= start ? time > start : step == QuoteStep::instant)) see(last);
        any = time < end;
        if (!any) return false;
        apply_row(book, row, tape.level(row), number);
        if (step == QuoteStep::row && time > start) see(time);
        last = time;
        return true;
    });
    if (any && (last <= start || step == QuoteStep::instant)) see(last);
    keep_latest(found, limit, 0);
    return found;
}

}  // namespace

std::vector<QuoteRow> quotes_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit, QuoteStep step) {
    return tape.flavour() == Flavour::l3 ? quotes<BookL3>(tape, start, end, limit, step)
                                         : quotes<BookL2>(tape, start, end, limit, step);
}

std::vector<TradeRow> trades_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit) {
    std::vector<TradeRow> found;
    each_row(tape, tape.start_for(start), [&](const Row& row, Nanoseconds time, std::uint32_t) {
        if (time >= end) return false;
        if (time < start) return true;
        const std::int64_t price = 2 * tape.price(tape.level(row));
        const auto found_one = [&](std::int64_t half, TradeKind kind) {
            found.push_back({time, price + half, row.quantity, opposite(row.side()), kind, {}});
            keep_latest(found, limit, limit);
        };
        switch (row.kind) {
            case RowKind::fill:
            case RowKind::fill_last: found_one(0, TradeKind::displayed); break;
            case RowKind::hidden: found_one(row.order, TradeKind::hidden); break;
            case RowKind::print: found_one(row.order, TradeKind::print); break;
            case RowKind::cross: found_one(row.order, TradeKind::cross); break;
            default: break;
        }
        return true;
    });
    keep_latest(found, limit, 0);
    return found;
}

}  // namespace bestex
