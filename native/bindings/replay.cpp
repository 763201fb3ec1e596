// Replays for Python: many executions in one pass, or one worked from outside. Arrays in, arrays out.
#include "bestex/replay.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <deque>

#include "arrays.hpp"
#include "bestex/interactive.hpp"
#include "checks.hpp"
#include "tape.hpp"

namespace nb = nanobind;
using namespace bestex;
using bestex::bindings::Bytes;
using bestex::bindings::code;
using bestex::bindings::delay;
using bestex::bindings::InUse;

namespace {

using Curves = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// One parent as bestex.native.replay lays it out.
struct ParentRow {
    std::int64_t quantity;
    Nanoseconds start, end;
    Ticks limit;
    Lots child_quantity_max;
    double participation_rate;
    std::uint32_t world;
    std::int32_t slices;
    std::uint32_t curve;  // where its curve begins in the curves
    std::uint8_t algorithm, style, side, follows_price;
};
static_assert(sizeof(ParentRow) == 64);

struct ParentResultRow {
    std::int64_t quantity, planned, filled, returned, notional_half_ticks, fees, first_fill, last_fill, arrival_bid,
        arrival_ask, child_orders, fills, others_volume;
};

struct WorldResultRow {
    std::uint64_t fill_hash;
    std::int64_t filled, displaced, fills;
};
static_assert(sizeof(WorldResultRow) == sizeof(WorldResult));

[[noreturn]] void refuse(const std::string& what) { throw nb::value_error(what.c_str()); }

// Owns the curves for as long as the pass that reads them.
struct BatchReplay {
    BatchReplay(const Tape& tape, Latency latency, Fees fees, int queue_model, bool keep_fills, const Bytes& parents, const Curves& values)
        : curves(values.data(), values.data() + values.shape(0)) {
        ReplayConfig config{latency, fees, code<QueueModel>("queue_model", queue_model, 3), keep_fills};
        std::vector<ParentSpecification> specifications;
        for (const ParentRow& row : bindings::rows_from<ParentRow>(parents, "parents")) {
            if (row.slices < 1 || row.curve + static_cast<std::uint64_t>(row.slices) > curves.size()) {
                refuse("a curve of " + std::to_string(row.slices) + " slices at " + std::to_string(row.curve) + " lies outside the " +
                       std::to_string(curves.size()) + " values given");
            }
            const std::string prefix = "parents[" + std::to_string(specifications.size()) + "].";
            const ScheduleCurve curve{std::span(curves).subspan(row.curve, static_cast<std::size_t>(row.slices))};
            const DecisionParameters parameters{code<Algorithm>(prefix + "algorithm", row.algorithm, 3),
                                                code<ExecutionStyle>(prefix + "style", row.style, 3),
                                                code<Side>(prefix + "side", row.side, 1),
                                                row.quantity,
                                                row.start,
                                                row.end,
                                                row.slices,
                                                row.limit,
                                                row.participation_rate,
                                                row.child_quantity_max,
                                                curve,
                                                row.follows_price != 0};
            bindings::check(parameters, prefix);
            specifications.push_back({row.world, parameters});
        }
        pass = Replay::create(tape, config, std::move(specifications));
    }

