/** What every figure on the screens means: shown on hover and read to screen readers. Signs as everywhere: cost positive = worse. */

export const DEFINITIONS = {
  arrival_slippage_bps:
    "Average fill price against the mid-quote when the order arrived, in basis points of that mid. Positive = worse for us.",
  vwap_slippage_bps:
    "Average fill price against the volume-weighted price of all trades since the order arrived. Positive = worse for us.",
  twap_slippage_bps:
    "Average fill price against the time-weighted mid-quote since the order arrived. Positive = worse for us.",
  participation_rate: "Our filled volume over all market volume since the order arrived, ours included.",
  fill_rate: "Filled quantity over ordered quantity.",
  child_fill_rate: "Filled quantity over the quantity sent to venues.",
  execution_speed: "Filled share over elapsed share of the window: 1 = on a straight line, above 1 = faster.",
  schedule_deviation: "(Filled − scheduled) over ordered quantity. Positive = ahead of schedule.",
  cost_efficiency: "Expected cost less the slippage so far, in basis points. Positive = better than expected.",
  expected_cost_bps: "What the pre-trade model expected this order to cost, in basis points of its value.",
  spread_bps: "Best ask less best bid, in basis points of the mid.",
  passive_share: "Share of the filled quantity that rested in a book before it traded.",
  dark_share: "Share of the filled quantity that traded on venues that show no quotes.",
  performance_score: "0 to 1, higher is better: how the order does against its own expectation so far.",
  estimated_cost: "Expected cost of the whole order: spread, impact and fees, in basis points of its value.",
  cost_range: "From the 10 % to the 90 % point of the pre-trade cost distribution; the mark is the expected cost.",
  cost_sd: "Standard deviation of the realised cost around the expectation: the market risk of waiting.",
  market_impact: "Part of the expected cost that our own trading moves the price by.",
  estimated_time_minutes: "Expected time from start to the last fill.",
  completion_probability: "Probability that the whole quantity fills within the window under the constraints.",
  confidence:
    "Probability that this execution strategy is within 1 bp (or 5 %) of the best candidate, under the cost model's own error.",
  delay: "Price move between the decision and the order's arrival at the desk, on the executed quantity.",
  spread: "Half-spread paid against the mid at each fill. Negative = captured.",
  impact: "What the pre-trade model says our own trading moved the price by, on what was filled.",
  timing: "The rest of the mid's move while the order was worked: market drift and what the impact model missed.",
  opportunity: "Price move on the quantity that was not filled, up to the end of the order.",
  commission: "Broker's commission.",
  fees: "Exchange fees less rebates. Negative = rebates earned.",
  total: "Implementation shortfall: against executing everything at the decision price, at once and for nothing.",
  markout: "How far the mid moved our way after a fill, weighted by quantity. Positive = good for us.",
  reversion: "How far the mid came back after the order ended. Large and positive = our impact was temporary.",
  grade:
    "From fixed, versioned cut points against the order's own pre-trade cost distribution. The interval is what the same skill would score on 80 % of days.",
  percentile: "Rank among like executions of this desk, 100 = best. Empty below the minimum sample.",
  quality_score: "0 to 1, higher is better.",
  filled_bar: "Filled share of the order. The mark is where the schedule wants it to be now.",
  live_quantity: "Sent to venues and not finally answered: working, cancel pending and unknown.",
  unknown_quantity: "Sent, but the venue has not answered in time. It stays reserved until it does.",
  band: "One slice of the schedule ahead or behind: what the algorithm may lead or lag by on purpose.",
} as const;

export type Term = keyof typeof DEFINITIONS;
