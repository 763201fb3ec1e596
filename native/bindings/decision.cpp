#include "bestex/decision.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "checks.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using namespace bestex;
using namespace bestex::bindings;

using Curve = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using StateTuple = std::tuple<std::int32_t, Lots, bool, Lots, Ticks, Lots, Nanoseconds>;

// One row of decide_rows: filled, live, cancel_pending, now, bid, ask, bid_quantity, ask_quantity, others_volume, wake.
constexpr std::size_t input_columns = 10;
// count, three times (kind, quantity, price), wake_at, wake_at_volume, target, the state's seven, then the price watch:
// changes, level in half ticks, of which best price, from below.
constexpr std::size_t output_columns = 1 + 3 * Decision::intents_max + 3 + 7 + 4;

// What one decision is asked.
struct Step {
    Position position;
    MarketView market;
    Wake wake;
};

// The parameters and the state of one parent order, and the step that joins them.
class DecisionEngine {
public:
    DecisionEngine(int algorithm, int style, int side, Lots quantity, Nanoseconds start, Nanoseconds end,
                   std::int32_t slices, const Curve& curve, std::optional<Ticks> limit, double participation_rate,
                   std::optional<Lots> child_quantity_max, bool follows_price) {
        curve_.assign(curve.data(), curve.data() + curve.shape(0));
        parameters_ = {code<Algorithm>("algorithm", algorithm, 3),
                       code<ExecutionStyle>("style", style, 3),
                       code<Side>("side", side, 1),
                       quantity,
                       start,
                       end,
                       slices,
                       limit.value_or(no_price),
                       participation_rate,
                       child_quantity_max.value_or(unlimited),
                       {curve_},
                       follows_price};
        check(parameters_, "");
    }
    DecisionEngine(const DecisionEngine&) = delete;
    DecisionEngine& operator=(const DecisionEngine&) = delete;

    nb::tuple decide(Lots filled, Lots live, bool cancel_pending, Nanoseconds now, std::optional<Ticks> bid,
                     std::optional<Ticks> ask, Lots bid_quantity, Lots ask_quantity, Lots others_volume, int wake) {
        const Step step{{filled, live, cancel_pending},
                        {now, bid.value_or(no_price), ask.value_or(no_price), bid_quantity, ask_quantity, others_volume},
                        code<Wake>("wake", wake, 7)};
        check_step(step);
        const Decision d = bestex::decide(parameters_, state_, step.position, step.market, step.wake);
        changes_ = d.wake_on_change;
        level_ = d.wake_at_price;
        nb::object intents = nb::steal(PyTuple_New(d.count));
        for (Py_ssize_t i = 0; i < d.count; ++i) {
            const Intent& intent = d.intents[i];
            nb::tuple row = nb::make_tuple(static_cast<int>(intent.kind), intent.quantity,
                                           none_if(intent.price, no_price));
            PyTuple_SetItem(intents.ptr(), i, row.release().ptr());
        }
        return nb::make_tuple(intents, none_if(d.wake_at, never), none_if(d.wake_at_volume, unlimited), d.target);
    }

    StateTuple state() const {
        return {state_.slice, state_.crossing, state_.done, state_.replacing, state_.posted, state_.volume_seen,
                state_.next_child_at};
    }

    void set_state(const StateTuple& saved) {
        const auto& [slice, crossing, done, replacing, posted, volume_seen, next_child_at] = saved;
        require(slice >= -1 && slice < parameters_.slices, "state slice", slice, "-1, or a slice of this schedule");
        lots("state crossing", crossing);
        lots("state replacing", replacing);
        price("state posted", posted);
        lots("state volume_seen", volume_seen);
        state_ = {slice, crossing, done, replacing, posted, volume_seen, next_child_at};
    }

    bool done() const { return state_.done; }

    nb::tuple price_watch() const {
        return nb::make_tuple(static_cast<int>(changes_), none_if(level_.half_ticks, no_price), static_cast<int>(level_.price),
                              level_.from_below);
    }