    std::vector<double> curves;
    std::unique_ptr<Replay> pass;
    std::atomic<bool> in_use = false;
};

nb::object integer(__int128 value) {
    const auto high = static_cast<std::int64_t>(value >> 64);
    const auto low = static_cast<std::uint64_t>(value);
    return nb::int_(high) * nb::int_(std::uint64_t{1} << 32) * nb::int_(std::uint64_t{1} << 32) + nb::int_(low);
}

std::vector<ParentResultRow> parent_rows(const Replay& pass) {
    std::vector<ParentResultRow> rows;
    for (const ParentResult& r : pass.parents()) {
        if (r.notional_half_ticks > INT64_MAX || r.notional_half_ticks < INT64_MIN) {
            throw std::overflow_error("the notional of a parent order does not fit 64 bits; use larger lots");
        }
        rows.push_back({r.quantity, r.planned, r.filled, r.returned, static_cast<std::int64_t>(r.notional_half_ticks), r.fees,
                        r.first_fill, r.last_fill, r.arrival_bid, r.arrival_ask, r.child_orders, r.fills, r.others_volume});
    }
    return rows;
}

std::vector<WorldResultRow> world_rows(const Replay& pass) {
    std::vector<WorldResultRow> rows;
    for (const WorldResult& w : pass.worlds()) rows.push_back({w.fill_hash, w.filled, w.displaced, w.fills});
    return rows;
}

void register_batch(nb::module_& m) {
    nb::class_<BatchReplay>(m, "BatchReplay")
        .def(
            "__init__",
            [](BatchReplay* self, const Tape& tape, Nanoseconds feed, Nanoseconds order, Nanoseconds report, std::int64_t maker_fee,
               std::int64_t taker_fee, int queue_model, bool keep_fills, const Bytes& parents, const Curves& curves) {
                const Latency latency{delay("feed_delay_ns", feed), delay("order_delay_ns", order), delay("report_delay_ns", report)};
                new (self) BatchReplay(tape, latency, {maker_fee, taker_fee}, queue_model, keep_fills, parents, curves);
            },
            nb::keep_alive<1, 2>(), nb::arg("tape"), nb::kw_only(), nb::arg("feed_delay_ns"), nb::arg("order_delay_ns"),
            nb::arg("report_delay_ns"), nb::arg("maker_fee"), nb::arg("taker_fee"), nb::arg("queue_model"), nb::arg("keep_fills"),
            nb::arg("parents"), nb::arg("curves"))
        .def(
            "advance",
            [](BatchReplay& self, std::uint32_t rows) {
                const InUse one(self.in_use);
                nb::gil_scoped_release release;
                return self.pass->advance(rows);
            },
            nb::arg("rows"))
        .def("parents", [](BatchReplay& self) {
                 const InUse one(self.in_use);
                 return bindings::rows_to(parent_rows(*self.pass));
             })
        .def("worlds", [](BatchReplay& self) {
                 const InUse one(self.in_use);
                 return bindings::rows_to(world_rows(*self.pass));
             })
        .def("fills", [](BatchReplay& self) {
                 const InUse one(self.in_use);
                 return bindings::rows_to(std::vector<FillRow>(self.pass->fills()));
             });
}

// A replay of either flavour, as one Python type.
struct Interactive {
    std::unique_ptr<InteractiveReplay> replay;
    mutable std::atomic<bool> in_use = false;
};

// The replay, for as long as nobody else has it.
struct Held {
    explicit Held(const Interactive& self) : one(self.in_use), replay(self.replay.get()) {}
    InteractiveReplay* operator->() const { return replay; }

