// When a simulated order fills: the tape's book, our own orders over it, and the rules between them.
//
// The tape is shared and never written. Each world sees the tape less its own claims, and no other world. The rules are
// numbered as in docs/fill-rules.md. A Sink hears what happens to our orders:
//     on_fill(order, quantity, price_half_ticks, Liquidity), then on_done(order, quantity given back, Ended) once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "bestex/book_l2.hpp"
#include "bestex/book_l3.hpp"
#include "bestex/book_rows.hpp"
#include "bestex/claims.hpp"
#include "bestex/own_orders.hpp"
#include "bestex/tape.hpp"

namespace bestex {

enum class Liquidity : std::uint8_t { added, removed, midpoint };

enum class Ended : std::uint8_t { filled, cancelled, unfilled, would_take, halted, closed };

// Which part of a cancelled quantity stood before us in an L2 queue, a = ahead, b = behind: nothing unless forced,
// a/(a+b), a^2/(a^2+b^2), or all of it.
enum class QueueModel : std::uint8_t { behind_first, pro_rata, square, ahead_first };

// One execution's view of the tape: its own volume and what the tape traded that it had already taken.
struct World {
    Lots passive = 0;    // filled by trades of the tape: no volume of its own
    Lots taken = 0;      // filled by taking, or by an arriving order of the tape: volume the tape does not show
    Lots displaced = 0;  // traded on the tape by others, though in this world it was ours
    std::uint32_t row = 0;   // row that `row_filled` speaks of
    Lots row_filled = 0;     // got from that row
};

template <class Book, class Sink>
class Exchange {
    static constexpr bool is_l3 = Book::flavour == Flavour::l3;

public:
    Exchange(const Tape& tape, std::uint32_t worlds, QueueModel queue_model, Sink& sink)
        : tape_(tape), book_(tape), own_(tape.header().levels), worlds_(worlds),
          claims_(is_l3 ? tape.header().slots : 2 * std::size_t{tape.header().levels}, worlds), queue_model_(queue_model),
          sink_(sink) {}

    const Book& book() const { return book_; }
    OwnOrders& orders() { return own_; }
    const OwnOrders& orders() const { return own_; }
    const World& world(std::uint32_t i) const { return worlds_[i]; }
    std::uint32_t rows_applied() const { return row_number_; }
    bool is_halted() const { return halted_; }
    Lots traded() const { return traded_; }  // on the tape, crosses apart
    Ticks best_price(Side side) const {
        const Level level = book_.best(side);
        return level == no_level ? no_price : tape_.price(level);
    }
    Lots best_quantity(Side side) const {
        const Level level = book_.best(side);
        return level == no_level ? 0 : book_.quantity(side, level);
    }

    // Applies the next row of the tape. Nearly always nothing of ours is near: one branch decides that, since what kind of
    // row comes next cannot be foreseen.
    void apply(const Row& row) {
        ++row_number_;
        const Side side = row.side();
        const Level level = tape_.level(row);
        const bool adds = row.kind == RowKind::add;
        const bool displayed = row.kind >= RowKind::add && row.kind <= RowKind::fill_last;
        if (!displayed) [[unlikely]] return apply_near_us(row, side, level);
        const auto side_it_meets = static_cast<Side>(static_cast<unsigned>(side) ^ static_cast<unsigned>(adds));
        bool is_near = own_.reached(side_it_meets, level) | claims_.any(target(row, side, level));
        if constexpr (!is_l3) is_near |= own_.rests_at(side, level);
        if (is_near) [[unlikely]] return apply_near_us(row, side, level);
        const bool traded = row.kind >= RowKind::fill;
        traded_ += traded ? row.quantity : 0;
        const bool last = row.kind == RowKind::cancel_last || row.kind == RowKind::fill_last;
        if constexpr (is_l3) {
            if (adds) book_.add(side, level, row.order, row.quantity, row_number_);
            else if (last) book_.remove(side, level, row.order);
            else book_.reduce(side, level, row.order, row.quantity);
        } else {
            if (last) book_.clear(side, level);
            else book_.set(side, level, row.order);
        }
    }

    // Rule 1, 8: an order reaches the venue.
    void arrive(std::uint32_t i) {
        OwnOrder& order = own_[i];
        order.level = order.price == no_price ? 0 : tape_.level_of(order.price);
        if (halted_) return finish(i, Ended::halted);
        switch (order.kind) {
            case OrderKind::market:
            case OrderKind::immediate:
                take(i);
                return finish(i, own_[i].remaining == 0 ? Ended::filled : Ended::unfilled);
            case OrderKind::limit:
                take(i);
                return own_[i].remaining == 0 ? finish(i, Ended::filled) : join_queue(i);
            case OrderKind::post_only: return would_take(order) ? finish(i, Ended::would_take) : join_queue(i);
            case OrderKind::midpoint: return join_queue(i);
        }
    }

