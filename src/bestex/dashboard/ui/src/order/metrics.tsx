/** The live metrics and where the fills came from. */

import type { MetricName, Monitoring } from "../api/types.ts";
import { number, percent, signed } from "../format.ts";
import { Defined, Live, costClass } from "../parts/live.tsx";

interface Line {
  name: MetricName;
  says: string;
  unit: string;
  show: (value: number | null) => string;
  isCost?: boolean;
}

const LINES: readonly Line[] = [
  { name: "arrival_slippage_bps", says: "Slip. arrival", unit: "bps", show: signed, isCost: true },
  { name: "vwap_slippage_bps", says: "Slip. VWAP", unit: "bps", show: signed },
  { name: "twap_slippage_bps", says: "Slip. TWAP", unit: "bps", show: signed },
  { name: "expected_cost_bps", says: "Expected cost", unit: "bps", show: signed },
  { name: "cost_efficiency", says: "Against expected", unit: "bps", show: signed },
  { name: "schedule_deviation", says: "Ahead", unit: "%", show: (value) => signed(value === null ? null : value * 100) },
  { name: "execution_speed", says: "Speed", unit: "×", show: (value) => number(value, 2) },
  { name: "participation_rate", says: "Participation", unit: "%", show: (value) => percent(value) },
  { name: "child_fill_rate", says: "Filled of sent", unit: "%", show: (value) => percent(value, 0) },
  { name: "passive_share", says: "Passive", unit: "%", show: (value) => percent(value, 0) },
  { name: "dark_share", says: "Dark", unit: "%", show: (value) => percent(value, 0) },
  { name: "spread_bps", says: "Spread now", unit: "bps", show: (value) => number(value, 1) },
];

function whyNone(name: MetricName): string {
  if (name === "spread_bps") return "One side of the market is empty";
  if (name === "participation_rate") return "No volume since the order arrived";
  if (name === "expected_cost_bps" || name === "cost_efficiency") return "The order was sent without a recommendation";
  return "No fill yet";
}

export function Metrics({ update }: { update: Monitoring | null }) {
  return (
    <section class="panel" aria-label="Metrics">
      <header class="panel-head">
        <h2>Metrics</h2>
        <span class="grow" />
        {update?.performance_score === null || update === null ? null : (
          <span>
            <Defined term="performance_score">score</Defined> <b class="figure">{number(update.performance_score, 2)}</b>
          </span>
        )}
      </header>
      {update === null ? (
        <p class="calm">No update from monitoring yet.</p>
      ) : (
        <dl class="metrics">
          {LINES.map(({ name, says, unit, show, isCost }) => {
            const value = update.metrics[name];
            return (
              <div key={name}>
                <dt>
                  <Defined term={name}>{says}</Defined>
                </dt>
                <dd class={`figure ${isCost ? costClass(value, update.metrics.expected_cost_bps) : ""}`}>
                  <Live text={show(value)} title={value === null ? whyNone(name) : undefined} />
                  <span class="unit">{unit}</span>
                </dd>
              </div>
            );
          })}
        </dl>
      )}
    </section>
  );
}

export function VenueSplit({ venues, isDark }: { venues: Record<string, number>; isDark: (venue: string) => boolean }) {
  const rows = Object.entries(venues).sort((a, b) => b[1] - a[1]);
  const total = rows.reduce((sum, [, quantity]) => sum + quantity, 0);
  return (
    <section class="panel" aria-label="Venues">
      <header class="panel-head">
        <h2>Venues</h2>
        <span class="unit">shares filled</span>
      </header>
      {total === 0 ? (
        <p class="calm">No fill yet.</p>
      ) : (
        <table class="figures venues">
          <tbody>
            {rows.map(([venue, quantity]) => (
              <tr key={venue}>
                <th scope="row">
                  {venue}
                  {isDark(venue) ? <span class="muted"> dark</span> : null}
                </th>
                <td class="bar-cell">
                  <span class="share" style={{ width: `${(quantity / total) * 100}%` }} />
                </td>
                <td class="figure">
                  <Live text={number(quantity)} />
                </td>
                <td class="figure">{percent(quantity / total, 0)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
