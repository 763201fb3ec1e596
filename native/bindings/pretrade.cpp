#include "bestex/pretrade.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using namespace bestex;

using Points = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// algorithm, style, window_minutes, slices, kappa_t, participation_rate, dark_ratio, limit_distance
constexpr std::size_t candidate_columns = 8;
constexpr std::size_t outcome_columns = sizeof(pretrade::Outcome) / sizeof(double);

void require(bool good, const char* field, double seen, const char* expected) {
    if (!good) throw nb::value_error((std::string(field) + " is " + std::to_string(seen) + "; expected " + expected).c_str());
}

template <class Enum>
Enum code(const char* field, double seen) {
    require(seen >= 0 && seen <= 3 && seen == std::floor(seen), field, seen, "a code from 0 to 3");
    return static_cast<Enum>(static_cast<int>(seen));
}

pretrade::Candidate candidate_of(const double* row) {
    require(row[2] > 0, "window_minutes", row[2], "above 0");
    require(row[3] >= 1 && row[3] < 1e9, "slices", row[3], "at least 1");
    require(row[4] >= 0, "kappa_t", row[4], "at least 0");
    require(std::isnan(row[5]) || (row[5] > 0 && row[5] <= 1), "participation_rate", row[5], "above 0 and at most 1");
    return {code<Algorithm>("algorithm", row[0]), code<ExecutionStyle>("style", row[1]), row[2],
            static_cast<int>(row[3]), row[4], row[5], row[6], row[7]};
}

// What is believed of one market, kept for all candidates of an order.
class PretradeMarket {
public:
    PretradeMarket(double price, double spread, double tick_size, double touch_quantity, double daily_volume,
                   double daily_volatility, double session_minutes, double session_fraction, double taker_fee,
                   double maker_fee, double dark_fee, double drift_per_day, double volume_error, double turnover_days,
                   double permanent, double permanent_se, double temporary, double temporary_se,
                   double temporary_exponent, double temporary_exponent_se, double square_root,
                   double adverse_selection, double adverse_selection_se, double dark_fill_share,
                   const Points& fractions, const Points& cumulative, std::string source)
        : market_{price, spread, tick_size, touch_quantity, daily_volume, daily_volatility, session_minutes,
                  session_fraction, taker_fee, maker_fee, dark_fee, drift_per_day, volume_error, turnover_days,
                  {permanent, permanent_se, temporary, temporary_se, temporary_exponent, temporary_exponent_se,
                   square_root},
                  {adverse_selection, adverse_selection_se, dark_fill_share},
                  {{fractions.data(), fractions.data() + fractions.shape(0)},
                   {cumulative.data(), cumulative.data() + cumulative.shape(0)},
                   std::move(source)}} {
        const auto points = static_cast<double>(fractions.shape(0));
        require(points >= 2, "points of the volume curve", points, "at least 2");
        require(fractions.shape(0) == cumulative.shape(0), "points of cumulative",
                static_cast<double>(cumulative.shape(0)), "as many as of fractions");
        require(daily_volume > 0, "daily_volume", daily_volume, "above 0");
        require(tick_size > 0, "tick_size", tick_size, "above 0");
    }

    auto expected_outcomes(const Rows& rows, double order_quantity) const {
        require(rows.shape(1) == candidate_columns, "columns of candidates", static_cast<double>(rows.shape(1)), "8");
        require(order_quantity > 0 && std::isfinite(order_quantity), "order_quantity", order_quantity, "above 0");
        const std::size_t count = rows.shape(0);
        auto out = std::make_unique<std::vector<pretrade::Outcome>>();
        out->reserve(count);
        for (std::size_t i = 0; i < count; ++i)
            out->push_back(pretrade::expected_outcome(candidate_of(rows.data() + i * candidate_columns), order_quantity, market_));
        auto* kept = out.release();
        nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<pretrade::Outcome>*>(p); });
        return nb::ndarray<nb::numpy, double>(reinterpret_cast<double*>(kept->data()), {count, outcome_columns}, owner);
    }

private:
    pretrade::Market market_;
};

}  // namespace

void register_pretrade(nb::module_& m) {
    nb::class_<PretradeMarket>(m, "PretradeMarket")
        .def(nb::init<double, double, double, double, double, double, double, double, double, double, double, double,
                      double, double, double, double, double, double, double, double, double, double, double, double,
                      const Points&, const Points&, std::string>(),
             nb::kw_only(), "price"_a, "spread"_a, "tick_size"_a, "touch_quantity"_a, "daily_volume"_a,
             "daily_volatility"_a, "session_minutes"_a, "session_fraction"_a, "taker_fee"_a, "maker_fee"_a,
             "dark_fee"_a, "drift_per_day"_a, "volume_error"_a, "turnover_days"_a, "permanent"_a, "permanent_se"_a,
             "temporary"_a, "temporary_se"_a, "temporary_exponent"_a, "temporary_exponent_se"_a, "square_root"_a,
             "adverse_selection"_a, "adverse_selection_se"_a, "dark_fill_share"_a, "fractions"_a, "cumulative"_a,
             "source"_a)
        .def("expected_outcomes", &PretradeMarket::expected_outcomes, "candidates"_a, "order_quantity"_a);
}
