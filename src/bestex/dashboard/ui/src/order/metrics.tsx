/** The live metrics and where the fills came from. */

import type { MetricName, Monitoring } from "../api/types.ts";
import { number, percent, signed } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Defined, Live, costClass } from "../parts/live.tsx";
import { Table } from "../parts/table.tsx";

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

interface Split {
  venue: string;
  quantity: number;
  share: number;
}

export function VenueSplit({ venues, isDark }: { venues: Record<string, number>; isDark: (venue: string) => boolean }) {
  const total = Object.values(venues).reduce((sum, quantity) => sum + quantity, 0);
  const rows = Object.entries(venues)
    .map(([venue, quantity]): Split => ({ venue, quantity, share: quantity / total }))
    .sort((a, b) => b.quantity - a.quantity);
  const columns: readonly Column<Split>[] = [
    {
      key: "venue",
      head: "Venue",
      value: ({ venue }) => venue,
      text: ({ venue }) => `${venue}${isDark(venue) ? " dark" : ""}`,
      cell: ({ venue }) => (
        <>
          {venue}
          {isDark(venue) ? <span class="muted"> dark</span> : null}
        </>
      ),
    },
    {
      key: "share",
      head: "Share",
      unit: "%",
      value: ({ share }) => share * 100,
      text: ({ share }) => percent(share, 0),
      cell: ({ share }) => (
        <span class="share-cell">
          <span class="share" style={{ width: `calc(${share} * (100% - 2.6rem))` }} />
          <span class="figure">{percent(share, 0)}</span>
        </span>
      ),
      class: () => "bar-cell",
    },
    {
      key: "quantity",
      head: "Filled",
      unit: "shares",
      isFigure: true,
      value: ({ quantity }) => quantity,
      text: ({ quantity }) => number(quantity),
      cell: ({ quantity }) => <Live text={number(quantity)} />,
    },
  ];
  return (
    <section class="panel" aria-label="Venues">
      <Table name="Venue split" class="venues" title="Venues" columns={columns} rows={rows} id={({ venue }) => venue} empty="No fill yet." />
    </section>
  );
}
