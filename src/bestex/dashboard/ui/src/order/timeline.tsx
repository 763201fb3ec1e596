/** The order's life, event by event, the latest first: what happened, who asked, and why. */

import { useMemo, useState } from "preact/hooks";

import type { WireMessage } from "../api/types.ts";
import { algorithm, number, percent, signed, timeOf, words, zoneName } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Table } from "../parts/table.tsx";

const SHOWN = 80;

type Body = Record<string, unknown>;

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function child(body: Body, digits: number): string {
  const order = body.child as { quantity: number; venue: string; price: number | null; order_type: string } | undefined;
  if (order === undefined) return "Child order";
  const at = order.price === null ? (order.order_type === "MIDPOINT_PEG" ? "at the mid" : "at market") : `at ${number(order.price, digits)}`;
  return `Sent ${number(order.quantity)} to ${order.venue} ${at}: ${text(body.reason)}`;
}

function report(body: Body, digits: number): string {
  const said = body.report as { kind: string; quantity: number; price: number | null; venue: string; liquidity: string | null; reason: string | null };
  if (said.kind === "FILL") {
    const how = { ADDED: "passive", REMOVED: "aggressive", MIDPOINT: "at the mid", AUCTION: "in the auction" }[said.liquidity ?? ""] ?? "";
    return `Filled ${number(said.quantity)} on ${said.venue} at ${number(said.price, digits + 1).replace(/0$/, "")}, ${how}`;
  }
  return `${said.venue}: ${words(said.kind).toLowerCase()} ${number(said.quantity)}${said.reason ? ` (${said.reason})` : ""}`;
}

function amended(body: Body, digits: number): string {
  const parts = [
    body.quantity === null ? null : `quantity ${number(body.quantity as number)}`,
    body.price === null ? null : `limit ${number(body.price as number, digits)}`,
    body.max_participation_rate == null ? null : `participation ${percent(body.max_participation_rate as number)} %`,
    body.urgency == null ? null : `urgency ${words(text(body.urgency))}`,
    body.end_time == null ? null : "end time",
  ].filter((part) => part !== null);
  return `Amended: ${parts.join(", ")}`;
}

function asked(what: string): (body: Body) => string {
  return (body) => `${what} asked${body.reason ? `: ${text(body.reason)}` : ""}`;
}

const SENTENCES: Record<string, (body: Body, digits: number) => string> = {
  recommend_execution: asked("Recommendation"),
  create_order: asked("New order"),
  amend_order: asked("Amendment"),
  cancel_order: asked("Cancel"),
  pause_execution: asked("Pause"),
  resume_execution: asked("Resume"),
  cancel_execution: asked("Cancel"),
  modify_execution: asked("Amendment"),
  adapt_strategy: asked("Switch"),
  acknowledge_alert: () => "Alert acknowledged",
  order_created: () => "Order received",
  order_amended: amended,
  order_cancelled: (body) => `Order cancelled${body.reason ? `: ${text(body.reason)}` : ""}`,
  execution_strategy_selected: (body) => {
    const chosen = body.recommended_strategy as { strategy_name: string; algorithm: string };
    const again = (body.adaptation as number) > 0;
    return `${again ? "Switched to" : "Selected"} ${chosen.strategy_name} (${algorithm(chosen.algorithm)})${body.reason ? `: ${text(body.reason)}` : ""}`;
  },
  execution_planned: (body) =>
    `${(body.revision as number) > 0 ? `Planned again (${body.revision})` : "Planned"}: ${algorithm(text(body.algorithm_used))} in ${(body.execution_schedule as unknown[]).length} slices, expected cost ${signed((body.estimated_cost as number) * 1e4)} bps`,
  child_order_submitted: child,
  child_order_cancel_requested: (body) => `Cancel of ${text(body.child_order_id)} asked: ${text(body.reason)}`,
  execution_report: report,
  algorithm_execution: (body) => `${words(text(body.state))}: ${text(body.reason)}`,
  execution_alert_generated: (body) => `${words(text(body.alert_type))} ${text(body.state).toLowerCase()}: ${text(body.recommendation)}`,
  execution_completed: (body) => `${words(text(body.state))}: ${number(body.filled_quantity as number)} of ${number(body.quantity as number)} filled. ${text(body.reason)}`,
  execution_measured: (body) => {
    const costs = body.costs as { total_cost_bps: number | null } | undefined;
    return `Measured: total cost ${signed(costs?.total_cost_bps)} bps`;
  },
  execution_quality_analyzed: (body) => `Graded ${words(text(body.quality_grade))}, score ${number(body.overall_quality_score as number, 2)}`,
  trade_executed: () => "Published to post-trade analysis",
};

/** One line for a message. Types without a sentence are named. */
export function sentence(message: WireMessage, digits: number): string {
  const body = (message[message.event_type] ?? {}) as Body;
  return SENTENCES[message.event_type]?.(body, digits) ?? words(message.event_type);
}

function who(message: WireMessage): string {
  const body = (message[message.event_type] ?? {}) as { actor?: string };
  return body.actor ?? message.source_service;
}

/** What the desk says all day long: left out until every event is wanted. */
function isRoutine(message: WireMessage): boolean {
  if (["algorithm_execution", "child_order_cancel_requested", "performance_recorded"].includes(message.event_type)) return true;
  const report = (message.execution_report as { report?: { kind: string } } | undefined)?.report;
  return report !== undefined && ["NEW", "CANCELLED"].includes(report.kind);
}

function columnsOf(zone: string, digits: number): readonly Column<WireMessage>[] {
  return [
    {
      key: "time",
      head: "Time",
      unit: zoneName(zone),
      isFigure: true,
      value: ({ timestamp }) => timestamp,
      text: ({ timestamp }) => timeOf(timestamp, zone),
      title: ({ timestamp }) => `${timestamp} UTC`,
    },
    { key: "who", head: "Who", value: who, text: who, class: () => "muted nowrap" },
    { key: "what", head: "What", value: (message) => sentence(message, digits), text: (message) => sentence(message, digits) },
  ];
}

export function Timeline({ messages, zone, digits }: { messages: readonly WireMessage[]; zone: string; digits: number }) {
  const [isAll, setAll] = useState(false);
  const columns = useMemo(() => columnsOf(zone, digits), [zone, digits]);
  const kept = useMemo(() => (isAll ? [...messages] : messages.filter((message) => !isRoutine(message))).reverse(), [messages, isAll]);
  return (
    <section class="panel scrolled" aria-label="Timeline">
      <Table
        name="Timeline"
        class="timeline"
        title={
          <>
            Timeline <span class="muted">{messages.length} events</span>
          </>
        }
        extra={
          <button type="button" class="quiet" aria-pressed={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? "Only the main ones" : "Every event"}
          </button>
        }
        columns={columns}
        rows={kept}
        id={({ event_id }) => event_id}
        {...(isAll ? {} : { most: SHOWN })}
        empty="Nothing has happened yet: the first event is the order's arrival."
      />
    </section>
  );
}
