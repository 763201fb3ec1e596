// One made-up order: sent in slices, filled a second later, measured and graded at its end.

const STRATEGIES = [
  ["Balanced Shortfall", "IMPLEMENTATION_SHORTFALL", 0.00062, 0.0006, 12, 0.97],
  ["VWAP Tracker", "VWAP", 0.00054, 0.0011, 30, 0.94],
  ["Patient TWAP", "TWAP", 0.00049, 0.0015, 45, 0.9],
];

function outcomes([, , cost, sd, minutes, completes]) {
  return {
    estimated_cost: cost,
    estimated_time_minutes: minutes,
    market_impact: cost * 0.55,
    completion_probability: completes,
    risk_score: Math.min(1, sd * 400),
    cost_sd: sd,
    cost_low: cost - 1.28 * sd,
    cost_high: cost + 1.28 * sd,
    spread_cost: cost * 0.3,
    fees: cost * 0.15,
  };
}

function strategy([strategy_name, algorithm, , , minutes], start) {
  const slices = 12;
  const edge = (index) => new Date(start + (index * minutes * 60_000) / slices).toISOString();
  return {
    strategy_name,
    algorithm,
    parameters: { participation_rate: 0.1, execution_style: "BALANCED", dark_pool_ratio: 0.2, volatility_adjustment: true, slices },
    venue_allocation: { NYSE: 0.35, NASDAQ: 0.3, BATS: 0.15, DARK_POOL_1: 0.2 },
    time_allocation: {
      start_time: edge(0),
      end_time: edge(slices),
      slices: Array.from({ length: slices }, (_, index) => ({ start_time: edge(index), end_time: edge(index + 1), fraction: 1 / slices })),
    },
    risk_controls: { max_participation_rate: 0.2, max_slippage_bps: 40, max_order_value: 5e6, price_limit: null, max_child_quantity: null, pause_on: ["HALT"] },
  };
}

export function recommendation(request, number, start) {
  const [best, ...rest] = STRATEGIES;
  return {
    order_id: request.order_id,
    selection_id: `S-${number}`,
    recommended_strategy: strategy(best, start),
    strategy_rationale: `Balanced Shortfall is expected to cost 6.2 bps with a risk of 6.0 bps for ${request.quantity} ${request.instrument_id}; waiting longer saves 1.3 bps of impact and adds 9 bps of risk.`,
    expected_outcomes: outcomes(best),
    alternative_strategies: rest.map((one) => ({
      strategy: strategy(one, start),
      expected_outcomes: outcomes(one),
      score: 0.8,
      why_not_chosen: `cheaper by ${((best[2] - one[2]) * 1e4).toFixed(1)} bps, but its risk is ${((one[3] - best[3]) * 1e4).toFixed(0)} bps higher`,
    })),
    confidence: 0.71,
    market_context: { current_conditions: "NORMAL", volatility_regime: "NORMAL", liquidity_score: 0.82, news_impact_score: 0.1, time_of_day: "MORNING", source: "derived" },
    frontier: [...STRATEGIES, ["Urgent Shortfall", "IMPLEMENTATION_SHORTFALL", 0.0011, 0.00025, 4, 0.99], ["Participation 10 %", "PARTICIPATION_RATE", 0.00075, 0.0009, 20, 0.92]].map(
      ([strategy_name, algorithm, cost, risk, time_minutes], index) => ({ strategy_name, algorithm, cost, risk, time_minutes, chosen: index === 0 }),
    ),
    binding_constraints: request.constraints.max_participation_rate === null ? [] : ["max_participation_rate caps the pace of Urgent Shortfall"],
    infeasible: { "Dark-first VWAP": "needs dark pools, which the order does not allow" },
    status: "PROPOSED",
  };
}

export class MockOrder {
  constructor(request, tape, now, random, sliceMs) {
    const { instrument_id, side, quantity, order_type, price, execution_instructions, algorithm } = request;
    this.tape = tape;
    this.random = random;
    this.begin = now;
    this.sent = 0;
    this.children = [];
    this.fills = [];
    this.arrival = tape.quote(new Date(now).toISOString());
    this.row = {
      order_id: request.order_id,
      instrument_id,
      side,
      quantity,
      order_type,
      price: price ?? null,
      state: "PENDING",
      algorithm: algorithm ?? "IMPLEMENTATION_SHORTFALL",
      strategy_name: algorithm === undefined ? "Balanced Shortfall" : null,
      selection_id: request.selection_id ?? null,
      account_id: null,
      portfolio_id: null,
      instructions: { ...execution_instructions, urgency: execution_instructions?.urgency ?? "NORMAL" },
      arrival: this.arrival,
      filled_quantity: 0,
      average_fill_price: null,
      created_time: new Date(now).toISOString(),
      updated_time: new Date(now).toISOString(),
      actor: "local",
      reason: null,
    };
    this.slices = 12;
    this.sliceMs = sliceMs * (1 + random() * 0.5);
  }

