// Hand-checked books for the matching engine; exits non-zero at the first that is wrong.
#include "bestex/matching.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

using namespace bestex;
using namespace bestex::matching;

#define REQUIRE(condition)                                                          \
    do {                                                                            \
        if (!(condition)) {                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            std::exit(1);                                                           \
        }                                                                           \
    } while (false)

namespace {

struct Desk {
    MatchingEngine engine{900, 256};

    std::vector<MatchEvent> send(OperationKind kind, Side side, std::int32_t price, std::int32_t quantity, std::uint64_t id,
                                 std::uint32_t owner = 0) {
        engine.clear_events();
        engine.apply({kind, side, 0, price, quantity, owner, id});
        return {engine.events().begin(), engine.events().end()};
    }
    std::vector<MatchEvent> limit(Side side, std::int32_t price, std::int32_t quantity, std::uint64_t id, std::uint32_t owner = 0) {
        return send(OperationKind::limit, side, price, quantity, id, owner);
    }
};

bool is_trade(const MatchEvent& e, std::uint64_t order, std::uint64_t taker, std::int32_t half_ticks, std::uint32_t quantity) {
    return e.kind == MatchKind::traded && e.order == order && e.taker == taker && e.price_half_ticks == half_ticks &&
           e.quantity == quantity;
}

void the_oldest_at_the_best_price_trades_first() {
    Desk d;
    d.limit(Side::sell, 1001, 5, 1);
    d.limit(Side::sell, 1000, 5, 2);
    d.limit(Side::sell, 1000, 5, 3);
    const auto events = d.limit(Side::buy, 1001, 12, 9);
    REQUIRE(events.size() == 3);
    REQUIRE(is_trade(events[0], 2, 9, 2000, 5));
    REQUIRE(is_trade(events[1], 3, 9, 2000, 5));
    REQUIRE(is_trade(events[2], 1, 9, 2002, 2));
    REQUIRE(events[2].remaining == 3);
    REQUIRE(d.engine.best_ask() == 1001);
    REQUIRE(d.engine.best_bid() == no_price);
}

void what_crosses_partly_rests_with_the_rest() {
    Desk d;
    d.limit(Side::sell, 1000, 5, 1);
    const auto events = d.limit(Side::buy, 1000, 8, 2);
    REQUIRE(events.size() == 2);
    REQUIRE(events[1].kind == MatchKind::rested && events[1].quantity == 3);
    REQUIRE(d.engine.best_bid() == 1000);
    REQUIRE(d.engine.quantity_at(Side::buy, 1000) == 3);
}

void an_immediate_order_gives_back_what_it_does_not_get() {
    Desk d;
    d.limit(Side::sell, 1000, 5, 1);
    d.limit(Side::sell, 1003, 5, 2);
    auto events = d.send(OperationKind::immediate, Side::buy, 1001, 8, 3);
    REQUIRE(events.size() == 2);
    REQUIRE(events[1].kind == MatchKind::cancelled && events[1].quantity == 3 &&
            events[1].reason == MatchReason::no_more_liquidity);
    events = d.send(OperationKind::immediate, Side::buy, any_price, 8, 4);
    REQUIRE(is_trade(events[0], 2, 4, 2006, 5));
    REQUIRE(d.engine.live_orders() == 0);
}

void a_post_only_order_never_takes() {
    Desk d;
    d.limit(Side::sell, 1000, 5, 1);
    REQUIRE(d.send(OperationKind::post_only, Side::buy, 1000, 5, 2)[0].reason == MatchReason::would_cross);
    REQUIRE(d.send(OperationKind::post_only, Side::buy, 999, 5, 3)[0].kind == MatchKind::rested);
}

void amending_down_keeps_the_place_and_up_or_elsewhere_loses_it() {
    Desk d;
    for (std::uint64_t id = 1; id <= 3; ++id) d.limit(Side::buy, 1000, 10, id);
    REQUIRE(d.send(OperationKind::amend, Side::buy, 1000, 4, 1)[0].kind == MatchKind::reduced);
    REQUIRE(d.engine.quantity_ahead(2) == 4);
    d.send(OperationKind::amend, Side::buy, 1000, 5, 1);
    REQUIRE(d.engine.quantity_ahead(2) == 0);
    REQUIRE(d.engine.quantity_ahead(1) == 20);
    d.send(OperationKind::amend, Side::buy, 999, 10, 2);
    REQUIRE(d.engine.quantity_at(Side::buy, 999) == 10);
    REQUIRE(d.engine.quantity_ahead(3) == 0);
    d.limit(Side::sell, 1001, 3, 7);
    const auto events = d.send(OperationKind::amend, Side::buy, 1001, 5, 2);  // re-priced through the ask
    REQUIRE(events[0].kind == MatchKind::replaced && is_trade(events[1], 7, 2, 2002, 3));
    REQUIRE(events[2].kind == MatchKind::rested && events[2].quantity == 2);
}

void an_owner_never_trades_with_itself_the_resting_order_gives_way() {
    Desk d;
    d.limit(Side::sell, 1000, 5, 1, 7);
    d.limit(Side::sell, 1000, 5, 2, 8);
    const auto events = d.limit(Side::buy, 1000, 5, 3, 7);
    REQUIRE(events[0].kind == MatchKind::cancelled && events[0].order == 1 && events[0].reason == MatchReason::self_trade);
    REQUIRE(is_trade(events[1], 2, 3, 2000, 5));
}

void pegs_meet_before_the_touch_on_the_half_tick_and_show_nothing() {
    Desk d;
    d.limit(Side::buy, 1000, 5, 1);
    d.limit(Side::sell, 1003, 5, 2);
    REQUIRE(d.send(OperationKind::midpoint_peg, Side::sell, 0, 4, 3)[0].is_hidden == 1);
    REQUIRE(d.engine.quantity_at(Side::sell, 1003) == 5);
    REQUIRE(d.engine.best_ask() == 1003);
    auto events = d.limit(Side::buy, 1001, 5, 4);  // below the mid of 1001.5: it rests, and the mid moves to 1002
    REQUIRE(events.size() == 1 && events[0].kind == MatchKind::rested);
    REQUIRE(d.engine.midpoint_half_ticks() == 2004);
    events = d.send(OperationKind::immediate, Side::buy, 1003, 6, 5);
    REQUIRE(is_trade(events[0], 3, 5, 2004, 4));
    REQUIRE(is_trade(events[1], 2, 5, 2006, 2));
    d.engine.set_midpoint(2001);  // not inside 1001 .. 1003
    d.send(OperationKind::midpoint_peg, Side::sell, 0, 4, 6);
    events = d.send(OperationKind::immediate, Side::buy, 1003, 3, 8);
    REQUIRE(is_trade(events[0], 2, 8, 2006, 3));
    d.limit(Side::sell, 1004, 5, 9);
    d.engine.set_midpoint(2005);
    events = d.send(OperationKind::midpoint_peg, Side::buy, 0, 9, 10);
    REQUIRE(is_trade(events[0], 6, 10, 2005, 4));
    REQUIRE(events[1].kind == MatchKind::rested && events[1].quantity == 5);
}

void what_makes_no_sense_is_refused_and_changes_nothing() {
    Desk d;
    d.limit(Side::buy, 1000, 5, 1);
    REQUIRE(d.limit(Side::buy, 1000, 5, 1)[0].reason == MatchReason::duplicate_id);
    REQUIRE(d.limit(Side::buy, 899, 5, 2)[0].reason == MatchReason::price_out_of_range);
    REQUIRE(d.limit(Side::buy, 900 + 256, 5, 2)[0].reason == MatchReason::price_out_of_range);
    REQUIRE(d.limit(Side::buy, 1000, 0, 2)[0].reason == MatchReason::bad_quantity);
    REQUIRE(d.send(OperationKind::cancel, Side::buy, 0, 0, 2)[0].reason == MatchReason::unknown_id);
    REQUIRE(d.send(OperationKind::amend, Side::buy, 1000, 1, 2)[0].reason == MatchReason::unknown_id);
    d.send(OperationKind::midpoint_peg, Side::buy, 0, 5, 3);
    REQUIRE(d.send(OperationKind::amend, Side::buy, 1000, 1, 3)[0].reason == MatchReason::not_amendable);
    REQUIRE(d.engine.live_orders() == 2);
    REQUIRE(d.engine.quantity_at(Side::buy, 1000) == 5);
}

void the_index_forgets_exactly_what_is_erased() {
    OrderIndex index;
    std::map<std::uint64_t, std::uint32_t> truth;
    std::uint64_t state = 42;
    for (int i = 0; i < 200'000; ++i) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const std::uint64_t id = (state >> 33) % 3'000;
        if (state & 1ull << 20) {
            REQUIRE(index.insert(id, static_cast<std::uint32_t>(i)) == truth.emplace(id, static_cast<std::uint32_t>(i)).second);
        } else {
            const auto found = truth.find(id);
            REQUIRE(index.erase(id) == (found == truth.end() ? OrderIndex::absent : found->second));
            if (found != truth.end()) truth.erase(found);
        }
        REQUIRE(index.size() == truth.size());
    }
    for (const auto& [id, node] : truth) REQUIRE(index.find(id) == node);
}

}  // namespace

int main() {
    the_oldest_at_the_best_price_trades_first();
    what_crosses_partly_rests_with_the_rest();
    an_immediate_order_gives_back_what_it_does_not_get();
    a_post_only_order_never_takes();
    amending_down_keeps_the_place_and_up_or_elsewhere_loses_it();
    an_owner_never_trades_with_itself_the_resting_order_gives_way();
    pegs_meet_before_the_touch_on_the_half_tick_and_show_nothing();
    what_makes_no_sense_is_refused_and_changes_nothing();
    the_index_forgets_exactly_what_is_erased();
    std::puts("matching: all well");
}
