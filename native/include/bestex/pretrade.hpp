// What a candidate is expected to cost before it trades: the twin of quant/pretrade.py, name by name.
//
// Costs are fractions of the notional expected to be executed, against the arrival mid; positive is worse for us.
// The model and its sources are told in Python; here the same arithmetic runs in the same order, one candidate a call.
#pragma once

#include <string>
#include <vector>

#include "bestex/decision.hpp"

namespace bestex::pretrade {

// Share of the day's volume done by each fraction of the session, straight between its points; both from 0 to 1.
struct VolumeCurve {
    std::vector<double> fractions;
    std::vector<double> cumulative;
    std::string source;

    double at(double fraction) const;
    double fraction_when(double share) const;
};

struct Impact {
    double permanent, permanent_se;
    double temporary, temporary_se;
    double temporary_exponent, temporary_exponent_se;
    double square_root;
};

struct Placement {
    double adverse_selection, adverse_selection_se;
    double dark_fill_share;
};

struct Market {
    double price, spread, tick_size, touch_quantity;
    double daily_volume, daily_volatility;
    double session_minutes, session_fraction;
    double taker_fee, maker_fee, dark_fee;
    double drift_per_day, volume_error, turnover_days;
    Impact impact;
    Placement placement;
    VolumeCurve volume_curve;
};

struct Candidate {
    Algorithm algorithm;
    ExecutionStyle style;
    double window_minutes;
    int slices;
    double kappa_t;
    double participation_rate;  // NaN = no cap
    double dark_ratio;
    double limit_distance;      // NaN = no limit
};

// Doubles only, in the order of the columns that Python reads.
struct Outcome {
    double expected_cost;
    double spread_cost, temporary_impact, permanent_impact, fees, drift_cost;
    double cost_sd, cost_error_sd;
    double cost_errors[5];
    double time_minutes;
    double completion_probability;
    double executed_fraction;
    double participation_rate, participation_rate_peak;
    double passive_share;
};

// Throws std::invalid_argument where no volume is expected in the window.
Outcome expected_outcome(const Candidate& candidate, double order_quantity, const Market& market);

}  // namespace bestex::pretrade
