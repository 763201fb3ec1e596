// Our share of all volume, ours included, from the volume of others alone:
// ours = rate * (ours + others), so ours = rate / (1 - rate) * others.
#pragma once

#include <algorithm>
#include <cmath>

#include "bestex/decision.hpp"

namespace bestex {

// A child that catches up may be at most this many times what the volume since the last one allows.
constexpr double catch_up = 2.0;

// Keeps 0.1 * 9 / 0.9 a whole lot.
constexpr double rounding_slack = 1e-9;

constexpr double lots_most = 9e15;

// What may have been executed while others traded `others`, times `factor`; unlimited at rate 1.
inline Lots allowed_by(double rate, Lots others, double factor = 1.0) {
    if (rate >= 1.0) return unlimited;
    const double lots = std::floor(factor * rate * static_cast<double>(others) / (1.0 - rate) + rounding_slack);
    return lots > lots_most ? unlimited : static_cast<Lots>(lots);
}

// The volume of others that allows `ours`; 0 at rate 1.
inline Lots volume_for(double rate, Lots ours, double factor = 1.0) {
    if (rate >= 1.0) return 0;
    const double lots = std::ceil(static_cast<double>(ours) * (1.0 - rate) / (factor * rate) - rounding_slack);
    return lots > lots_most ? unlimited : static_cast<Lots>(lots);
}

}  // namespace bestex
