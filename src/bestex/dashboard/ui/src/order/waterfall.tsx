/** The shortfall as a waterfall: each part starts where the one before ended, and they add up to the total. */

import type { CostAnalysis } from "../api/types.ts";
import { number, signed } from "../format.ts";
import type { Term } from "../glossary.ts";
import { Defined } from "../parts/live.tsx";

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

export function Waterfall({ costs, currency }: { costs: CostAnalysis; currency: string }) {
  const rows = steps(costs);
  const edges = rows.flatMap(({ from, to }) => [from, to]);
  const low = Math.min(0, ...edges);
  const high = Math.max(0, ...edges);
  const x = (value: number): number => (high > low ? ((value - low) / (high - low)) * WIDTH : 0);
  const inBps = (value: number): number | null => (costs.notional === 0 ? null : (value / costs.notional) * 1e4);
  const missing = residue(costs);
  return (
    <table class="waterfall">
      <caption class="sr">Implementation shortfall by part</caption>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col" />
          <th scope="col" class="figure">
            bps
          </th>
          <th scope="col" class="figure">
            {currency}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, from, to }) => {
          const value = to - from;
          const [word, term] = NAMES[name];
          return (
            <tr key={name} class={name === "total" ? "total" : ""}>
              <th scope="row">
                <Defined term={term}>{word}</Defined>
              </th>
              <td>
                <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" aria-hidden="true">
                  <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={ROW} />
                  <rect
                    class={value > 0 ? "cost" : "gain"}
                    x={Math.min(x(from), x(to))}
                    width={Math.max(1, Math.abs(x(to) - x(from)))}
                    y="5"
                    height={ROW - 10}
                  />
                </svg>
              </td>
              <td class="figure">{signed(inBps(value), 2)}</td>
              <td class="figure">{signed(value, 2)}</td>
            </tr>
          );
        })}
      </tbody>
      <tfoot>
        <tr>
          <td colSpan={4} class={missing === 0 ? "muted" : "error"}>
            {missing === 0
              ? `The parts add up to the total exactly. bps of ${number(costs.notional, 0)} ${currency} ordered.`
              : `The parts miss the total by ${number(missing / 1e6, 6)} ${currency}: do not use these figures.`}
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
