// What the market remembers of our fills: how far they have moved the price others quote around.
//
// The sum of parts, each a concave function of its own decaying net volume, plus a linear permanent part:
//     impact = sum_j weight_j * h(J_j) + permanent * J_0,   dJ_j = dQ - J_j / decay_j dt,   h(x) = sign(x)(sqrt(|x| + e) - sqrt(e))
// with Q in shares of ADV, bought minus sold. Each part alone makes a round trip cost at least zero: the cost is
// H(J_end) - H(0) plus the integral of J h(J) / decay, both not negative; a linear permanent part costs zero.
// Source: Alfonsi, Fruth, Schied (2010), volume impact with a general shape function; Huberman, Stanzl (2004) for the
// linear permanent part. Departure: several time scales, added after the shape function and not before it.
#pragma once

#include <array>
#include <cmath>

#include "bestex/types.hpp"

namespace bestex::generated {

class ImpactMemory {
public:
    static constexpr std::size_t parts = 3;
    static constexpr std::array<double, parts> decay_seconds{20.0, 600.0, 7200.0};
    static constexpr std::array<double, parts> weights{0.25, 0.35, 0.40};
    static constexpr double smallest = 1e-6;   // of ADV: below it impact is linear in volume
    static constexpr double permanent = 1.0;   // times scale, per share of ADV

    // `scale`: ticks that sqrt(share of ADV) = 1 moves the price before any decay.
    ImpactMemory(double scale, double average_daily_volume) : scale_(scale), volume_(average_daily_volume) {}

    void add(Side side, Lots quantity, Nanoseconds now) {
        decay(now);
        const double share = sign(side) * static_cast<double>(quantity) / volume_;
        for (double& part : net_) part += share;
        total_ += share;
        is_empty_ = false;
    }
    // Ticks; positive = up.
    double ticks(Nanoseconds now) {
        if (is_empty_) return 0.0;
        decay(now);
        double sum = permanent * total_;
        for (std::size_t j = 0; j < parts; ++j) sum += weights[j] * shape(net_[j]);
        return scale_ * sum;
    }

private:
    static double shape(double x) {
        return std::copysign(std::sqrt(std::fabs(x) + smallest) - std::sqrt(smallest), x);
    }
    void decay(Nanoseconds now) {
        const double seconds = static_cast<double>(now - last_) * 1e-9;
        last_ = now;
        if (is_empty_ || seconds <= 0.0) return;
        for (std::size_t j = 0; j < parts; ++j) net_[j] *= std::exp(-seconds / decay_seconds[j]);
    }

    double scale_, volume_;
    std::array<double, parts> net_{};
    double total_ = 0.0;
    Nanoseconds last_ = 0;
    bool is_empty_ = true;
};

}  // namespace bestex::generated
