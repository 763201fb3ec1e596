// Where a quantity may go: prices, limits and the touch.
#pragma once

#include "bestex/decision.hpp"

namespace bestex {

inline Ticks near_touch(Side side, const MarketView& market) { return side == Side::buy ? market.bid : market.ask; }

inline Ticks far_touch(Side side, const MarketView& market) { return side == Side::buy ? market.ask : market.bid; }

// Whether `price` is a better offer to the market than `other`: higher to buy, lower to sell.
inline bool more_aggressive(Side side, Ticks price, Ticks other) {
    return side == Side::buy ? price > other : price < other;
}

inline bool within_limit(const DecisionParameters& p, Ticks price) {
    return price != no_price && (p.limit == no_price || !more_aggressive(p.side, price, p.limit));
}

inline bool spread_is_one_tick(const MarketView& market) {
    return market.bid != no_price && market.ask != no_price && market.ask - market.bid == 1;
}

inline void add_intent(Decision& decision, IntentKind kind, Lots quantity, Ticks price) {
    decision.intents[decision.count++] = Intent{kind, quantity, price};
}

inline void cross(Decision& decision, const DecisionParameters& p, Lots quantity) {
    add_intent(decision, p.limit == no_price ? IntentKind::market : IntentKind::limit, quantity, p.limit);
}

}  // namespace bestex
