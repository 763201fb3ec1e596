#include "bestex/decision.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using namespace bestex;

using Curve = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using StateTuple = std::tuple<std::int32_t, Lots, bool, Lots, Ticks, Lots, Nanoseconds>;

// One row of decide_rows: filled, live, cancel_pending, now, bid, ask, bid_quantity, ask_quantity, others_volume, wake.
constexpr std::size_t input_columns = 10;
// count, three times (kind, quantity, price), wake_at, wake_at_volume, target, then the state's seven.
constexpr std::size_t output_columns = 1 + 3 * Decision::intents_max + 3 + 7;

[[noreturn]] void refuse(const std::string& field, const std::string& seen, const std::string& expected) {
    throw nb::value_error((field + " is " + seen + "; expected " + expected).c_str());
}

template <class Number>
void require(bool good, const char* field, Number seen, const char* expected) {
    if (!good) refuse(field, std::to_string(seen), expected);
}

template <class Enum>
Enum code(const char* field, int seen, int last) {
    if (seen < 0 || seen > last) refuse(field, std::to_string(seen), "a code from 0 to " + std::to_string(last));
    return static_cast<Enum>(seen);
}

std::vector<double> checked_curve(const Curve& curve, std::int32_t slices) {
    if (curve.shape(0) != static_cast<std::size_t>(slices))
        refuse("curve", std::to_string(curve.shape(0)) + " values long", std::to_string(slices) + ", one per slice");
    double before = 0.0;
    for (std::size_t i = 0; i < curve.shape(0); ++i) {
        const double value = curve(i);
        if (!(value >= before && value <= 1.0))
            refuse("curve[" + std::to_string(i) + "]", std::to_string(value),
                   "a cumulative fraction from " + std::to_string(before) + " to 1, never falling");
        before = value;
    }
    if (before != 1.0) refuse("the last value of curve", std::to_string(before), "exactly 1");
    return {curve.data(), curve.data() + curve.shape(0)};
}

// The parameters and the state of one parent order, and the step that joins them.
class DecisionEngine {
public:
    DecisionEngine(int algorithm, int style, int side, Lots quantity, Nanoseconds start, Nanoseconds end,
                   std::int32_t slices, const Curve& curve, std::optional<Ticks> limit, double participation_rate,
                   std::optional<Lots> child_quantity_max) {
        parameters_.algorithm = code<Algorithm>("algorithm", algorithm, 3);
        parameters_.style = code<ExecutionStyle>("style", style, 3);
        parameters_.side = code<Side>("side", side, 1);
        require(quantity > 0, "quantity", quantity, "at least 1 lot");
        require(quantity < (Lots{1} << 53), "quantity", quantity, "below 2^53 lots");
        require(slices >= 1, "slices", slices, "at least 1");
        if (end <= start)
            refuse("end", std::to_string(end), "a time after start, which is " + std::to_string(start));
        require(end - start >= slices, "end - start", end - start, "at least one nanosecond per slice");
        require(participation_rate > 0.0 && participation_rate <= 1.0, "participation_rate", participation_rate,
                "above 0 and at most 1");
        if (parameters_.algorithm == Algorithm::participation_rate)
            require(participation_rate < 1.0, "participation_rate", participation_rate,
                    "below 1 for PARTICIPATION_RATE: at 1 there would be no volume of others to follow");
        if (child_quantity_max) require(*child_quantity_max > 0, "child_quantity_max", *child_quantity_max, "at least 1");
        curve_ = checked_curve(curve, slices);
        parameters_.quantity = quantity;
        parameters_.start = start;
        parameters_.end = end;
        parameters_.slices = slices;
        parameters_.limit = limit.value_or(no_price);
        parameters_.participation_rate = participation_rate;
        parameters_.child_quantity_max = child_quantity_max.value_or(unlimited);
        parameters_.curve = {curve_};
    }
    DecisionEngine(const DecisionEngine&) = delete;
    DecisionEngine& operator=(const DecisionEngine&) = delete;

    nb::tuple decide(Lots filled, Lots live, bool cancel_pending, Nanoseconds now, std::optional<Ticks> bid,
                     std::optional<Ticks> ask, Lots bid_quantity, Lots ask_quantity, Lots others_volume, int wake) {
        require(filled >= 0, "filled", filled, "at least 0");
        require(live >= 0, "live", live, "at least 0");
        require(others_volume >= 0, "others_volume", others_volume, "at least 0");
        const MarketView market{now, bid.value_or(no_price), ask.value_or(no_price), bid_quantity, ask_quantity,
                                others_volume};
        const Decision d =
            bestex::decide(parameters_, state_, {filled, live, cancel_pending}, market, code<Wake>("wake", wake, 5));
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
        require(crossing >= 0, "state crossing", crossing, "at least 0");
        require(replacing >= 0, "state replacing", replacing, "at least 0");
        require(volume_seen >= 0, "state volume_seen", volume_seen, "at least 0");
        state_ = {slice, crossing, done, replacing, posted, volume_seen, next_child_at};
    }

    bool done() const { return state_.done; }

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
                  state_.next_child_at})
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
        for (std::size_t i = 0; i < rows.shape(0); ++i) code<Wake>("wake", static_cast<int>(rows(i, 9)), 5);
        return rows.shape(0);
    }

    Decision step(const std::int64_t* row) {
        return bestex::decide(parameters_, state_, {row[0], row[1], row[2] != 0},
                              {row[3], row[4], row[5], row[6], row[7], row[8]}, static_cast<Wake>(row[9]));
    }

    std::vector<double> curve_;
    DecisionParameters parameters_{};
    DecisionState state_{};
};

}  // namespace

void register_decision(nb::module_& m) {
    m.attr("NO_PRICE") = no_price;
    m.attr("NEVER") = never;
    m.attr("UNLIMITED") = unlimited;
    nb::class_<DecisionEngine>(m, "DecisionEngine")
        .def(nb::init<int, int, int, Lots, Nanoseconds, Nanoseconds, std::int32_t, const Curve&, std::optional<Ticks>,
                      double, std::optional<Lots>>(),
             nb::kw_only(), "algorithm"_a, "style"_a, "side"_a, "quantity"_a, "start"_a, "end"_a, "slices"_a, "curve"_a,
             "limit"_a.none() = nb::none(), "participation_rate"_a = 1.0, "child_quantity_max"_a.none() = nb::none())
        .def("decide", &DecisionEngine::decide, "filled"_a, "live"_a, "cancel_pending"_a, "now"_a, "bid"_a.none(),
             "ask"_a.none(), "bid_quantity"_a, "ask_quantity"_a, "others_volume"_a, "wake"_a)
        .def("decide_rows", &DecisionEngine::decide_rows, "rows"_a)
        .def("step_times_ns", &DecisionEngine::step_times_ns, "rows"_a)
        .def_prop_rw("state", &DecisionEngine::state, &DecisionEngine::set_state)
        .def_prop_ro("done", &DecisionEngine::done);
}
