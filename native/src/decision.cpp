#include "bestex/decision.hpp"

namespace bestex {

Decision decide(const DecisionParameters&, DecisionState& state, const Position&, const MarketView&, Wake) noexcept {
    state.done = true;
    return {};
}

}  // namespace bestex
