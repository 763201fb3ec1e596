/** Talks to the desk's API. A refusal becomes a `Refused` that still names its fields. */

import type {
  Adaptation,
  Alert,
  Amendment,
  Analytics,
  Bar,
  ChildOrder,
  DeskStatus,
  ExecutionPlan,
  ExecutionStatus,
  FieldError,
  Fill,
  GradeRow,
  MarketConditions,
  Instrument,
  MonitoringRow,
  OrderRequest,
  OrderRow,
  Page,
  PlacedMessage,
  Problem,
  QualityResult,
  Quote,
  Recommendation,
  RecommendRequest,
  Scope,
  Selection,
  Venue,
} from "./types.ts";

const ROOT = "api/v1";

/** What the desk refused, and why. `errors` name fields by path; empty when no single field is to blame. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldError[];

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
  }
}

/** The desk could not be reached, or answered with something that is not its own. */
export class Unreachable extends Error {}

type Query = Record<string, string | number | undefined>;

async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const options: RequestInit = { method, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...options.headers, "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(`${ROOT}/${path}`, options);
  } catch {
    throw new Unreachable("the desk does not answer; is `bestex serve` still running?");
  }
  const text = await response.text();
  let answer: unknown = null;
  try {
    answer = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Unreachable(`the desk answered ${response.status} with something that is not JSON`);
  }
  if (!response.ok) {
    const given = (answer ?? {}) as Partial<Problem>;
    throw new Refused({
      type: given.type ?? "about:blank",
      title: given.title ?? response.statusText,
      status: response.status,
      code: given.code ?? "error",
      detail: given.detail ?? `${method} ${path} was answered with ${response.status}`,
      errors: given.errors ?? [],
    });
  }
  return answer as T;
}

function query(parameters: Query): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

const id = encodeURIComponent;

/** Reads every page of a list, up to `most` items. */
async function all<T>(path: string, parameters: Query, most: number): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await call("GET", path + query({ ...parameters, cursor }));
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
}

export const api = {
  desk: () => call<DeskStatus>("GET", "desk"),
  instruments: () => all<Instrument>("instruments", { has_market: "true" }, 1000),
  venues: () => all<Venue>("venues", {}, 1000),
  quote: (instrument: string) => call<Quote>("GET", `market/${id(instrument)}/quote`),
  bars: (instrument: string, start: string, end: string, seconds: number) =>
    call<Page<Bar>>("GET", `market/${id(instrument)}/bars${query({ start, end, bar_seconds: seconds })}`),
  marketConditions: (instrument: string) => call<MarketConditions>("GET", `execution-strategy/market-conditions/${id(instrument)}`),
  selections: (order: string) => all<Selection>("execution-strategy/selections", { order_id: order, limit: 100 }, 100),
  recommend: (request: RecommendRequest) =>
    call<Recommendation>("POST", "execution-strategy/recommend", request),
  adapt: (order: string, change: Adaptation) =>
    call<Recommendation>("POST", `execution-strategy/${id(order)}/adapt`, change),
  createOrder: (request: OrderRequest) =>
    call<OrderRow>("POST", "orders", request, { "Idempotency-Key": `order:${request.order_id}` }),
  orders: () => all<OrderRow>("orders", { limit: 500 }, 20_000),
  order: (order: string) => call<OrderRow>("GET", `orders/${id(order)}`),
  amend: (order: string, change: Amendment) => call<unknown>("POST", `orders/${id(order)}/modify`, change),
  cancelOrder: (order: string, reason: string) => call<unknown>("PUT", `orders/${id(order)}/cancel`, { reason }),
  executionStatus: (order: string) => call<ExecutionStatus>("GET", `execution/${id(order)}/status`),
  plan: (order: string) => call<ExecutionPlan>("GET", `execution/${id(order)}/plan`),
  children: (order: string) => all<ChildOrder>(`execution/${id(order)}/children`, { limit: 500 }, 5000),
  fills: (order: string) => all<Fill>(`execution/${id(order)}/fills`, { limit: 500 }, 5000),
  pause: (order: string, reason: string) => call<unknown>("POST", `execution/${id(order)}/pause`, { reason }),
  resume: (order: string, reason: string) => call<unknown>("POST", `execution/${id(order)}/resume`, { reason }),
  kill: (scope: Scope) => call<unknown>("POST", "execution/kill", scope),
  rearm: (scope: Scope) => call<unknown>("POST", "execution/rearm", scope),
  monitoring: () => all<MonitoringRow>("monitoring/orders", { limit: 500 }, 20_000),
  monitoringStatus: (order: string) => call<unknown>("GET", `monitoring/${id(order)}/status`),
  analytics: (order: string) => call<Analytics>("GET", `monitoring/${id(order)}/analytics`),
  /** What came after a message that is known; 0 = everything. */
  timeline: (order: string, after: number) =>
    all<PlacedMessage>(`monitoring/${id(order)}/timeline`, { after_position: after, limit: 1000 }, 100_000),
  alerts: () => all<Alert>("monitoring/alerts", { limit: 500 }, 2000),
  acknowledge: (alert: string) => call<unknown>("POST", `monitoring/alerts/${id(alert)}/acknowledge`, {}),
  grades: () => all<GradeRow>("execution-quality/results", { limit: 500 }, 5000),
  quality: (order: string) => call<QualityResult>("GET", `execution-quality/results/${id(order)}`),
};

/** Address of a WebSocket under the API. */
export function socketAddress(path: string): string {
  const base = new URL(`${ROOT}/${path}`, document.baseURI);
  base.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  return base.href;
}
