/**
 * The shapes the screens read. Times are ISO-8601 UTC text, rates and fractions 0..1, costs fractions of notional unless the
 * name ends in `_bps`; cost positive = worse for us. `null` = cannot be computed, never zero.
 */

export type Side = "BUY" | "SELL";
export type OrderType = "MARKET" | "LIMIT" | "MIDPOINT_PEG";
export type Urgency = "LOW" | "NORMAL" | "HIGH" | "URGENT";
export type Objective =
  | "MINIMIZE_COST"
  | "MINIMIZE_RISK"
  | "MINIMIZE_TIME"
  | "MAXIMIZE_ALPHA_CAPTURE"
  | "BALANCED_EXECUTION";
export type ParentState =
  | "PENDING"
  | "WORKING"
  | "PAUSED"
  | "CANCELLING"
  | "FILLED"
  | "CANCELLED"
  | "REJECTED"
  | "EXPIRED";
export type Liquidity = "ADDED" | "REMOVED" | "MIDPOINT" | "AUCTION";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface FieldError {
  field: string | null;
  value: string | null;
  expected: string | null;
  detail: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  errors?: FieldError[];
}

export interface DeskStatus {
  desk_time: string;
  wall_time: string;
  speed: number;
  market: { kind: "generated" | "replay"; seed: number | null; label: string };
  services: { name: string; status: string; detail: string | null }[];
  feed: { last_event_age_ms: number | null };
  version: string;
}

export interface Instrument {
  instrument_id: string;
  name: string;
  asset_class: string;
  currency: string;
  tick_size: number;
  lot_size: number;
  multiplier: number;
  calendar: string;
  venues: string[];
  average_daily_volume: number | null;
  daily_volatility: number | null;
  is_generated: boolean;
}

export interface Venue {
  venue_id: string;
  name: string;
  venue_type: string;
  maker_fee: number;
  taker_fee: number;
  is_generated: boolean;
}

export interface MarketSnapshot {
  instrument_id: string;
  time: string;
  bid: number | null;
  ask: number | null;
  bid_quantity: number;
  ask_quantity: number;
  last_price: number | null;
  cumulative_volume: number;
  cumulative_notional: number;
  is_generated: boolean;
}

export interface Quote extends MarketSnapshot {
  mid: number | null;
  spread: number | null;
  spread_bps: number | null;
  session_open: string | null;
  session_close: string | null;
  /** Share of a whole day's volume that the volume curve expects by now; null outside the session. */
  expected_volume_share: number | null;
}

export interface Bar {
  start: string;
  end: string;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number;
  notional: number;
}

export interface TimeSlice {
  start_time: string;
  end_time: string;
  fraction: number;
}

export interface ExecutionStrategy {
  strategy_name: string;
  algorithm: string;
  parameters: Record<string, unknown>;
  venue_allocation: Record<string, number>;
  time_allocation: { start_time: string; end_time: string; slices: TimeSlice[] };
  risk_controls: {
    max_participation_rate: number;
    max_slippage_bps: number;
    max_order_value: number;
    price_limit: number | null;
    max_child_quantity: number | null;
    pause_on: string[];
  };
}

export interface ExpectedOutcomes {
  estimated_cost: number;
  estimated_time_minutes: number;
  market_impact: number;
  completion_probability: number;
  risk_score: number;
  cost_sd: number;
  cost_low: number;
  cost_high: number;
  spread_cost: number;
  fees: number;
}

export interface Recommendation {
  order_id: string;
  selection_id: string;
  recommended_strategy: ExecutionStrategy;
  strategy_rationale: string;
  expected_outcomes: ExpectedOutcomes;
  alternative_strategies: {
    strategy: ExecutionStrategy;
    expected_outcomes: ExpectedOutcomes;
    score: number;
    why_not_chosen: string;
  }[];
  confidence: number;
  market_context: {
    current_conditions: string;
    volatility_regime: string;
    liquidity_score: number;
    news_impact_score: number;
    time_of_day: string;
    source: string;
  };
  frontier: {
    strategy_name: string;
    algorithm: string;
    cost: number;
    risk: number;
    time_minutes: number;
    chosen: boolean;
  }[];
  binding_constraints: string[];
  infeasible: Record<string, string>;
  status: string;
}

export interface RecommendRequest {
  order_id: string;
  instrument_id: string;
  side: Side;
  quantity: number;
  objective: Objective;
  urgency: Urgency;
  constraints: {
    max_participation_rate: number | null;
    time_limit_minutes: number | null;
    price_limit: number | null;
    venue_restrictions: string[];
    dark_pool_preference: boolean | null;
  };
}

export interface ExecutionInstructions {
  max_participation_rate: number | null;
  execution_style: string | null;
  urgency: Urgency;
  objective: Objective | null;
  start_time: string | null;
  end_time: string | null;
  algorithm: string | null;
  parameters: Record<string, unknown> | null;
  selection_id: string | null;
  venue_restrictions: string[];
  dark_pool_preference: boolean | null;
}

export interface OrderRequest {
  order_id: string;
  instrument_id: string;
  side: Side;
  quantity: number;
  order_type: OrderType;
  price?: number;
  execution_instructions: Partial<ExecutionInstructions>;
  selection_id?: string;
  algorithm?: string;
  parameters?: Record<string, unknown>;
}

export interface OrderRow {
  order_id: string;
  instrument_id: string;
  side: Side;
  quantity: number;
  order_type: OrderType;
  price: number | null;
  state: ParentState;
  algorithm: string | null;
  strategy_name: string | null;
  selection_id: string | null;
  instructions: ExecutionInstructions;
  arrival: MarketSnapshot;
  filled_quantity: number;
  average_fill_price: number | null;
  created_time: string;
  updated_time: string;
  actor: string;
  reason: string | null;
}

