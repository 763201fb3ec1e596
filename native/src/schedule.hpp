// When a slice begins, and how much is to be done by its end.
#pragma once

#include <algorithm>
#include <cmath>

#include "bestex/decision.hpp"

namespace bestex {

// 128 bits: a day of nanoseconds times a million slices passes 64.
__extension__ typedef __int128 Wide;

// The slice that holds `now`, for start <= now < end.
inline std::int32_t slice_at(const DecisionParameters& p, Nanoseconds now) {
    return static_cast<std::int32_t>(static_cast<Wide>(now - p.start) * p.slices / (p.end - p.start));
}

// First nanosecond of slice `slice`; the end of the last one for slice == slices.
inline Nanoseconds slice_start(const DecisionParameters& p, std::int32_t slice) {
    const Wide elapsed = static_cast<Wide>(p.end - p.start) * slice;
    return p.start + static_cast<Nanoseconds>((elapsed + p.slices - 1) / p.slices);
}

// From here to the end, what is left of the last slice crosses.
inline Nanoseconds closing_time(const DecisionParameters& p) {
    const Nanoseconds last = slice_start(p, p.slices - 1);
    return std::max(last, p.end - std::max<Nanoseconds>(1, (p.end - last) / 10));
}

// Cumulative target at the end of `slice`. The curve is rounded, never the children: no drift, and the last is exact.
inline Lots curve_target(const DecisionParameters& p, std::int32_t slice) {
    if (slice < 0) return 0;
    if (slice >= p.slices - 1) return p.quantity;
    const double lots = std::floor(static_cast<double>(p.quantity) * p.curve.cumulative[slice] + 0.5);
    return std::clamp<Lots>(static_cast<Lots>(lots), 0, p.quantity);
}

}  // namespace bestex
