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

// Keeps the last `limit` of what is pushed.
template <class T>
class Last {
public:
    explicit Last(std::size_t limit) : limit_(limit) {}
    void push(const T& item) {
        if (limit_ == 0) return;
        if (items_.size() < limit_) items_.push_back(item);
        else items_[pushed_ % limit_] = item;
        ++pushed_;
    }
    std::vector<T> take() {
        if (pushed_ > items_.size()) std::rotate(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(pushed_ % limit_), items_.end());
        return std::move(items_);
    }

private:
    std::size_t limit_, pushed_ = 0;
    std::vector<T> items_;
};

bool same_quote(const QuoteRow& a, const QuoteRow& b) {
    return a.bid == b.bid && a.ask == b.ask && a.bid_quantity == b.bid_quantity && a.ask_quantity == b.ask_quantity;
}

template <class Book>
std::vector<QuoteRow> quotes(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit, QuoteStep step) {
    Book book(tape);
    Last<QuoteRow> found(limit);
    QuoteRow before{0, no_price, no_price, 0, 0};
    const auto see = [&](Nanoseconds time) {
        const Level bid = book.best(Side::buy), ask = book.best(Side::sell);
        QuoteRow quote{time, no_price, no_price, 0, 0};
        if (bid != no_level) quote.bid = tape.price(bid), quote.bid_quantity = book.quantity(Side::buy, bid);
        if (ask != no_level) quote.ask = tape.price(ask), quote.ask_quantity = book.quantity(Side::sell, ask);
        if (same_quote(before, quote)) return;
        found.push(quote);
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
    return found.take();
}

}  // namespace

std::vector<QuoteRow> quotes_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit, QuoteStep step) {
    return tape.flavour() == Flavour::l3 ? quotes<BookL3>(tape, start, end, limit, step)
                                         : quotes<BookL2>(tape, start, end, limit, step);
}

std::vector<TradeRow> trades_between(const Tape& tape, Nanoseconds start, Nanoseconds end, std::size_t limit) {
    Last<TradeRow> found(limit);
    each_row(tape, tape.start_for(start), [&](const Row& row, Nanoseconds time, std::uint32_t) {
        if (time >= end) return false;
        if (time < start) return true;
        const std::int64_t price = 2 * tape.price(tape.level(row));
        const auto found_one = [&](std::int64_t half, TradeKind kind) {
            found.push({time, price + half, row.quantity, opposite(row.side()), kind, {}});
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
    return found.take();
}

}  // namespace bestex