    // Ends a resting order; what has ended stays as it is.
    void cancel(std::uint32_t i, Ended why = Ended::cancelled) {
        if (own_[i].state != OrderState::resting) return;
        own_.leave(i);
        finish(i, why);
    }

    // Rule 8: down at the same price keeps the place in line; anything else is a new arrival. `quantity` counts what is
    // filled already.
    void amend(std::uint32_t i, Lots quantity, Ticks price) {
        OwnOrder& order = own_[i];
        if (order.state != OrderState::resting) return;
        const Lots filled = order.quantity - order.remaining;
        if (quantity <= filled) return cancel(i);
        const bool keeps_place = price == order.price && quantity <= order.quantity;
        order.quantity = quantity;
        order.remaining = quantity - filled;
        if (keeps_place) return;
        own_.leave(i);
        order.price = price;
        arrive(i);
    }

    // Displayed lots that trade before a resting order of ours, less what its world has taken of them.
    Lots ahead_of(std::uint32_t i) const {
        const OwnOrder& order = own_[i];
        if (order.kind == OrderKind::midpoint || order.state != OrderState::resting) return 0;
        if constexpr (is_l3) {
            Lots lots = 0;
            if (book_.quantity(order.side, order.level) == 0) return 0;
            for (std::uint32_t n = book_.first(order.side, order.level); n != book_.end(order.side, order.level); n = book_.after(n)) {
                if (book_.node(n).birth > order.join) break;
                lots += book_.node(n).remaining - claims_.taken(order.world, book_.slot(n));
            }
            return lots;
        } else {
            return order.ahead;
        }
    }

private:
    // A row that may touch an order or a claim of ours, or is not of the displayed book.
    void apply_near_us(const Row& row, Side side, Level level) {
        switch (row.kind) {
            case RowKind::time:
            case RowKind::cross: return;
            case RowKind::add:
                if (own_.reached(opposite(side), level)) cross_added(side, level, row.quantity);
                apply_row(book_, row, level, row_number_);
                return claim_added(target(row, side, level));
            case RowKind::cancel:
            case RowKind::cancel_last: return take_off(row, side, level, false);
            case RowKind::fill:
            case RowKind::fill_last:
                if (own_.reached(side, level)) executed(side, 2 * std::int64_t{level}, false, row);
                traded_ += row.quantity;
                return take_off(row, side, level, true);
            case RowKind::print:
                if (own_.reached(side, level)) executed(side, 2 * std::int64_t{level} + row.order, false, row);
                if (row.order == 0) shorten_queues(side, level, row, true);
                traded_ += row.quantity;
                return;
            case RowKind::hidden:
                if (own_.reached(side, level)) executed(side, 2 * std::int64_t{level} + row.order, true, row);
                traded_ += row.quantity;
                return;
            case RowKind::halt: halted_ = true; return;
            case RowKind::resume: halted_ = false; return;
        }
    }

    void take_off(const Row& row, Side side, Level level, bool traded) {
        shorten_queues(side, level, row, traded);
        apply_row(book_, row, level, row_number_);
        cut_claims(row, side, level, traded);
    }

    // What a claim is on: the tape's order, or the level.
    std::uint32_t target(const Row& row, Side side, Level level) const {
        if constexpr (is_l3) return row.order;
        else return book_.key(side, level);
    }

    void finish(std::uint32_t i, Ended why) {
        OwnOrder& order = own_[i];
        const Lots returned = order.remaining;
        order.remaining = 0;
        order.state = OrderState::ended;
        sink_.on_done(i, returned, why);
    }

    bool within(const OwnOrder& order, Level level) const {
        if (order.price == no_price) return true;
        return order.side == Side::buy ? level <= order.level : level >= order.level;
    }

    // Rules 1 and 2: best price first, each displayed order in line, less what this world took before.
    void take(std::uint32_t i) {
        const Side side = opposite(own_[i].side);
        for (Level level = book_.best(side); level != no_level && own_[i].remaining > 0 && within(own_[i], level);
             level = book_.next(side, level)) {
            const Lots quantity = take_level(own_[i].world, side, level, own_[i].remaining);
            if (quantity == 0) continue;
            own_[i].remaining -= quantity;
            worlds_[own_[i].world].taken += quantity;
            sink_.on_fill(i, quantity, 2 * tape_.price(level), Liquidity::removed);
        }
    }

