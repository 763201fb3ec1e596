/** What the desk knows about its orders, kept current from the stream. One signal per order, so that only its row redraws. */

import { type Signal, signal } from "@preact/signals";

import type {
  Alert,
  GradeRow,
  ExecutionInstructions,
  MarketSnapshot,
  Monitoring,
  OrderRow,
  OrderType,
  ParentState,
  QualityResult,
  Side,
  WireMessage,
} from "../api/types.ts";

/** The parts of `algorithm_execution` that the screens show. */
export interface Working {
  algorithm: string;
  state: ParentState;
  live_quantity: number;
  unknown_quantity: number;
  live_children: number;
  filled_quantity: number;
  scheduled_quantity: number;
  average_fill_price: number | null;
  reason: string;
}

export interface Entry {
  order: OrderRow;
  monitoring: Monitoring | null;
  working: Working | null;
  grade: string | null;
  score: number | null;
  /** Implementation shortfall, bps; null until it is measured. */
  cost: number | null;
  alerts: number;
}

const entries = new Map<string, Signal<Entry>>();

/** Ids, newest first. Changes only when an order appears. */
export const orderIds = signal<readonly string[]>([]);

/** Counts state changes: what a filter by state depends on. */
export const stateChanges = signal(0);

/** Scopes that the kill switch holds, as heard since this page was opened: "all", "instrument AAPL" -> who and why. */
export const killed = signal<ReadonlyMap<string, string>>(new Map());

export const alerts = signal<ReadonlyMap<string, Alert>>(new Map());

export function entryOf(order: string): Signal<Entry> | undefined {
  return entries.get(order);
}

export const FINAL: ReadonlySet<ParentState> = new Set(["FILLED", "CANCELLED", "REJECTED", "EXPIRED"]);

export function isDone(entry: Entry): boolean {
  return FINAL.has(entry.order.state);
}

/** Takes a full row, as the API lists it. What the stream said meanwhile is newer and stays. */
export function putOrder(row: OrderRow): void {
  const known = entries.get(row.order_id);
  if (known === undefined) {
    entries.set(row.order_id, signal({ order: row, monitoring: null, working: null, grade: null, score: null, cost: null, alerts: 0 }));
  } else if (row.updated_time >= known.peek().order.updated_time) {
    change(row.order_id, { order: row });
  } else {
    const { state, filled_quantity, average_fill_price, updated_time } = known.peek().order;
    change(row.order_id, { order: { ...row, state, filled_quantity, average_fill_price, updated_time } });
  }
}

/** Call after a run of `putOrder`: brings the new ids into the list. */
export function listOrders(): void {
  if (entries.size === orderIds.peek().length) return;
  const created = (order: string): string => entries.get(order)?.peek().order.created_time ?? "";
  orderIds.value = [...entries.keys()].sort((a, b) => (created(a) < created(b) ? 1 : created(a) > created(b) ? -1 : 0));
}

export function putMonitoring(update: Monitoring): void {
  const known = entries.get(update.order_id)?.peek();
  if (known !== undefined && (known.monitoring === null || known.monitoring.execution_progress <= update.execution_progress)) {
    change(update.order_id, { monitoring: update });
  }
}

function costOf({ analysis }: GradeRow): number | null {
  return analysis.metric_breakdown.IMPLEMENTATION_SHORTFALL?.metric_value ?? null;
}

export function putGrade(result: GradeRow): void {
  change(result.order_id, { grade: result.quality_grade, score: result.overall_quality_score, cost: costOf(result) });
}

export function putAlerts(list: readonly Alert[]): void {
  const next = new Map(alerts.peek());
  for (const alert of list) next.set(alert.alert_id, alert);
  alerts.value = next;
  const open = new Map<string, number>();
  for (const alert of next.values()) {
    if (alert.state === "FIRING") open.set(alert.order_id, (open.get(alert.order_id) ?? 0) + 1);
  }
  for (const [order, entry] of entries) {
    const count = open.get(order) ?? 0;
    if (entry.peek().alerts !== count) change(order, { alerts: count });
  }
}

