#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>

#include "bestex/generated_market.hpp"
#include "bestex/matching.hpp"
#include "checks.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace bestex;
using namespace bestex::generated;
using bestex::matching::MatchEvent;
using bestex::matching::MatchingSummary;
using bestex::matching::Operation;
using bestex::matching::OperationKind;
using bestex::matching::run_operations;

namespace {

nb::object price(Ticks ticks) { return ticks == no_price ? nb::none() : nb::object(nb::int_(ticks)); }

Side side_of(int sign) {
    if (sign != 1 && sign != -1) throw std::invalid_argument("side must be +1 (buy) or -1 (sell)");
    return sign == 1 ? Side::buy : Side::sell;
}

std::size_t venue_of(std::size_t venue, std::size_t count) {
    if (venue >= count) throw std::invalid_argument("venue index is too large");
    return venue;
}

using OperationBytes = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

std::span<const Operation> operations_of(const OperationBytes& bytes) {
    if (bytes.shape(1) != sizeof(Operation)) throw std::invalid_argument("operations must be rows of 24 bytes");
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(Operation) != 0)
        throw std::invalid_argument("operations must be aligned to 8 bytes");
    const std::span<const Operation> operations{reinterpret_cast<const Operation*>(bytes.data()), bytes.shape(0)};
    for (const Operation& o : operations)
        if (o.kind > OperationKind::midpoint_peg || o.side > Side::sell)
            throw std::invalid_argument("an operation's kind must be 0 to 5 and its side 0 or 1");
    return operations;
}

nb::list apply_operations(MatchingEngine& engine, const OperationBytes& bytes) {
    nb::list found;
    for (const Operation& operation : operations_of(bytes)) {
        engine.apply(operation);
        for (const MatchEvent& e : engine.events())
            found.append(nb::make_tuple(static_cast<int>(e.kind), e.order, e.taker, e.price_half_ticks, e.quantity,
                                        e.remaining, static_cast<int>(e.side), static_cast<int>(e.reason),
                                        static_cast<int>(e.is_hidden)));
        engine.clear_events();
    }
    return found;
}

nb::list levels_of(const std::vector<LevelView>& levels) {
    nb::list found;
    for (const LevelView& level : levels) found.append(nb::make_tuple(level.price, level.quantity, level.orders));
    return found;
}

nb::tuple quote_of(const QuoteRow& q) {
    return nb::make_tuple(q.time, price(q.bid), price(q.ask), q.bid_quantity, q.ask_quantity);
}

// Runs markets side by side to `until`, or to the first instant at which a report for us arrives.
Nanoseconds advance_markets(const std::vector<GeneratedMarket*>& markets, Nanoseconds until) {
    if (std::ranges::count(markets, nullptr) > 0) throw nb::type_error("markets holds None; expected markets only");
    Nanoseconds bound = until;
    std::vector<GeneratedMarket*> active;
    for (GeneratedMarket* market : markets) {
        bound = std::min(bound, market->next_report());
        if (market->has_own_activity()) active.push_back(market);
    }
    while (!active.empty()) {
        GeneratedMarket* first = nullptr;
        Nanoseconds time = never;
        for (GeneratedMarket* market : active) {
            if (const Nanoseconds next = market->next_time(); next < time) {
                time = next;
                first = market;
            }
        }
        if (first == nullptr || time > bound) break;
        first->step();
        bound = std::min(bound, first->next_report());
    }
    for (GeneratedMarket* market : markets) market->run_until(bound);
    return bound;
}

}  // namespace