  get isDone() {
    return ["FILLED", "CANCELLED"].includes(this.row.state);
  }

  scheduled(now) {
    return Math.round((this.row.quantity * Math.min(this.slices, Math.max(0, Math.floor((now - this.begin) / this.sliceMs)))) / this.slices);
  }

  /** Payloads of what happens up to `now`, as [source, type, payload]. */
  step(now) {
    if (this.isDone) return [];
    const out = [];
    if (this.row.state === "PENDING") {
      this.row.state = "WORKING";
      out.push(["algorithm", "execution_planned", this.plan()]);
    }
    if (this.row.state === "CANCELLING") {
      for (const child of this.live()) child.state = "CANCELLED";
      this.row.state = "CANCELLED";
      return [...out, ...this.end(now)];
    }
    const time = new Date(now).toISOString();
    const { bid, ask } = this.tape.quote(time);
    const isBuy = this.row.side === "BUY";
    for (const child of this.live()) {
      const liquidity = child.venue === "DARK_POOL_1" ? "MIDPOINT" : child.post_only ? "ADDED" : "REMOVED";
      const price = liquidity === "MIDPOINT" ? (bid + ask) / 2 : (liquidity === "REMOVED") === isBuy ? ask : bid;
      child.state = "FILLED";
      child.filled_quantity = child.quantity;
      child.updated_time = time;
      const fill = {
        execution_id: `E${this.fills.length + 1}`,
        order_id: this.row.order_id,
        child_order_id: child.child_order_id,
        venue: child.venue,
        quantity: child.quantity,
        price,
        liquidity,
        fee: child.quantity * (liquidity === "ADDED" ? -0.002 : 0.003),
        bid,
        ask,
        venue_time: time,
        received_time: time,
      };
      this.fills.push(fill);
      this.row.filled_quantity += child.quantity;
      this.row.average_fill_price = this.fills.reduce((sum, one) => sum + one.price * one.quantity, 0) / this.row.filled_quantity;
      out.push(["algorithm", "execution_report", { order_id: this.row.order_id, report: { ...fill, kind: "FILL" } }]);
    }
    if (this.row.filled_quantity >= this.row.quantity) {
      this.row.state = "FILLED";
      return [...out, ...this.end(now)];
    }
    const due = this.scheduled(now) - this.sent;
    if (this.row.state === "WORKING" && due > 0) {
      const venue = ["NYSE", "NASDAQ", "BATS", "DARK_POOL_1"][this.children.length % 4];
      const child = {
        child_order_id: `${this.row.order_id}-${String(this.children.length + 1).padStart(4, "0")}-001`,
        order_id: this.row.order_id,
        instrument_id: this.row.instrument_id,
        side: this.row.side,
        quantity: due,
        filled_quantity: 0,
        price: venue === "DARK_POOL_1" ? null : isBuy ? bid : ask,
        order_type: venue === "DARK_POOL_1" ? "MIDPOINT_PEG" : "LIMIT",
        time_in_force: "DAY",
        post_only: this.children.length % 3 === 0,
        venue,
        state: "WORKING",
        slice_id: this.children.length + 1,
        reason: `slice ${this.children.length + 1} of ${this.slices}: post at the near touch`,
        submitted_time: time,
        updated_time: time,
      };
      this.children.push(child);
      this.sent += due;
      out.push(["algorithm", "child_order_submitted", { child, slice_id: child.slice_id, bid, ask, reason: child.reason }]);
    }
    return [...out, ["algorithm", "algorithm_execution", this.working(now)], ["monitoring", "execution_monitoring", this.monitoring(now)]];
  }

  live() {
    return this.children.filter((child) => child.state === "WORKING");
  }