    Lots take_level(std::uint32_t world, Side side, Level level, Lots wanted) {
        Lots got = 0;
        if constexpr (is_l3) {
            for (std::uint32_t n = book_.first(side, level); n != book_.end(side, level) && got < wanted; n = book_.after(n)) {
                const std::uint32_t slot = book_.slot(n);
                const Lots quantity = std::min(wanted - got, book_.node(n).remaining - claims_.taken(world, slot));
                if (quantity > 0) claims_.take(world, slot, quantity);
                got += quantity;
            }
        } else {
            const std::uint32_t key = book_.key(side, level);
            got = std::min(wanted, book_.quantity(side, level) - claims_.taken(world, key));
            if (got > 0) claims_.take(world, key, got);
        }
        return got;
    }

    bool would_take(const OwnOrder& order) const {
        const Side side = opposite(order.side);
        for (Level level = book_.best(side); level != no_level && within(order, level); level = book_.next(side, level)) {
            if (available(order.world, side, level) > 0) return true;
        }
        return false;
    }

    // Displayed less claimed.
    Lots available(std::uint32_t world, Side side, Level level) const {
        Lots lots = book_.quantity(side, level);
        if (lots == 0 || !claims_.world_has_any(world)) return lots;
        if constexpr (is_l3) {
            for (std::uint32_t n = book_.first(side, level); n != book_.end(side, level); n = book_.after(n)) {
                lots -= claims_.taken(world, book_.slot(n));
            }
            return lots;
        } else {
            return lots - claims_.taken(world, book_.key(side, level));
        }
    }

    void join_queue(std::uint32_t i) {
        OwnOrder& order = own_[i];
        order.join = row_number_;
        if constexpr (!is_l3) {
            if (order.kind != OrderKind::midpoint) order.ahead = available(order.world, order.side, order.level);
        }
        own_.rest(i);
    }

    // The middle of the tape's quote in half levels; -1 where there is none.
    std::int64_t middle() const {
        const Level bid = book_.best(Side::buy), ask = book_.best(Side::sell);
        return bid == no_level || ask == no_level || bid >= ask ? -1 : std::int64_t{bid} + ask;
    }

    Lots& got_from_this_row(std::uint32_t world) {
        World& w = worlds_[world];
        if (w.row != row_number_) {
            w.row = row_number_;
            w.row_filled = 0;
        }
        return w.row_filled;
    }

    // How a resting order of ours came to fill.
    enum class Aggressor { traded_on_tape, arrived };

    // A resting order of ours gets up to `offered`.
    Lots fill_resting(std::uint32_t i, Lots offered, std::int64_t price_half_ticks, Liquidity liquidity, Aggressor aggressor) {
        OwnOrder& order = own_[i];
        const Lots quantity = std::min(order.remaining, offered);
        if (quantity <= 0) return 0;
        order.remaining -= quantity;
        got_from_this_row(order.world) += quantity;
        World& world = worlds_[order.world];
        if (aggressor == Aggressor::traded_on_tape) {
            world.passive += quantity;
            world.displaced += quantity;
        } else {
            world.taken += quantity;
        }
        sink_.on_fill(i, quantity, price_half_ticks, liquidity);
        if (own_[i].remaining == 0) {
            own_.leave(i);
            finish(i, Ended::filled);
        }
        return quantity;
    }

    // Visits our orders on `side` that a trade at `price` (half levels) or better for them reaches, in the order in
    // which a world's orders trade: price, displayed before hidden, time. offered(order, is at the trade's own price).
    template <class Visit, class VisitPeg>
    void each_reached(Side side, std::int64_t price, Visit&& visit, VisitPeg&& visit_peg) {
        const auto not_worse = [side](std::int64_t a, std::int64_t b) { return side == Side::buy ? a >= b : a <= b; };
        const std::int64_t middle_price = own_.first_peg(side) != 0 ? middle() : -1;
        bool pegs_due = middle_price >= 0 && not_worse(middle_price, price);
        const auto pegs = [&] {
            pegs_due = false;
            for (std::uint32_t i = own_.first_peg(side), next; i != 0; i = next) {
                next = own_[i].next;
                if (own_[i].price == no_price || not_worse(2 * std::int64_t{own_[i].level}, middle_price)) visit_peg(i, middle_price);
            }
        };
        for (Level level = own_.best(side), worse; level != no_level && not_worse(2 * std::int64_t{level}, price); level = worse) {
            if (pegs_due && !not_worse(2 * std::int64_t{level}, middle_price)) pegs();
            worse = own_.next(side, level);
            for (std::uint32_t i = own_.first(side, level), next; i != 0; i = next) {
                next = own_[i].next;
                if (!visit(i)) break;
            }
        }
        if (pegs_due) pegs();
    }

    std::int64_t price_of_middle(std::int64_t half_levels) const { return 2 * tape_.price(0) + half_levels; }