void register_market(nb::module_& m) {
    nb::class_<MatchingEngine>(m, "MatchingEngine")
        .def(nb::init<Ticks, std::uint32_t>(), "lowest_price"_a, "levels"_a)
        .def("apply", &apply_operations, "operations"_a)
        .def("run", [](MatchingEngine& engine, const OperationBytes& bytes, bool with_digest) {
                const std::span<const Operation> operations = operations_of(bytes);
                const MatchingSummary s = run_operations(engine, operations, with_digest);
                return nb::make_tuple(s.events, s.trades, s.traded_lots, s.digest);
            }, "operations"_a, "with_digest"_a = true)
        .def("set_midpoint", [](MatchingEngine& engine, nb::object half_ticks) {
                engine.set_midpoint(half_ticks.is_none() ? no_price : nb::cast<Ticks>(half_ticks));
            }, "half_ticks"_a.none())
        .def("use_own_midpoint", &MatchingEngine::use_own_midpoint)
        .def_prop_ro("best_bid", [](const MatchingEngine& e) { return price(e.best_bid()); })
        .def_prop_ro("best_ask", [](const MatchingEngine& e) { return price(e.best_ask()); })
        .def_prop_ro("live_orders", &MatchingEngine::live_orders)
        .def("open_quantity", &MatchingEngine::open_quantity, "order"_a)
        .def("quantity_ahead", [](const MatchingEngine& e, std::uint64_t id) {
                const Lots ahead = e.quantity_ahead(id);
                return ahead < 0 ? nb::none() : nb::object(nb::int_(ahead));
            }, "order"_a)
        .def("depth", [](const MatchingEngine& e, int side, std::size_t levels) {
                return levels_of(e.depth(side_of(side), levels));
            }, "side"_a, "levels"_a);

    nb::class_<GeneratedMarket>(m, "GeneratedMarket")
        .def("__init__", [](GeneratedMarket* self, std::uint64_t seed, Nanoseconds open, Nanoseconds close,
                            double opening_price, double daily_volatility, double instants_per_day, double half_spread,
                            double order_size, double market_order_size, double orders_per_side,
                            double average_daily_volume, double impact, double dark_orders_per_day,
                            double dark_order_size, std::array<double, lit_venues> venue_shares,
                            std::array<Nanoseconds, all_venues> latency) {
                new (self) GeneratedMarket(GeneratedMarketParameters{
                    seed, open, close, opening_price, daily_volatility, instants_per_day, half_spread, order_size,
                    market_order_size, orders_per_side, average_daily_volume, impact, dark_orders_per_day,
                    dark_order_size, venue_shares, latency});
            }, nb::kw_only(), "seed"_a, "open_ns"_a, "close_ns"_a, "opening_price"_a, "daily_volatility"_a,
            "instants_per_day"_a, "half_spread"_a, "order_size"_a, "market_order_size"_a, "orders_per_side"_a,
            "average_daily_volume"_a, "impact"_a, "dark_orders_per_day"_a, "dark_order_size"_a, "venue_shares"_a,
            "latency"_a)
        .def("run_until", &GeneratedMarket::run_until, "until"_a)
        .def("submit", [](GeneratedMarket& self, std::uint64_t handle, std::size_t venue, int side, int kind,
                          nb::object limit, Lots quantity, Nanoseconds time) {
                if (handle >> 63) throw std::invalid_argument("handle must be below 2^63");
                if (kind < 0 || kind > static_cast<int>(OwnOrderKind::midpoint_peg)) throw std::invalid_argument("kind must be 0 to 4");
                if (quantity < 1 || quantity > INT32_MAX) throw std::invalid_argument("quantity must be 1 to 2147483647 lots");
                const auto order_kind = static_cast<OwnOrderKind>(kind);
                const bool needs_price = order_kind == OwnOrderKind::limit || order_kind == OwnOrderKind::post_only;
                if (needs_price && limit.is_none()) throw std::invalid_argument("a limit order needs a price");
                const Ticks worst = limit.is_none() ? no_price : nb::cast<Ticks>(limit);
                if (!limit.is_none() && (worst <= -bindings::quantity_end || worst >= bindings::quantity_end))
                    throw std::invalid_argument("limit must be within 2^53 ticks of 0");
                self.submit({handle, static_cast<std::uint8_t>(venue_of(venue, all_venues)), side_of(side), order_kind, worst,
                             quantity}, bindings::time("time", time));
            }, "handle"_a, "venue"_a, "side"_a, "kind"_a, "limit"_a.none(), "quantity"_a, "time"_a)
        .def("cancel", [](GeneratedMarket& self, std::uint64_t handle, std::size_t venue, Nanoseconds time) {
                self.cancel(handle, static_cast<std::uint8_t>(venue_of(venue, all_venues)), bindings::time("time", time));
            }, "handle"_a, "venue"_a, "time"_a)
        .def("take_reports", [](GeneratedMarket& self, Nanoseconds until) {
                nb::list found;
                for (const OwnReport& r : self.take_reports(until))
                    found.append(nb::make_tuple(r.received, r.venue_time, r.handle, static_cast<int>(r.kind),
                                                static_cast<int>(r.reason), static_cast<int>(r.liquidity), r.venue,
                                                r.quantity, price(r.price_half_ticks), price(r.bid), price(r.ask)));
                return found;
            }, "until"_a)
        .def_prop_ro("has_own_activity", &GeneratedMarket::has_own_activity)
        .def_prop_ro("reference_price", &GeneratedMarket::reference_price)
        .def("quote", [](const GeneratedMarket& self) { return quote_of(self.quote()); })
        .def("venue_quote", [](const GeneratedMarket& self, std::size_t venue) {
                return quote_of(self.venue_quote(venue_of(venue, lit_venues)));
            }, "venue"_a)
        .def("counters", [](const GeneratedMarket& self, Nanoseconds now) {
                const MarketCounters c = self.counters(now);
                nb::dict d;
                d["volume"] = c.volume;
                d["notional_half_ticks"] = c.notional;
                d["mid_integral_half_ticks_ns"] = c.mid_integral;
                d["mid_time_ns"] = c.mid_time;
                d["instants"] = c.instants;
                d["trades"] = c.trades;
                d["quotes"] = c.quotes;
                d["locked"] = c.locked;
                d["crossed"] = c.crossed;
                d["events"] = c.events;
                d["last_half_ticks"] = price(c.last_half_ticks);
                return d;
            }, "now"_a)
        .def("depth", [](const GeneratedMarket& self, std::size_t venue, int side, std::size_t levels) {
                return levels_of(self.depth(venue_of(venue, lit_venues), side_of(side), levels));
            }, "venue"_a, "side"_a, "levels"_a)
        .def("quantity_ahead", [](const GeneratedMarket& self, std::uint64_t handle, std::size_t venue) {
                const Lots ahead = self.quantity_ahead(handle, venue_of(venue, all_venues));
                return ahead < 0 ? nb::none() : nb::object(nb::int_(ahead));
            }, "handle"_a, "venue"_a)
        .def("quotes", [](const GeneratedMarket& self, Nanoseconds start, Nanoseconds end, std::size_t limit) {
                nb::list found;
                for (const QuoteRow& row : self.quotes(start, end, limit)) found.append(quote_of(row));
                return found;
            }, "start"_a, "end"_a, "limit"_a)
        .def("trades", [](const GeneratedMarket& self, Nanoseconds start, Nanoseconds end, std::size_t limit) {
                nb::list found;
                for (const TradeRow& t : self.trades(start, end, limit))
                    found.append(nb::make_tuple(t.time, t.price_half_ticks, t.quantity, t.venue, t.aggressor, t.is_ours));
                return found;
            }, "start"_a, "end"_a, "limit"_a)
        .def("bars", [](const GeneratedMarket& self, Nanoseconds start, Nanoseconds end, Nanoseconds width) {
                if (width <= 0) throw std::invalid_argument("width must be positive");
                if (bindings::time("start", start) < 0) throw std::invalid_argument("start must not be before 1970");
                if (bindings::time("end", end) > start && (end - start) / width > 1'000'000) throw std::invalid_argument("more than 1,000,000 bars");
                nb::list found;
                for (const BarRow& b : self.bars(start, end, std::min(width, std::max<Nanoseconds>(end - start, 1))))
                    found.append(nb::make_tuple(b.start, b.end, price(b.open), price(b.high), price(b.low), price(b.close),
                                                b.volume, b.notional));
                return found;
            }, "start"_a, "end"_a, "width"_a)
        .def("digest", &GeneratedMarket::digest);

    m.def("advance_markets", &advance_markets, "markets"_a, "until"_a);
    m.def("generated_volume_share", &generated_volume_share, "session_fraction"_a);
}