  working(now) {
    const live = this.live();
    const { order_id, state, quantity, filled_quantity, average_fill_price, algorithm } = this.row;
    const scheduled_quantity = this.scheduled(now);
    return {
      order_id,
      algorithm,
      state,
      quantity,
      filled_quantity,
      live_quantity: live.reduce((sum, child) => sum + child.quantity, 0),
      unknown_quantity: 0,
      remaining_quantity: quantity - filled_quantity,
      scheduled_quantity,
      average_fill_price,
      schedule_deviation: (filled_quantity - scheduled_quantity) / quantity,
      decision_latency_ns: 41_000,
      live_children: live.length,
      reason: "on schedule",
    };
  }

  slippage() {
    if (this.row.average_fill_price === null) return null;
    const sign = this.row.side === "BUY" ? 1 : -1;
    return (sign * (this.row.average_fill_price - this.arrival.mid) * 1e4) / this.arrival.mid;
  }

  monitoring(now) {
    const { order_id, instrument_id, side, state, quantity, filled_quantity, average_fill_price } = this.row;
    const quote = this.tape.quote(new Date(now).toISOString());
    const market_volume = this.tape.volume - this.arrival.cumulative_volume + filled_quantity;
    const venues = {};
    for (const fill of this.fills) venues[fill.venue] = (venues[fill.venue] ?? 0) + fill.quantity;
    const share = (kind) => (filled_quantity === 0 ? null : this.fills.filter(({ liquidity }) => liquidity === kind).reduce((sum, fill) => sum + fill.quantity, 0) / filled_quantity);
    const slippage = this.slippage();
    return {
      order_id,
      instrument_id,
      side,
      state,
      execution_progress: filled_quantity / quantity,
      quantity,
      filled_quantity,
      remaining_quantity: quantity - filled_quantity,
      live_quantity: this.working(now).live_quantity,
      average_fill_price,
      scheduled_quantity: this.scheduled(now),
      bid: quote.bid,
      ask: quote.ask,
      market_volume,
      metrics: {
        arrival_slippage_bps: slippage,
        vwap_slippage_bps: slippage === null ? null : slippage * 0.4,
        twap_slippage_bps: slippage === null ? null : slippage * 0.5,
        participation_rate: market_volume > 0 ? filled_quantity / market_volume : null,
        fill_rate: filled_quantity / quantity,
        child_fill_rate: this.sent > 0 ? filled_quantity / this.sent : null,
        execution_speed: 1.02,
        schedule_deviation: (filled_quantity - this.scheduled(now)) / quantity,
        cost_efficiency: slippage === null ? null : 6.2 - slippage,
        expected_cost_bps: 6.2,
        spread_bps: quote.spread_bps,
        passive_share: share("ADDED"),
        dark_share: share("MIDPOINT"),
      },
      performance_score: filled_quantity > 0 ? 0.66 : null,
      alerts_open: 0,
      venues,
      is_generated: true,
      last_fill: null,
    };
  }

  plan() {
    const edge = (index) => new Date(this.begin + index * this.sliceMs).toISOString();
    return {
      order_id: this.row.order_id,
      algorithm_used: this.row.algorithm,
      child_orders: [],
      execution_schedule: Array.from({ length: this.slices }, (_, index) => ({
        slice_id: index + 1,
        start_time: edge(index),
        end_time: edge(index + 1),
        target_quantity: Math.round((this.row.quantity * (index + 1)) / this.slices) - Math.round((this.row.quantity * index) / this.slices),
      })),
      estimated_cost: 0.00062,
      expected_completion: edge(this.slices),
      start_time: edge(0),
      end_time: edge(this.slices),
      execution_style: "BALANCED",
      parameters: { participation_rate: 0.1, slices: this.slices },
      revision: 0,
    };
  }