    // Rules 3, 5, 6, 7: the tape traded `row.quantity` on the resting side `side` at `price` (half levels).
    void executed(Side side, std::int64_t price, bool hidden, const Row& row) {
        each_reached(
            side, price,
            [&](std::uint32_t i) {
                const OwnOrder& order = own_[i];
                Lots offered = row.quantity - got_from_this_row(order.world);
                if (2 * std::int64_t{order.level} == price && !hidden) {
                    if constexpr (is_l3) {
                        // The list is in order of arrival: the first that stands behind the order hit ends it.
                        if (order.join >= book_.node(book_.node_of_slot(row.order)).birth) return false;
                    } else {
                        offered -= order.ahead;
                    }
                }
                fill_resting(i, offered, 2 * order.price, Liquidity::added, Aggressor::traded_on_tape);
                return true;
            },
            [&](std::uint32_t i, std::int64_t middle_price) {
                // At the middle itself a hidden order of unknown age stands before ours.
                if (middle_price == price) return;
                const Lots offered = row.quantity - got_from_this_row(own_[i].world);
                fill_resting(i, offered, price_of_middle(middle_price), Liquidity::midpoint, Aggressor::traded_on_tape);
            });
    }

    // Rule 4: an order of the tape arrives at or through ours, and is an aggressor of its quantity.
    void cross_added(Side side, Level level, Lots quantity) {
        const auto fill = [&](std::uint32_t i, std::int64_t price_half_ticks, Liquidity liquidity) {
            const std::uint32_t world = own_[i].world;
            const Lots offered = quantity - got_from_this_row(world);
            const Lots got = fill_resting(i, offered, price_half_ticks, liquidity, Aggressor::arrived);
            if (got > 0) added_.push_back({world, got});
        };
        each_reached(
            opposite(side), 2 * std::int64_t{level},
            [&](std::uint32_t i) {
                fill(i, 2 * own_[i].price, Liquidity::added);
                return true;
            },
            [&](std::uint32_t i, std::int64_t middle_price) { fill(i, price_of_middle(middle_price), Liquidity::midpoint); });
    }

    // What an arriving order gave us is taken from it, or the world could take it a second time.
    void claim_added(std::uint32_t target_of_row) {
        for (const auto& [world, quantity] : added_) claims_.take(world, target_of_row, quantity);
        added_.clear();
    }

    // Rules 2 and 9, after the row is applied.
    void cut_claims(const Row& row, Side side, Level level, bool traded) {
        Lots left;
        if constexpr (is_l3) left = book_.node(book_.node_of_slot(row.order)).remaining;
        else left = book_.quantity(side, level);
        const Lots taken_by_tape = !is_l3 && traded ? row.quantity : 0;
        claims_.shrink(
            target(row, side, level), [&](Lots had) { return std::clamp<Lots>(had - taken_by_tape, 0, left); },
            [&](std::uint32_t world, Lots lost) {
                if (traded) worlds_[world].displaced += std::min(lost, row.quantity - got_from_this_row(world));
            });
    }

    // Rule 7, before the row is applied: how many displayed lots still stand before each of ours.
    void shorten_queues(Side side, Level level, const Row& row, bool traded) {
        if constexpr (!is_l3) {
            const bool prints_only = row.kind == RowKind::print;
            const Lots shown = book_.quantity(side, level);
            const Lots after = prints_only ? shown : std::max<Lots>(shown - row.quantity, 0);
            for (std::uint32_t i = own_.first(side, level); i != 0; i = own_[i].next) {
                Lots& ahead = own_[i].ahead;
                ahead -= traded ? row.quantity : cancelled_ahead(ahead, shown, row.quantity);
                ahead = std::clamp<Lots>(ahead, 0, after);
            }
        } else {
            (void)side, (void)level, (void)row, (void)traded;
        }
    }

    Lots cancelled_ahead(Lots ahead, Lots shown, Lots cancelled) const {
        const auto a = static_cast<unsigned __int128>(ahead);
        const auto b = static_cast<unsigned __int128>(std::max<Lots>(shown - ahead, 0));
        const auto d = static_cast<unsigned __int128>(cancelled);
        switch (queue_model_) {
            case QueueModel::behind_first: return 0;
            case QueueModel::pro_rata: return a + b == 0 ? 0 : static_cast<Lots>(d * a / (a + b));
            case QueueModel::square: return a + b == 0 ? 0 : static_cast<Lots>(d * (a * a) / (a * a + b * b));
            case QueueModel::ahead_first: return cancelled;
        }
        return 0;
    }

    struct Added {
        std::uint32_t world;
        Lots quantity;
    };

    const Tape& tape_;
    Book book_;
    OwnOrders own_;
    std::vector<World> worlds_;
    Claims claims_;
    QueueModel queue_model_;
    Sink& sink_;
    std::uint32_t row_number_ = 0;
    bool halted_ = false;
    Lots traded_ = 0;
    std::vector<Added> added_;  // fills of the row being applied, to be claimed from it
};

}  // namespace bestex