    auto decide_rows(const Rows& rows) {
        const std::size_t count = checked_rows(rows);
        auto* out = new std::vector<std::int64_t>(count * output_columns, 0);
        nb::capsule owner(out, [](void* p) noexcept { delete static_cast<std::vector<std::int64_t>*>(p); });
        for (std::size_t i = 0; i < count; ++i) {
            const Decision d = step(&rows(i, 0));
            std::int64_t* row = out->data() + i * output_columns;
            *row++ = d.count;
            for (std::size_t k = 0; k < Decision::intents_max; ++k) {
                const bool sent = k < d.count;
                *row++ = sent ? static_cast<std::int64_t>(d.intents[k].kind) : -1;
                *row++ = sent ? d.intents[k].quantity : 0;
                *row++ = sent ? d.intents[k].price : no_price;
            }
            for (const std::int64_t value :
                 {d.wake_at, d.wake_at_volume, d.target, std::int64_t{state_.slice}, state_.crossing,
                  std::int64_t{state_.done}, state_.replacing, state_.posted, state_.volume_seen,
                  state_.next_child_at, std::int64_t{d.wake_on_change}, d.wake_at_price.half_ticks,
                  static_cast<std::int64_t>(d.wake_at_price.price), std::int64_t{d.wake_at_price.from_below}})
                *row++ = value;
        }
        return nb::ndarray<nb::numpy, std::int64_t>(out->data(), {count, output_columns}, owner);
    }

    // Nanoseconds of each step, the clock's own time included. The state is put back for every row.
    auto step_times_ns(const Rows& rows) {
        using Clock = std::chrono::steady_clock;
        const std::size_t count = checked_rows(rows);
        auto* out = new std::vector<std::int64_t>(count, 0);
        nb::capsule owner(out, [](void* p) noexcept { delete static_cast<std::vector<std::int64_t>*>(p); });
        const DecisionState before = state_;
        for (std::size_t i = 0; i < count; ++i) {
            state_ = before;
            const auto begin = Clock::now();
            volatile Lots target = step(&rows(i, 0)).target;
            static_cast<void>(target);
            (*out)[i] = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
        }
        state_ = before;
        return nb::ndarray<nb::numpy, std::int64_t>(out->data(), {count}, owner);
    }

private:
    static nb::object none_if(std::int64_t value, std::int64_t nothing) {
        return value == nothing ? nb::none() : nb::object(nb::int_(value));
    }

    static std::size_t checked_rows(const Rows& rows) {
        if (rows.shape(1) != input_columns)
            refuse("rows", std::to_string(rows.shape(1)) + " columns wide", std::to_string(input_columns));
        for (std::size_t i = 0; i < rows.shape(0); ++i) check_step(step_of(&rows(i, 0)));
        return rows.shape(0);
    }

    static Step step_of(const std::int64_t* row) {
        return {{row[0], row[1], row[2] != 0},
                {row[3], row[4], row[5], row[6], row[7], row[8]},
                code<Wake>("wake", row[9], 7)};
    }

    static void check_step(const Step& step) {
        lots("filled", step.position.filled);
        lots("live", step.position.live);
        time("now", step.market.now);
        price("bid", step.market.bid);
        price("ask", step.market.ask);
        lots("others_volume", step.market.others_volume);
    }

    Decision step(const std::int64_t* row) {
        const Step asked = step_of(row);
        return bestex::decide(parameters_, state_, asked.position, asked.market, asked.wake);
    }

    std::vector<double> curve_;
    DecisionParameters parameters_{};
    DecisionState state_{};
    std::uint8_t changes_ = 0;  // of the last decide()
    PriceLevel level_{};
};

}  // namespace

void register_decision(nb::module_& m) {
    m.attr("NO_PRICE") = no_price;
    m.attr("NEVER") = never;
    m.attr("UNLIMITED") = unlimited;
    nb::class_<DecisionEngine>(m, "DecisionEngine")
        .def(nb::init<int, int, int, Lots, Nanoseconds, Nanoseconds, std::int32_t, const Curve&, std::optional<Ticks>,
                      double, std::optional<Lots>, bool>(),
             nb::kw_only(), "algorithm"_a, "style"_a, "side"_a, "quantity"_a, "start"_a, "end"_a, "slices"_a, "curve"_a,
             "limit"_a.none() = nb::none(), "participation_rate"_a = 1.0, "child_quantity_max"_a.none() = nb::none(),
             "follows_price"_a = false)
        .def("decide", &DecisionEngine::decide, "filled"_a, "live"_a, "cancel_pending"_a, "now"_a, "bid"_a.none(),
             "ask"_a.none(), "bid_quantity"_a, "ask_quantity"_a, "others_volume"_a, "wake"_a)
        .def("decide_rows", &DecisionEngine::decide_rows, "rows"_a)
        .def("step_times_ns", &DecisionEngine::step_times_ns, "rows"_a)
        .def_prop_rw("state", &DecisionEngine::state, &DecisionEngine::set_state)
        .def_prop_ro("price_watch", &DecisionEngine::price_watch)
        .def_prop_ro("done", &DecisionEngine::done);
}