  costs(now) {
    const { quantity, filled_quantity, average_fill_price, side } = this.row;
    const sign = side === "BUY" ? 1 : -1;
    const cents = (value) => Math.round(value * 100) / 100;
    const mid = this.arrival.mid;
    const end = this.tape.quote(new Date(now).toISOString()).mid;
    const notional = cents(quantity * mid);
    const traded = average_fill_price === null ? 0 : cents(sign * (average_fill_price - mid) * filled_quantity);
    const spread = cents(this.fills.reduce((sum, fill) => sum + sign * (fill.price - (fill.bid + fill.ask) / 2) * fill.quantity, 0));
    const market_impact = cents(notional * 0.00034 * (filled_quantity / quantity));
    const timing = cents(traded - spread - market_impact);
    const opportunity = cents(sign * (end - mid) * (quantity - filled_quantity));
    const fees = cents(this.fills.reduce((sum, fill) => sum + fill.fee, 0));
    const total = cents(spread + market_impact + timing + opportunity + fees);
    const of = (value) => (value / notional) * 1e4;
    const slippage = this.slippage();
    return {
      decision_price: mid,
      arrival_price: mid,
      end_price: end,
      delay: 0,
      spread,
      market_impact,
      timing,
      opportunity,
      commission: 0,
      fees,
      total,
      notional,
      implementation_shortfall_bps: of(total),
      arrival_slippage_bps: slippage,
      vwap_slippage_bps: slippage === null ? null : slippage * 0.4,
      twap_slippage_bps: slippage === null ? null : slippage * 0.5,
      market_impact_bps: of(market_impact),
      timing_cost_bps: of(timing),
      spread_cost_bps: of(spread),
      opportunity_cost_bps: of(opportunity),
      total_cost_bps: of(total),
      markouts_bps: { 1: 0.3, 10: -0.4, 60: null },
      reversion_bps: 0.6,
      interval_vwap: mid * 1.0002,
      interval_twap: mid * 1.0001,
    };
  }

  quality() {
    const score = (metric_value, benchmark_value, quality_score, weight, unit = "bps", note = null) => ({
      metric_value,
      benchmark_value,
      percentile_rank: null,
      quality_score,
      weight,
      trend: "INSUFFICIENT_DATA",
      unit,
      note,
    });
    const slippage = this.slippage();
    const hasFills = this.row.filled_quantity > 0;
    return {
      trade_id: this.row.order_id,
      order_id: this.row.order_id,
      overall_quality_score: hasFills ? 0.68 : null,
      quality_grade: hasFills ? "GOOD" : null,
      interval: hasFills ? { low: 0.51, high: 0.83, grade_low: "AVERAGE", grade_high: "EXCELLENT" } : null,
      metric_breakdown: {
        FILL_RATE: score(this.row.filled_quantity / this.row.quantity, 1, 0.9, 0.15, "fraction"),
        IMPLEMENTATION_SHORTFALL: score(slippage, null, null, 0),
        SLIPPAGE: score(slippage, 6.2, 0.64, 0.3),
        MARKET_IMPACT: score(3.4, 3.4, 0.5, 0.2),
        PRICE_IMPROVEMENT: score(null, null, null, 0.1, "bps", "no dark fill to compare"),
      },
      venue_performance: Object.entries(this.monitoring(this.begin).venues).map(([venue, quantity]) => ({
        venue,
        fills: this.fills.filter((fill) => fill.venue === venue).length,
        quantity,
        quality_score: 0.6,
        effective_spread_bps: 0.4,
        markout_bps: -0.1,
        fill_rate: 1,
        fee_bps: 0.1,
      })),
      algorithm_performance: {},
      improvement_recommendations: ["Post longer on NYSE: fills there cost 0.3 bps less than crossing."],
      standard_version: "2026-11-1",
    };
  }

  /** As the list of results gives it. */
  graded() {
    const analysis = this.quality();
    const { order_id, overall_quality_score, quality_grade } = analysis;
    return { order_id, overall_quality_score, quality_grade, analysis };
  }

  /** The recommendation that the order came from, as it is kept. */
  selections() {
    const { order_id, instrument_id, quantity } = this.row;
    const given = recommendation({ order_id, instrument_id, quantity, constraints: {} }, 1, this.begin);
    return [{ id: given.selection_id, order_id, status: "COMMITTED", adaptation: 0, recommendation: given }];
  }

  end(now) {
    const { order_id, state, quantity, filled_quantity, average_fill_price } = this.row;
    return [
      ["algorithm", "algorithm_execution", this.working(now)],
      ["algorithm", "execution_completed", { order_id, state, quantity, filled_quantity, average_fill_price, reason: state === "FILLED" ? "all filled" : "cancelled at the desk" }],
      ["monitoring", "execution_monitoring", this.monitoring(now)],
      ["monitoring", "execution_measured", { order_id, costs: this.costs(now) }],
      ["quality", "execution_quality_analyzed", this.quality()],
      ["monitoring", "trade_executed", { execution: { order_id } }],
    ];
  }
}
