/** What the order is held against: benchmark prices, what the mid did after the fills, and the venues. */

import type { Analytics, QualityResult } from "../api/types.ts";
import { decimalsOf, number, signed, words } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Defined } from "../parts/live.tsx";
import { Table } from "../parts/table.tsx";

const BENCHMARKS: Record<string, string> = {
  arrival: "Arrival mid",
  decision: "Decision",
  interval_vwap: "Interval VWAP",
  interval_twap: "Interval TWAP",
};

type Benchmark = Analytics["benchmark_comparison"][number];

export function Benchmarks({ analytics, tick, currency }: { analytics: Analytics; tick: number; currency: string }) {
  const digits = decimalsOf(tick) + 2;
  const columns: readonly Column<Benchmark>[] = [
    { key: "benchmark", head: "Benchmark", value: ({ benchmark }) => BENCHMARKS[benchmark] ?? words(benchmark), text: ({ benchmark }) => BENCHMARKS[benchmark] ?? words(benchmark) },
    {
      key: "price",
      head: "Price",
      unit: currency,
      isFigure: true,
      value: ({ price }) => price,
      text: ({ price }) => number(price, digits),
      title: ({ price }) => (price === null ? "The market had no price" : undefined),
    },
    {
      key: "slippage",
      head: "Slippage",
      unit: "bps",
      isFigure: true,
      value: ({ slippage_bps }) => slippage_bps,
      text: ({ slippage_bps }) => signed(slippage_bps, 2),
      title: ({ slippage_bps }) => (slippage_bps === null ? "Nothing was filled, or the market had no price" : undefined),
    },
  ];
  return (
    <Table
      name="Benchmarks"
      title="Against benchmarks"
      columns={columns}
      rows={analytics.benchmark_comparison}
      id={({ benchmark }) => benchmark}
      isPart
      empty="No benchmark: the order was not measured against any price."
    />
  );
}

interface Markout {
  after: string;
  seconds: number;
  value: number | null;
}

const MARKOUTS: readonly Column<Markout>[] = [
  { key: "after", head: "After the fill", value: ({ seconds }) => seconds, text: ({ after }) => after },
  {
    key: "markout",
    head: "Markout",
    unit: "bps",
    term: "markout",
    isFigure: true,
    value: ({ value }) => value,
    text: ({ value }) => signed(value, 2),
    title: ({ value }) => (value === null ? "The market was not seen that long after" : undefined),
  },
];

export function Markouts({ analytics }: { analytics: Analytics }) {
  const costs = analytics.cost_analysis;
  const rows = Object.entries(costs?.markouts_bps ?? {})
    .map(([text, value]): Markout => ({ seconds: Number(text), after: Number(text) >= 60 ? `${Number(text) / 60} min` : `${text} s`, value }))
    .sort((a, b) => a.seconds - b.seconds);
  return (
    <Table
      name="Markouts"
      title="Markouts after our fills"
      extra={
        <span class="muted">
          <Defined term="reversion">reversion</Defined> after the end <span class="figure">{signed(costs?.reversion_bps, 2)}</span> bps
        </span>
      }
      columns={MARKOUTS}
      rows={rows}
      id={({ after }) => after}
      isPart
      empty="None: nothing was filled."
    />
  );
}

type Venue = QualityResult["venue_performance"][number];

const VENUES: readonly Column<Venue>[] = [
  { key: "venue", head: "Venue", value: ({ venue }) => venue, text: ({ venue }) => venue },
  { key: "quantity", head: "Filled", unit: "shares", isFigure: true, value: ({ quantity }) => quantity, text: ({ quantity }) => number(quantity) },
  { key: "spread", head: "Eff. spread", unit: "bps", isFigure: true, value: ({ effective_spread_bps }) => effective_spread_bps, text: ({ effective_spread_bps }) => signed(effective_spread_bps) },
  { key: "markout", head: "Markout", unit: "bps", term: "markout", isFigure: true, value: ({ markout_bps }) => markout_bps, text: ({ markout_bps }) => signed(markout_bps) },
  { key: "fee", head: "Fee", unit: "bps", isFigure: true, value: ({ fee_bps }) => fee_bps, text: ({ fee_bps }) => signed(fee_bps, 2) },
  { key: "score", head: "Score", unit: "0..1", term: "quality_score", isFigure: true, value: ({ quality_score }) => quality_score, text: ({ quality_score }) => number(quality_score, 2) },
];

export function Venues({ quality }: { quality: QualityResult }) {
  return (
    <Table name="Venue quality" title="Venues" columns={VENUES} rows={quality.venue_performance} id={({ venue }) => venue} isPart empty="None: nothing was filled." />
  );
}