export interface ExecutionStatus {
  order_id: string;
  algorithm: string;
  execution_style: string;
  state: ParentState;
  quantity: number;
  filled_quantity: number;
  live_quantity: number;
  unknown_quantity: number;
  remaining_quantity: number;
  scheduled_quantity: number;
  average_fill_price: number | null;
  schedule_deviation: number;
  start_time: string;
  end_time: string;
  updated_time: string;
  reason: string;
}

export interface ExecutionPlan {
  order_id: string;
  algorithm_used: string;
  execution_schedule: { slice_id: number; start_time: string; end_time: string; target_quantity: number }[];
  estimated_cost: number;
  expected_completion: string;
  start_time: string;
  end_time: string;
  execution_style: string;
  parameters: Record<string, unknown>;
  revision: number;
}

export interface ChildOrder {
  child_order_id: string;
  order_id: string;
  quantity: number;
  filled_quantity: number;
  price: number | null;
  order_type: string;
  time_in_force: string;
  post_only: boolean;
  venue: string;
  state: string;
  slice_id: number;
  reason: string;
  submitted_time: string;
  updated_time: string;
}

export interface Fill {
  execution_id: string;
  order_id: string;
  child_order_id: string;
  venue: string;
  quantity: number;
  price: number;
  liquidity: Liquidity;
  fee: number;
  bid: number | null;
  ask: number | null;
  venue_time: string;
  received_time: string;
}

export type MetricName =
  | "arrival_slippage_bps"
  | "vwap_slippage_bps"
  | "twap_slippage_bps"
  | "participation_rate"
  | "fill_rate"
  | "child_fill_rate"
  | "execution_speed"
  | "schedule_deviation"
  | "cost_efficiency"
  | "expected_cost_bps"
  | "spread_bps"
  | "passive_share"
  | "dark_share";

export type LiveMetrics = Record<MetricName, number | null>;

export interface Monitoring {
  order_id: string;
  instrument_id: string;
  side: Side;
  state: ParentState;
  execution_progress: number;
  quantity: number;
  filled_quantity: number;
  remaining_quantity: number;
  live_quantity: number;
  average_fill_price: number | null;
  scheduled_quantity: number | null;
  bid: number | null;
  ask: number | null;
  market_volume: number | null;
  metrics: LiveMetrics;
  performance_score: number | null;
  alerts_open: number;
  venues: Record<string, number>;
  is_generated: boolean;
  last_fill: { time: string; price: number; quantity: number; venue: string; liquidity: Liquidity } | null;
}

/** GET /monitoring/orders: the latest update of an order, and its measurement once it is complete. */
export interface MonitoringRow {
  order_id: string;
  state: ParentState;
  update: Monitoring;
  performance_score: number | null;
}

export type Severity = "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";

export interface Alert {
  alert_id: string;
  order_id: string;
  alert_type: string;
  severity: Severity;
  state: "FIRING" | "RESOLVED" | "ACKNOWLEDGED";
  recommendation: string;
  value: number;
  threshold: number;
  raised_time: string;
  updated_time: string;
  acknowledged_by: string | null;
}

export interface CostAnalysis {
  decision_price: number;
  arrival_price: number;
  end_price: number;
  delay: number;
  spread: number;
  market_impact: number;
  timing: number;
  opportunity: number;
  commission: number;
  fees: number;
  total: number;
  notional: number;
  implementation_shortfall_bps: number;
  arrival_slippage_bps: number | null;
  vwap_slippage_bps: number | null;
  twap_slippage_bps: number | null;
  market_impact_bps: number;
  timing_cost_bps: number;
  spread_cost_bps: number;
  opportunity_cost_bps: number;
  total_cost_bps: number;
  markouts_bps: Record<string, number | null>;
  reversion_bps: number | null;
  interval_vwap: number | null;
  interval_twap: number | null;
}

export interface Analytics {
  order_id: string;
  execution_summary: Record<string, unknown> | null;
  cost_analysis: CostAnalysis | null;
  performance_attribution: Record<string, number> | null;
  benchmark_comparison: { benchmark: string; price: number | null; slippage_bps: number | null }[];
}

export interface MetricScore {
  metric_value: number | null;
  benchmark_value: number | null;
  percentile_rank: number | null;
  quality_score: number | null;
  weight: number;
  trend: string;
  unit: string;
  note: string | null;
}

/** GET /execution-quality/results: one graded order. */
export interface GradeRow {
  order_id: string;
  overall_quality_score: number | null;
  quality_grade: string | null;
}

export interface QualityResult {
  order_id: string;
  overall_quality_score: number | null;
  quality_grade: string | null;
  interval: { low: number; high: number; grade_low: string; grade_high: string } | null;
  metric_breakdown: Record<string, MetricScore>;
  venue_performance: {
    venue: string;
    fills: number;
    quantity: number;
    quality_score: number | null;
    effective_spread_bps: number | null;
    markout_bps: number | null;
    fill_rate: number | null;
    fee_bps: number | null;
  }[];
  improvement_recommendations: string[];
  standard_version: string;
}

/** The envelope: the payload stands under the name that `event_type` gives. */
export interface WireMessage {
  event_id: string;
  event_type: string;
  timestamp: string;
  source_service: string;
  order_id: string;
  sequence: number;
  causation_id: string | null;
  correlation_id: string;
  [payload: string]: unknown;
}

export interface StreamFrame {
  position: number;
  message: WireMessage;
}
