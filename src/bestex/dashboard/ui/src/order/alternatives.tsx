/** What the recommendation compared, as it was expected then, beside what was paid. */

import type { ExpectedOutcomes, ExecutionStrategy, OrderRow, Selection } from "../api/types.ts";
import { algorithm, bps, number, percent, signed } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Table } from "../parts/table.tsx";

export interface Alternative {
  strategy: ExecutionStrategy;
  outcomes: ExpectedOutcomes;
  isWorked: boolean;
  paid: number | null; // bps; null where it was not worked, or is not measured yet
}

/** The first selection of the order with its alternatives; the one that was worked carries what was paid. */
export function alternativesOf(order: OrderRow, selections: readonly Selection[], paid: number | null): Alternative[] {
  const oldest = [...selections].reverse();
  const first = oldest.find(({ status, adaptation }) => status === "COMMITTED" && adaptation === 0) ?? oldest.find(({ id }) => id === order.selection_id) ?? oldest[0];
  if (first === undefined) return [];
  const isCommitted = first.status === "COMMITTED";
  const { recommended_strategy, expected_outcomes, alternative_strategies } = first.recommendation;
  return [
    { strategy: recommended_strategy, outcomes: expected_outcomes },
    ...alternative_strategies.map((other) => ({ strategy: other.strategy, outcomes: other.expected_outcomes })),
  ].map((one, index) => {
    const isWorked = isCommitted && index === 0;
    return { ...one, isWorked, paid: isWorked ? paid : null };
  });
}

const in10000 = (fraction: number): number => fraction * 1e4;

const COLUMNS: readonly Column<Alternative>[] = [
  {
    key: "strategy",
    head: "Execution strategy",
    value: ({ strategy }) => strategy.strategy_name,
    text: ({ strategy, isWorked }) => `${strategy.strategy_name} ${algorithm(strategy.algorithm)} ${isWorked ? "worked" : ""}`,
    cell: ({ strategy, isWorked }) => (
      <>
        {strategy.strategy_name}
        <span class="muted note">
          {algorithm(strategy.algorithm)}
          {isWorked ? ", worked" : ", not worked"}
        </span>
      </>
    ),
  },
  { key: "expected", head: "Expected", unit: "bps", term: "estimated_cost", isFigure: true, value: ({ outcomes }) => in10000(outcomes.estimated_cost), text: ({ outcomes }) => bps(outcomes.estimated_cost) },
  { key: "low", head: "10 %", unit: "bps", term: "cost_range", isFigure: true, value: ({ outcomes }) => in10000(outcomes.cost_low), text: ({ outcomes }) => bps(outcomes.cost_low) },
  { key: "high", head: "90 %", unit: "bps", term: "cost_range", isFigure: true, value: ({ outcomes }) => in10000(outcomes.cost_high), text: ({ outcomes }) => bps(outcomes.cost_high) },
  { key: "risk", head: "Risk", unit: "sd bps", term: "cost_sd", isFigure: true, value: ({ outcomes }) => in10000(outcomes.cost_sd), text: ({ outcomes }) => number(in10000(outcomes.cost_sd), 1) },
  { key: "impact", head: "Impact", unit: "bps", term: "market_impact", isFigure: true, value: ({ outcomes }) => in10000(outcomes.market_impact), text: ({ outcomes }) => bps(outcomes.market_impact) },
  { key: "time", head: "Time", unit: "min", term: "estimated_time_minutes", isFigure: true, value: ({ outcomes }) => outcomes.estimated_time_minutes, text: ({ outcomes }) => number(outcomes.estimated_time_minutes) },
  { key: "completes", head: "Completes", unit: "%", term: "completion_probability", isFigure: true, value: ({ outcomes }) => outcomes.completion_probability * 100, text: ({ outcomes }) => percent(outcomes.completion_probability, 0) },
  {
    key: "paid",
    head: "Paid",
    unit: "bps",
    term: "total",
    isFigure: true,
    value: ({ paid }) => paid,
    text: ({ paid }) => signed(paid),
    cell: ({ paid }) => <b>{signed(paid)}</b>,
    title: ({ paid, isWorked }) => (paid !== null ? undefined : isWorked ? "Not measured yet" : "Not worked: nobody knows what it would have cost"),
  },
];

interface Props {
  order: OrderRow;
  selections: readonly Selection[];
  paid: number | null;
}

export function Alternatives({ order, selections, paid }: Props) {
  const rows = alternativesOf(order, selections, paid);
  const switched = selections.filter(({ status, adaptation }) => status === "COMMITTED" && adaptation > 0).length;
  return (
    <section class="panel" aria-label="Alternatives">
      <Table
        name={`Alternatives of ${order.order_id}`}
        title="What else was considered"
        extra={<span class="chip notice">expected before trading, not measured</span>}
        columns={COLUMNS}
        rows={rows}
        id={({ strategy }) => strategy.strategy_name}
        rowClass={({ isWorked }) => (isWorked ? "worked" : "")}
        empty="Nothing: the order named its algorithm, so no execution strategies were compared."
        below={
          <p class="calm">
            What the model expected of each before the order began. Only one was worked, and only that has a price paid; the others were not
            played against the market, so these figures say what was known then, not what they would have cost.
            {rows.some(({ isWorked }) => isWorked) ? "" : " The trader sent the order with an execution strategy of their own choice."}
            {switched === 0 ? "" : ` The order was switched ${switched === 1 ? "once" : `${switched} times`} since: what was paid belongs to all of it.`}
          </p>
        }
      />
    </section>
  );
}
