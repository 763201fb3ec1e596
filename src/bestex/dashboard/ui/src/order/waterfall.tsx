/** The shortfall as a waterfall: each part starts where the one before ended, and they add up to the total. */

import type { CostAnalysis } from "../api/types.ts";
import { number, signed } from "../format.ts";
import type { Term } from "../glossary.ts";
import type { Column } from "../parts/columns.ts";
import { Defined } from "../parts/live.tsx";
import { Table } from "../parts/table.tsx";

const PARTS = ["delay", "spread", "market_impact", "timing", "opportunity", "commission", "fees"] as const;
type Part = (typeof PARTS)[number];

const NAMES: Record<Part | "total", [string, Term]> = {
  delay: ["Delay", "delay"],
  spread: ["Spread", "spread"],
  market_impact: ["Impact", "impact"],
  timing: ["Timing", "timing"],
  opportunity: ["Opportunity", "opportunity"],
  commission: ["Commission", "commission"],
  fees: ["Fees", "fees"],
  total: ["Total", "total"],
};

export interface Step {
  name: Part | "total";
  from: number; // currency
  to: number;
}

/** The parts one after another, then the total from zero. */
export function steps(costs: CostAnalysis): Step[] {
  let at = 0;
  const parts = PARTS.map((name) => ({ name, from: at, to: (at += costs[name]) }));
  return [...parts, { name: "total" as const, from: 0, to: costs.total }];
}

/** What the parts miss of the total, in millionths of the currency: counted in whole millionths, so that zero means zero. */
export function residue(costs: CostAnalysis): number {
  const millionths = (value: number): number => Math.round(value * 1e6);
  return PARTS.reduce((sum, name) => sum + millionths(costs[name]), 0) - millionths(costs.total);
}

const ROW = 26;
const WIDTH = 260;

interface Row {
  step: Step;
  bps: number | null;
}

function columnsOf(currency: string, x: (value: number) => number): readonly Column<Row>[] {
  const size = ({ step }: Row): number => step.to - step.from;
  return [
    {
      key: "part",
      head: "Part",
      value: ({ step }) => NAMES[step.name][0],
      text: ({ step }) => NAMES[step.name][0],
      cell: ({ step }) => <Defined term={NAMES[step.name][1]}>{NAMES[step.name][0]}</Defined>,
    },
    {
      key: "picture",
      head: "Begins at",
      unit: currency,
      says: "Each bar begins where the part before ended; orange costs, blue gains.",
      value: ({ step }) => step.from,
      text: () => "",
      cell: ({ step: { from, to } }) => (
        <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" aria-hidden="true">
          <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={ROW} />
          <rect
            class={to > from ? "cost" : "gain"}
            x={Math.min(x(from), x(to))}
            width={Math.max(1, Math.abs(x(to) - x(from)))}
            y="5"
            height={ROW - 10}
          />
        </svg>
      ),
      class: () => "picture",
    },
    { key: "bps", head: "Cost", unit: "bps", isFigure: true, value: ({ bps }) => bps, text: ({ bps }) => signed(bps, 2) },
    { key: "amount", head: "Cost", unit: currency, isFigure: true, value: size, text: (row) => signed(size(row), 2) },
  ];
}

export function Waterfall({ costs, currency }: { costs: CostAnalysis | null; currency: string }) {
  const known = costs === null ? [] : steps(costs);
  const edges = known.flatMap(({ from, to }) => [from, to]);
  const low = Math.min(0, ...edges);
  const high = Math.max(0, ...edges);
  const x = (value: number): number => (high > low ? ((value - low) / (high - low)) * WIDTH : 0);
  const notional = costs?.notional ?? 0;
  const inBps = (value: number): number | null => (notional === 0 ? null : (value / notional) * 1e4);
  const missing = costs === null ? 0 : residue(costs);
  return (
    <Table
      name="Implementation shortfall"
      class="waterfall"
      title={<Defined term="total">Implementation shortfall</Defined>}
      extra={<b class="figure">{costs === null ? "" : `${signed(costs.implementation_shortfall_bps, 1)} bps`}</b>}
      columns={columnsOf(currency, x)}
      rows={known.map((step): Row => ({ step, bps: inBps(step.to - step.from) }))}
      id={({ step }) => step.name}
      rowClass={({ step }) => (step.name === "total" ? "total" : "")}
      isOrdered
      empty="Measuring: the market has to be seen a little longer after the last fill."
      foot={
        <tr>
          <td colSpan={4} class={missing === 0 ? "muted" : "error"}>
            {missing === 0
              ? `The parts add up to the total exactly. bps of ${number(notional, 0)} ${currency} ordered.`
              : `The parts miss the total by ${number(missing / 1e6, 6)} ${currency}: do not use these figures.`}
          </td>
        </tr>
      }
    />
  );
}