    InUse one;
    InteractiveReplay* replay;
};

nb::tuple snapshot(const Interactive& self) {
    const Snapshot s = Held(self)->snapshot();
    return nb::make_tuple(s.now, s.bid, s.ask, s.bid_quantity, s.ask_quantity, s.volume, s.auction_volume, integer(s.notional_half_ticks),
                          integer(s.mid_half_ticks_ns), s.mid_ns, s.last_price_half_ticks, s.trades, s.crossed_quotes,
                          s.locked_quotes, s.displaced, s.is_halted, s.is_closed);
}

nb::list reports(const std::vector<Report>& received) {
    nb::list out;
    for (const Report& r : received) {
        out.append(nb::make_tuple(static_cast<int>(r.kind), r.key, r.venue_time, r.received_time, r.quantity, r.price_half_ticks,
                                  static_cast<int>(r.liquidity), static_cast<int>(r.reason), r.bid, r.ask, r.is_new_volume));
    }
    return out;
}

// Several replays on one clock, in pieces so that a long stretch can be interrupted.
nb::tuple advance_all(const std::vector<InteractiveReplay*>& replays, Nanoseconds until) {
    constexpr Nanoseconds piece = 600'000'000'000;
    Nanoseconds now = replays.front()->now();
    while (true) {
        std::vector<std::vector<Report>> received;
        const Nanoseconds stop = until > piece && until - piece > now ? now + piece : until;
        {
            nb::gil_scoped_release release;
            now = advance_together(replays, stop, received);
        }
        const bool heard = std::any_of(received.begin(), received.end(), [](const auto& one) { return !one.empty(); });
        if (heard || now >= until) {
            nb::list out;
            for (const auto& one : received) out.append(reports(one));
            return nb::make_tuple(now, out);
        }
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
    }
}

void register_interactive(nb::module_& m) {
    nb::class_<Interactive>(m, "InteractiveReplay")
        .def(
            "__init__",
            [](Interactive* self, const Tape& tape, Nanoseconds report_delay, int queue_model, Nanoseconds close) {
                const InteractiveConfig config{delay("report_delay_ns", report_delay), code<QueueModel>("queue_model", queue_model, 3),
                                               bindings::time("close_ns", close)};
                new (self) Interactive{InteractiveReplay::create(tape, config)};
            },
            nb::keep_alive<1, 2>(), nb::arg("tape"), nb::kw_only(), nb::arg("report_delay_ns"), nb::arg("queue_model"),
            nb::arg("close_ns"))
        .def(
            "submit",
            [](Interactive& self, std::uint64_t key, int kind, int side, Lots quantity, Ticks price, Nanoseconds arrives) {
                Held(self)->submit(key, code<OrderKind>("kind", kind, 4), code<Side>("side", side, 1),
                                   bindings::lots("quantity", quantity), bindings::price("price", price), arrives);
            },
            nb::arg("key"), nb::arg("kind"), nb::arg("side"), nb::arg("quantity"), nb::arg("price"), nb::arg("arrives_ns"))
        .def(
            "cancel", [](Interactive& self, std::uint64_t key, Nanoseconds arrives) { Held(self)->cancel(key, arrives); },
            nb::arg("key"), nb::arg("arrives_ns"))
        .def(
            "amend",
            [](Interactive& self, std::uint64_t key, Lots quantity, Ticks price, Nanoseconds arrives) {
                Held(self)->amend(key, bindings::lots("quantity", quantity), bindings::price("price", price), arrives);
            },
            nb::arg("key"), nb::arg("quantity"), nb::arg("price"), nb::arg("arrives_ns"))
        .def_prop_ro("now_ns", [](const Interactive& self) { return Held(self)->now(); })
        .def("snapshot", &snapshot)
        .def(
            "depth",
            [](const Interactive& self, int side, std::size_t levels) {
                nb::list out;
                for (const DepthLevel& level : Held(self)->depth(code<Side>("side", side, 1), levels)) {
                    out.append(nb::make_tuple(level.price, level.quantity, level.orders));
                }
                return out;
            },
            nb::arg("side"), nb::arg("levels"))
        .def(
            "open_order",
            [](const Interactive& self, std::uint64_t key) {
                const OpenOrder order = Held(self)->open_order(key);
                return nb::make_tuple(order.open, order.ahead);
            },
            nb::arg("key"));
    m.def(
        "advance_replays",
        [](const nb::list& replays, Nanoseconds until) {
            if (nb::len(replays) == 0) refuse("there is no replay to advance");
            // The list may change while the lock is given up; what is being run may not go with it.
            const nb::tuple kept(replays);
            std::deque<Held> held;
            std::vector<InteractiveReplay*> together;
            for (const nb::handle one : kept) together.push_back(held.emplace_back(nb::cast<const Interactive&>(one)).replay);
            return advance_all(together, bindings::time("until_ns", until));
        },
        nb::arg("replays"), nb::arg("until_ns"));
}

}  // namespace

void register_replay(nb::module_& m) {
    register_tape(m);
    register_batch(m);
    register_interactive(m);
}