function change(order: string, part: Partial<Entry>): void {
  const known = entries.get(order);
  if (known === undefined) return;
  const before = known.peek();
  known.value = { ...before, ...part };
  if (part.order !== undefined && part.order.state !== before.order.state) stateChanges.value++;
}

function changeOrder(message: WireMessage, part: Partial<OrderRow>): void {
  const known = entries.get(message.order_id)?.peek();
  if (known === undefined) return;
  // A final state is never left again, whatever arrives late.
  const state = FINAL.has(known.order.state) ? known.order.state : (part.state ?? known.order.state);
  change(message.order_id, { order: { ...known.order, ...part, state, updated_time: message.timestamp } });
}

interface CreatedPayload {
  order: {
    order_id: string;
    instrument_id: string;
    side: Side;
    quantity: number;
    order_type: OrderType;
    price: number | null;
    portfolio_id: string | null;
    account_id: string | null;
    instructions: ExecutionInstructions;
  };
  actor: string;
  arrival: MarketSnapshot;
}

type Handler = (message: WireMessage, payload: never) => void;

const HANDLERS: Record<string, Handler> = {
  order_created: (message, { order, arrival, actor }: CreatedPayload) =>
    putOrder({
      ...order,
      state: "PENDING",
      algorithm: order.instructions.algorithm,
      strategy_name: null,
      selection_id: order.instructions.selection_id,
      arrival,
      filled_quantity: 0,
      average_fill_price: null,
      created_time: message.timestamp,
      updated_time: message.timestamp,
      actor,
      reason: null,
      version: 1,
    }),
  execution_strategy_selected: (
    message,
    payload: { recommended_strategy: { algorithm: string; strategy_name: string } },
  ) => {
    const { algorithm, strategy_name } = payload.recommended_strategy;
    changeOrder(message, { algorithm, strategy_name });
  },
  order_amended: (message, payload: { quantity: number | null; price: number | null }) =>
    changeOrder(message, {
      ...(payload.quantity === null ? {} : { quantity: payload.quantity }),
      ...(payload.price === null ? {} : { price: payload.price }),
    }),
  algorithm_execution: (message, payload: Working) => {
    change(message.order_id, { working: payload });
    const { algorithm, state, filled_quantity, average_fill_price } = payload;
    changeOrder(message, { algorithm, state, filled_quantity, average_fill_price });
  },
  execution_completed: (
    message,
    payload: { state: ParentState; filled_quantity: number; average_fill_price: number | null; reason: string },
  ) => {
    const { state, filled_quantity, average_fill_price, reason } = payload;
    changeOrder(message, { state, filled_quantity, average_fill_price, reason });
  },
  kill_switch_changed: (
    _message,
    payload: { scope: string; scope_value: string | null; armed: boolean; actor: string; reason: string },
  ) => {
    const next = new Map(killed.peek());
    const scope = payload.scope_value === null ? payload.scope : `${payload.scope} ${payload.scope_value}`;
    if (payload.armed) next.delete(scope);
    else next.set(scope, `${payload.actor}: ${payload.reason}`);
    killed.value = next;
  },
  execution_monitoring: (_message, payload: Monitoring) => putMonitoring(payload),
  execution_quality_analyzed: (_message, payload: QualityResult) => putGrade({ ...payload, analysis: payload }),
  execution_alert_generated: (message, payload: Alert) =>
    putAlerts([
      {
        ...payload,
        raised_time: alerts.peek().get(payload.alert_id)?.raised_time ?? message.timestamp,
        updated_time: message.timestamp,
        acknowledged_by: alerts.peek().get(payload.alert_id)?.acknowledged_by ?? null,
      },
    ]),
};

/** Takes one message of the stream. Types it does not know change nothing. */
export function applyMessage(message: WireMessage): void {
  HANDLERS[message.event_type]?.(message, message[message.event_type] as never);
}
