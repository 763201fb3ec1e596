#include "bestex/pretrade.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <sstream>
#include <stdexcept>

namespace bestex::pretrade {

namespace {

constexpr int steps = 32;
constexpr double minutes_of_a_day = 1440.0;
constexpr double rate_without_cap = 0.5;
constexpr double time_tail = 0.005;

using Edges = std::array<double, steps + 1>;

double elapsed(int edge) { return static_cast<double>(edge) / steps; }

// As numpy.interp, down to the order of its operations: flat beyond the ends, the last of equal points.
double interpolated(double x, const double* at, const double* values, std::size_t count) {
    if (x < at[0]) return values[0];
    const auto above = static_cast<std::size_t>(std::upper_bound(at, at + count, x) - at);
    if (above == count) return values[count - 1];
    const std::size_t j = above - 1;
    if (at[j] == x) return values[j];
    return (values[j + 1] - values[j]) / (at[j + 1] - at[j]) * (x - at[j]) + values[j];
}

double normal_cdf(double x) { return 0.5 * (1.0 + std::erf(x / std::numbers::sqrt2)); }

double window_share(const Candidate& c, const Market& m) {
    double end = m.session_fraction + c.window_minutes / m.session_minutes;
    if (m.session_minutes < minutes_of_a_day) end = std::min(end, 1.0);
    const double days = std::floor(end);
    const double share = days + m.volume_curve.at(end - days) - m.volume_curve.at(m.session_fraction);
    if (!(share > 0)) {
        std::ostringstream why;
        why << "no volume is expected in the " << c.window_minutes << " minutes from " << m.session_fraction
            << " of the session (" << m.volume_curve.source << "); start earlier or take another curve";
        throw std::invalid_argument(why.str());
    }
    return share;
}

double working_share(const Candidate& c, double quantity, double of_window, const Market& m) {
    const double rate = c.participation_rate;
    if (c.algorithm != Algorithm::participation_rate || std::isnan(rate)) return of_window;
    return std::min(of_window, quantity * (1 - rate) / rate / m.daily_volume);
}

Edges step_minutes(double share, const Market& m) {
    const double start = m.session_fraction, from = m.volume_curve.at(start);
    const double last = (from + share) * (1 - 1e-12);
    Edges minutes{};
    for (int k = 1; k <= steps; ++k) {
        const double at = from + share * elapsed(k);
        const double days = std::floor(std::min(at, last));
        const double fraction = std::max(days + m.volume_curve.fraction_when(at - days), start);
        minutes[k] = (fraction - start) * m.session_minutes;
    }
    return minutes;
}

double remaining_fraction(double u, double kappa_t) {
    if (kappa_t < 1e-150) return 1.0 - u;
    return std::exp(-kappa_t * u) * std::expm1(-2.0 * kappa_t * (1.0 - u)) / std::expm1(-2.0 * kappa_t);
}

Edges executed_path(const Candidate& c, double quantity, double volume, const Edges& minutes) {
    const double rate = c.participation_rate;
    const bool is_capped = !std::isnan(rate) && rate != 1.0;
    Edges done{};
    for (int k = 0; k <= steps; ++k) {
        switch (c.algorithm) {
            case Algorithm::twap: done[k] = minutes[k] / minutes[steps]; break;
            case Algorithm::vwap: done[k] = elapsed(k); break;
            case Algorithm::implementation_shortfall: done[k] = 1.0 - remaining_fraction(elapsed(k), c.kappa_t); break;
            case Algorithm::participation_rate: done[k] = k == 0 ? 0.0 : 1.0; break;
        }
        if (is_capped) done[k] = std::min(done[k], rate / (1 - rate) * volume * elapsed(k) / quantity);
    }
    return done;
}

double fill_probability(double child, double ahead, double slice_volume) {
    return slice_volume == 0 ? 0.0 : std::exp(-(ahead + child / 2) / (slice_volume / 2));
}

struct SpreadCost {
    double cost, passive_share, adverse_sensitivity;
};

SpreadCost spread_cost(const Candidate& c, double fill, double spread_ticks, const Placement& placement) {
    if (c.style == ExecutionStyle::aggressive) return {1.0, 0.0, 0.0};
    const double a = placement.adverse_selection;
    const double narrow = 1.0 / spread_ticks;
    const double taken = c.style == ExecutionStyle::opportunistic ? narrow : 0.0;
    const double wide = taken < 1.0 ? (1.0 - taken * narrow) / (1.0 - taken) : 0.0;
    double cost = 1.0, passive = 0.0, sensitivity = 0.0;
    SpreadCost sums{0.0, 0.0, 0.0};
    const int posts = c.style == ExecutionStyle::balanced ? 1 : c.slices;
    for (int k = 0; k < posts; ++k) {
        cost = taken * narrow + (1 - taken) * (fill * (a - 1) * wide + (1 - fill) * cost);
        passive = (1 - taken) * (fill + (1 - fill) * passive);
        sensitivity = (1 - taken) * (fill * wide + (1 - fill) * sensitivity);
        sums = {sums.cost + cost, sums.passive_share + passive, sums.adverse_sensitivity + sensitivity};
    }
    return {sums.cost / posts, sums.passive_share / posts, sums.adverse_sensitivity / posts};
}

double completion(const Candidate& c, double quantity, double share, const Market& m) {
    const double rate = std::min(std::isnan(c.participation_rate) ? rate_without_cap : c.participation_rate, 1 - 1e-9);
    const double room = std::log(rate / (1 - rate) * m.daily_volume * share / quantity);
    const double enough = normal_cdf(room / m.volume_error);
    if (std::isnan(c.limit_distance)) return enough;
    const double slack = c.limit_distance - m.drift_per_day * share;
    const double sd = m.daily_volatility * std::sqrt(share);
    if (sd == 0) return slack >= 0 ? enough : 0.0;
    return enough * normal_cdf(slack / sd);
}

}  // namespace

double VolumeCurve::at(double fraction) const {
    return interpolated(fraction, fractions.data(), cumulative.data(), fractions.size());
}

double VolumeCurve::fraction_when(double share) const {
    return interpolated(share, cumulative.data(), fractions.data(), fractions.size());
}

Outcome expected_outcome(const Candidate& candidate, double order_quantity, const Market& m) {
    const double sigma = m.daily_volatility;
    const Impact& impact = m.impact;
    const double of_window = window_share(candidate, m);
    const double window_volume = m.daily_volume * of_window;
    const double share = working_share(candidate, order_quantity, of_window, m);
    const double volume = m.daily_volume * share;
    const Edges minutes = step_minutes(share, m);
    const Edges done = executed_path(candidate, order_quantity, volume, minutes);
    const double executed = done[steps];
    const double step_volume = volume / steps;

    double temporary = 0, exponent_error = 0, delay = 0, path = 0, rate_peak = 0;
    int last_active = 0;
    for (int k = 0; k < steps; ++k) {
        const double traded = done[k + 1] - done[k];
        const double rate = traded * order_quantity / step_volume;
        const double weight = traded / executed;
        if (rate > 0) {
            const double cost = impact.temporary * sigma * std::pow(rate, impact.temporary_exponent);
            temporary += weight * cost;
            exponent_error += weight * (cost * std::log(rate));
            last_active = k;
        }
        rate_peak = std::max(rate_peak, rate);
        delay += weight * (k + 0.5);
        const double before = 1.0 - done[k] / executed, after = 1.0 - done[k + 1] / executed;
        path += before * before + before * after + after * after;
    }
    const double size = executed * order_quantity / m.daily_volume;
    const double permanent = impact.permanent * sigma * size * std::pow(m.turnover_days, 0.25) / 2;

    const double half_spread = m.spread / 2 / m.price;
    const double child = executed * order_quantity / candidate.slices;
    const SpreadCost lit =
        spread_cost(candidate, fill_probability(child, m.touch_quantity, window_volume / candidate.slices),
                    std::max(1.0, m.spread / m.tick_size), m.placement);
    const double dark_share = candidate.dark_ratio * m.placement.dark_fill_share;
    const double lit_share = 1.0 - dark_share;

    Outcome o{};
    o.spread_cost = lit_share * half_spread * lit.cost;
    o.temporary_impact = temporary;
    o.permanent_impact = permanent;
    o.fees = dark_share * m.dark_fee +
             lit_share * (lit.passive_share * m.maker_fee + (1 - lit.passive_share) * m.taker_fee);
    o.drift_cost = m.drift_per_day * share * delay / steps;
    o.expected_cost = o.spread_cost + temporary + permanent + o.fees + o.drift_cost;
    o.cost_sd = std::hypot(sigma * std::sqrt(share / steps * path / 3),
                           impact.temporary_exponent * temporary * m.volume_error);
    o.cost_errors[0] = impact.permanent != 0 ? permanent * impact.permanent_se / impact.permanent : 0.0;
    o.cost_errors[1] = impact.temporary != 0 ? temporary * impact.temporary_se / impact.temporary : 0.0;
    o.cost_errors[2] = exponent_error * impact.temporary_exponent_se;
    o.cost_errors[3] = (temporary + permanent - impact.square_root * sigma * std::sqrt(size) * 2.0 / 3.0) / 2;
    o.cost_errors[4] = lit_share * half_spread * lit.adverse_sensitivity * m.placement.adverse_selection_se;
    double squares = 0;
    for (const double error : o.cost_errors) squares += error * error;
    o.cost_error_sd = std::sqrt(squares);
    o.time_minutes = interpolated(executed * (1 - time_tail), done.data(), minutes.data(), done.size());
    o.completion_probability = completion(candidate, order_quantity, of_window, m);
    o.executed_fraction = executed;
    o.participation_rate =
        executed * order_quantity / (executed * order_quantity + step_volume * (last_active + 1));
    o.participation_rate_peak = rate_peak / (1 + rate_peak);
    o.passive_share = lit_share * lit.passive_share;
    return o;
}

}  // namespace bestex::pretrade
