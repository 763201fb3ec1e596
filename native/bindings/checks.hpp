// What a caller may ask of the core: each parameter in its range, or a ValueError that names it.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "bestex/decision.hpp"

namespace bestex::bindings {

// Sums and differences of two of these fit 64 bits: until the year 2116 in UTC nanoseconds.
constexpr std::int64_t time_end = std::int64_t{1} << 62;
// Quantities below this are exact in a float64, and sums of a thousand of them fit 64 bits.
constexpr Lots quantity_end = Lots{1} << 53;

[[noreturn]] inline void refuse(const std::string& field, const std::string& seen, const std::string& expected) {
    throw nanobind::value_error((field + " is " + seen + "; expected " + expected).c_str());
}

template <class Number>
void require(bool good, const std::string& field, Number seen, const char* expected) {
    if (!good) refuse(field, std::to_string(seen), expected);
}

template <class Enum>
Enum code(const std::string& field, std::int64_t seen, int last) {
    if (seen < 0 || seen > last) refuse(field, std::to_string(seen), "a code from 0 to " + std::to_string(last));
    return static_cast<Enum>(seen);
}

inline Nanoseconds time(const std::string& field, Nanoseconds seen) {
    require(seen > -time_end && seen < time_end, field, seen, "a time within 2^62 ns of 1970");
    return seen;
}

inline Nanoseconds delay(const std::string& field, Nanoseconds seen) {
    require(seen >= 0 && seen <= 86'400'000'000'000, field, seen, "from 0 ns to one day");
    return seen;
}

inline Lots lots(const std::string& field, Lots seen) {
    require(seen >= 0, field, seen, "at least 0");
    require(seen < quantity_end, field, seen, "below 2^53 lots");
    return seen;
}

// no_price is a price too: that of an empty side.
inline Ticks price(const std::string& field, Ticks seen) {
    require(seen == no_price || (seen > -quantity_end && seen < quantity_end), field, seen, "within 2^53 ticks of 0");
    return seen;
}

// `prefix` says whose parameters: "" or "parents[3].".
inline void check(const DecisionParameters& p, const std::string& prefix) {
    require(p.quantity > 0, prefix + "quantity", p.quantity, "at least 1 lot");
    require(p.quantity < quantity_end, prefix + "quantity", p.quantity, "below 2^53 lots");
    require(p.slices >= 1, prefix + "slices", p.slices, "at least 1");
    time(prefix + "start", p.start);
    time(prefix + "end", p.end);
    if (p.end <= p.start)
        refuse(prefix + "end", std::to_string(p.end), "a time after start, which is " + std::to_string(p.start));
    require(p.end - p.start >= p.slices, prefix + "end - start", p.end - p.start, "at least one nanosecond per slice");
    price(prefix + "limit", p.limit);
    require(p.participation_rate > 0.0 && p.participation_rate <= 1.0, prefix + "participation_rate", p.participation_rate,
            "above 0 and at most 1");
    if (p.algorithm == Algorithm::participation_rate)
        require(p.participation_rate < 1.0, prefix + "participation_rate", p.participation_rate,
                "below 1 for PARTICIPATION_RATE: at 1 there would be no volume of others to follow");
    require(p.child_quantity_max > 0, prefix + "child_quantity_max", p.child_quantity_max, "at least 1");
    const auto& curve = p.curve.cumulative;
    if (curve.size() != static_cast<std::size_t>(p.slices))
        refuse(prefix + "curve", std::to_string(curve.size()) + " values long", std::to_string(p.slices) + ", one per slice");
    double before = 0.0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        if (!(curve[i] >= before && curve[i] <= 1.0))
            refuse(prefix + "curve[" + std::to_string(i) + "]", std::to_string(curve[i]),
                   "a cumulative fraction from " + std::to_string(before) + " to 1, never falling");
        before = curve[i];
    }
    if (before != 1.0) refuse("the last value of " + prefix + "curve", std::to_string(before), "exactly 1");
}

// One thread at a time: what runs without the interpreter's lock holds its object, and a second caller is refused.
class InUse {
public:
    explicit InUse(std::atomic<bool>& flag) : flag_(flag) {
        if (flag_.exchange(true)) throw std::runtime_error("this object is being used by another thread; one at a time");
    }
    ~InUse() { flag_ = false; }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

private:
    std::atomic<bool>& flag_;
};

}  // namespace bestex::bindings
