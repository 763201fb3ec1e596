/** The blotter's columns: what stands in each, how it sorts, and how it is copied. */

import { algorithm, decimalsOf, number, percent, signed, timeOf, words } from "../format.ts";
import { type Entry, isDone } from "../live/book.ts";
import { instruments, zone } from "../live/desk.ts";
import type { Column } from "../parts/columns.ts";
import { costClass, Live, SideWord, State } from "../parts/live.tsx";

export interface OrderColumn extends Column<Entry> {
  width: string;
}

const slippage = (entry: Entry): number | null => entry.monitoring?.metrics.arrival_slippage_bps ?? null;
const expected = (entry: Entry): number | null => entry.monitoring?.metrics.expected_cost_bps ?? null;
const rate = (entry: Entry): number | null => entry.monitoring?.metrics.participation_rate ?? null;

export const COLUMNS: readonly OrderColumn[] = [
  {
    key: "state",
    head: "State",
    width: "6.4rem",
    value: ({ order }) => words(order.state),
    text: ({ order }) => words(order.state),
    cell: ({ order }) => <State state={order.state} />,
  },
  {
    key: "side",
    head: "Side",
    width: "3.2rem",
    value: ({ order }) => words(order.side),
    text: ({ order }) => words(order.side),
    cell: ({ order }) => <SideWord side={order.side} />,
  },
  { key: "instrument", head: "Instrument", width: "6.6rem", value: ({ order }) => order.instrument_id, text: ({ order }) => order.instrument_id },
  {
    key: "quantity",
    head: "Quantity",
    unit: "shares",
    isFigure: true,
    width: "5.4rem",
    value: ({ order }) => order.quantity,
    text: ({ order }) => number(order.quantity),
  },
  {
    key: "filled",
    head: "Filled",
    unit: "%",
    term: "filled_bar",
    width: "6.4rem",
    value: ({ order }) => (order.filled_quantity / order.quantity) * 100,
    text: ({ order }) => percent(order.filled_quantity / order.quantity, 0),
    cell: (entry) => <FilledBar entry={entry} />,
  },
  {
    key: "limit",
    head: "Limit",
    isFigure: true,
    width: "4.4rem",
    value: ({ order }) => order.price,
    text: ({ order }) => number(order.price, decimalsOf(instruments.value.get(order.instrument_id)?.tick_size ?? 0.01)),
    cell: ({ order }) =>
      order.price === null ? (
        <span class="muted">Mkt</span>
      ) : (
        number(order.price, decimalsOf(instruments.value.get(order.instrument_id)?.tick_size ?? 0.01))
      ),
  },
  {
    key: "algorithm",
    head: "Algorithm",
    width: "minmax(7rem, 1fr)",
    value: ({ order }) => order.strategy_name ?? algorithm(order.algorithm),
    text: ({ order }) => order.strategy_name ?? algorithm(order.algorithm),
    cell: ({ order }) => <span title={algorithm(order.algorithm)}>{order.strategy_name ?? algorithm(order.algorithm)}</span>,
  },
  {
    key: "slippage",
    head: "Slippage",
    unit: "bps",
    term: "arrival_slippage_bps",
    isFigure: true,
    width: "5.4rem",
    value: (entry) => slippage(entry),
    text: (entry) => signed(slippage(entry)),
    cell: (entry) => (
      <span class={costClass(slippage(entry), expected(entry))}>
        <Live text={signed(slippage(entry))} title={slippage(entry) === null ? "No fill yet" : undefined} />
      </span>
    ),
  },
  {
    key: "expected",
    head: "Expected",
    unit: "bps",
    term: "expected_cost_bps",
    isFigure: true,
    width: "5.5rem",
    value: (entry) => expected(entry),
    text: (entry) => signed(expected(entry)),
  },
  {
    key: "participation",
    head: "Part.",
    unit: "%",
    term: "participation_rate",
    isFigure: true,
    width: "3.6rem",
    value: (entry) => (rate(entry) === null ? null : Number(rate(entry)) * 100),
    text: (entry) => percent(rate(entry)),
    cell: (entry) => <Live text={percent(rate(entry))} title={rate(entry) === null ? "No volume since the order arrived" : undefined} />,
  },
  {
    key: "alerts",
    head: "Alerts",
    width: "3.8rem",
    isFigure: true,
    value: (entry) => entry.alerts,
    text: (entry) => String(entry.alerts),
    cell: (entry) => (entry.alerts === 0 ? "" : <span class="alert-count">▲ {entry.alerts}</span>),
  },
  {
    key: "grade",
    head: "Grade",
    term: "grade",
    width: "8.8rem",
    value: (entry) => entry.score,
    text: (entry) => words(entry.grade),
    cell: (entry) =>
      entry.grade === null ? (
        <span class="muted">{isDone(entry) && entry.order.filled_quantity > 0 ? "measuring" : ""}</span>
      ) : (
        <span class={`grade grade-${entry.grade.toLowerCase()}`}>
          {words(entry.grade)} <span class="muted">{number(entry.score, 2)}</span>
        </span>
      ),
  },
  {
    key: "created",
    head: "Arrived",
    width: "5.6rem",
    isFigure: true,
    value: ({ order }) => order.created_time,
    text: ({ order }) => timeOf(order.created_time, zone(order.instrument_id)),
    cell: ({ order }) => <span title={`${order.created_time} UTC`}>{timeOf(order.created_time, zone(order.instrument_id))}</span>,
  },
];

function FilledBar({ entry }: { entry: Entry }) {
  const { order, working, monitoring } = entry;
  const filled = order.quantity > 0 ? order.filled_quantity / order.quantity : 0;
  const target = working?.scheduled_quantity ?? monitoring?.scheduled_quantity ?? null;
  const scheduled = target === null || isDone(entry) || order.quantity === 0 ? null : target / order.quantity;
  const unknown = working?.unknown_quantity ?? 0;
  const says =
    scheduled === null
      ? `${percent(filled)} % filled`
      : `${percent(filled)} % filled, ${percent(scheduled)} % scheduled by now${unknown > 0 ? `, ${number(unknown)} shares without an answer` : ""}`;
  return (
    <span class="filled" title={says}>
      <span class="bar" role="img" aria-label={says}>
        <span class="done" style={{ width: `${Math.min(1, filled) * 100}%` }} />
        {scheduled === null ? null : <span class="due" style={{ left: `${Math.min(1, scheduled) * 100}%` }} />}
      </span>
      <span class="figure">
        <Live text={percent(filled, 0)} />
      </span>
      {unknown > 0 ? <span class="unknown">?</span> : null}
    </span>
  );
}

/** What an export begins with, although the blotter shows it only on hover. */
export const ORDER_ID: Column<Entry> = { key: "order", head: "Order", value: ({ order }) => order.order_id, text: ({ order }) => order.order_id };
