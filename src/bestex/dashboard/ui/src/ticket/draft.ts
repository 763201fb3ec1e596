/** The order being written. It lives in the address, so that it can be sent to a colleague. */

import type { ExecutionStrategy, Objective, OrderRequest, RecommendRequest, Side, Urgency } from "../api/types.ts";

export interface Draft {
  order: string;
  instrument: string;
  side: Side;
  quantity: string;
  type: "MARKET" | "LIMIT";
  price: string;
  objective: Objective;
  urgency: Urgency;
  rate: string; // percent
  minutes: string;
  dark: "" | "yes" | "no"; // "" = the desk decides
  avoid: string[]; // venues
}

export const OBJECTIVES: readonly Objective[] = [
  "BALANCED_EXECUTION",
  "MINIMIZE_COST",
  "MINIMIZE_RISK",
  "MINIMIZE_TIME",
  "MAXIMIZE_ALPHA_CAPTURE",
];
export const URGENCIES: readonly Urgency[] = ["LOW", "NORMAL", "HIGH", "URGENT"];

/** A new order id: the second it was written and five random letters, so that two traders never meet. */
export function newOrderId(at: Date): string {
  const stamp = at.toISOString().replace(/[-:]/g, "").slice(0, 15);
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => "abcdefghjkmnpqrstuvwxyz23456789"[byte % 31]);
  return `T-${stamp}-${letters.join("")}`;
}

function oneOf<T extends string>(value: string | null, among: readonly T[], otherwise: T): T {
  return among.includes(value as T) ? (value as T) : otherwise;
}

export function fromAddress(given: URLSearchParams, at: Date): Draft {
  return {
    order: given.get("order") ?? newOrderId(at),
    instrument: given.get("instrument") ?? "",
    side: oneOf(given.get("side"), ["BUY", "SELL"] as const, "BUY"),
    quantity: given.get("quantity") ?? "",
    type: oneOf(given.get("type"), ["MARKET", "LIMIT"] as const, "MARKET"),
    price: given.get("price") ?? "",
    objective: oneOf(given.get("objective"), OBJECTIVES, "BALANCED_EXECUTION"),
    urgency: oneOf(given.get("urgency"), URGENCIES, "NORMAL"),
    rate: given.get("rate") ?? "",
    minutes: given.get("minutes") ?? "",
    dark: oneOf(given.get("dark"), ["", "yes", "no"] as const, ""),
    avoid: (given.get("avoid") ?? "").split(",").filter((venue) => venue !== ""),
  };
}

/** The address of this draft, without its id: whoever opens it writes an order of their own. */
export function toAddress(draft: Draft): string {
  const { order: _, avoid, ...rest } = draft;
  const pairs = Object.entries({ ...rest, avoid: avoid.join(",") }).filter(([, value]) => value !== "");
  return `#/ticket?${new URLSearchParams(pairs)}`;
}

function darkPreference(draft: Draft): boolean | null {
  return draft.dark === "" ? null : draft.dark === "yes";
}

function rate(draft: Draft): number | null {
  return draft.rate === "" ? null : Number((Number(draft.rate) / 100).toFixed(6));
}

export function recommendRequest(draft: Draft): RecommendRequest {
  return {
    order_id: draft.order,
    instrument_id: draft.instrument,
    side: draft.side,
    quantity: Number(draft.quantity),
    objective: draft.objective,
    urgency: draft.urgency,
    constraints: {
      max_participation_rate: rate(draft),
      time_limit_minutes: draft.minutes === "" ? null : Number(draft.minutes),
      price_limit: draft.type === "LIMIT" ? Number(draft.price) : null,
      venue_restrictions: draft.avoid,
      dark_pool_preference: darkPreference(draft),
    },
  };
}

/** The order as asked, without how it is to be worked: the caller adds the selection or the algorithm. */
export function orderRequest(draft: Draft): OrderRequest {
  return {
    order_id: draft.order,
    instrument_id: draft.instrument,
    side: draft.side,
    quantity: Number(draft.quantity),
    order_type: draft.type,
    ...(draft.type === "LIMIT" ? { price: Number(draft.price) } : {}),
    execution_instructions: {
      urgency: draft.urgency,
      objective: draft.objective,
      max_participation_rate: rate(draft),
      venue_restrictions: draft.avoid,
      dark_pool_preference: darkPreference(draft),
    },
  };
}

/** The same order, worked by this execution strategy instead of the recommended one. */
export function workedAs(request: OrderRequest, strategy: ExecutionStrategy): OrderRequest {
  const { execution_style, ...rest } = strategy.parameters as Record<string, unknown>;
  const plain = Object.entries(rest).filter((pair): pair is [string, number | string | boolean] =>
    ["number", "string", "boolean"].includes(typeof pair[1]),
  );
  return {
    ...request,
    algorithm: strategy.algorithm as NonNullable<OrderRequest["algorithm"]>,
    parameters: Object.fromEntries(plain),
    execution_instructions: {
      ...request.execution_instructions,
      execution_style: execution_style as NonNullable<NonNullable<OrderRequest["execution_instructions"]>["execution_style"]>,
      end_time: strategy.time_allocation.end_time,
    },
  };
}
