/** One line per instrument: regime, last, quote with its age, spread, the volume so far against an average day. */

import { useEffect } from "preact/hooks";

import type { Instrument, Quote } from "../api/types.ts";
import { compact, decimalsOf, duration, millis, number, percent, words } from "../format.ts";
import { type Assessed, conditions, deskTime, heard, instruments, now, quotes, watchConditions } from "../live/desk.ts";
import type { Column } from "../parts/columns.ts";
import { Live } from "../parts/live.tsx";
import { Table } from "../parts/table.tsx";

const STALE_MS = 5000;

interface Line {
  instrument: Instrument;
  quote: Quote | undefined;
  assessed: Assessed | undefined;
  ageMs: number | null; // of the quote, in the viewer's time
  due: number | null; // volume that an average day has by now
}

function lineOf(instrument: Instrument): Line {
  const id = instrument.instrument_id;
  const quote = quotes.value.get(id);
  // Counted in the viewer's time: a market that runs twenty times as fast is twenty times as old in its own.
  const speed = heard.value?.status.speed ?? 1;
  const ageMs = quote === undefined || deskTime.value === null ? null : Math.max(0, (deskTime.value - millis(quote.time)) / speed);
  const daily = instrument.average_daily_volume;
  const due = quote?.expected_volume_share && daily ? quote.expected_volume_share * daily : null;
  return { instrument, quote, assessed: conditions.value.get(id), ageMs, due };
}

function pace({ quote, due }: Line): number | null {
  return due === null || quote === undefined ? null : quote.cumulative_volume / due;
}

function isStale({ ageMs }: Line): boolean {
  return ageMs !== null && ageMs > STALE_MS;
}

const TREND: Record<string, string> = { RISING: " ↗", FALLING: " ↘" };

/** The regime and, where there is one, the trend's direction. */
export function regimeOf({ assessed }: Pick<Line, "assessed">): string {
  if (assessed === undefined) return "–";
  const { regime, trend } = assessed.conditions;
  return words(regime) + (TREND[trend.label] ?? "");
}

function regimeSays({ assessed }: Line): string {
  if (assessed === undefined) return "Not assessed yet";
  const { volatility, liquidity, trend, confidence } = assessed.conditions;
  const parts = [
    `volatility ${words(volatility.label).toLowerCase()}`,
    `liquidity ${words(liquidity.label).toLowerCase()}`,
    `trend ${words(trend.label).toLowerCase()}`,
  ];
  return `${parts.join(", ")}. As sure as the weakest of them: ${percent(confidence, 0)} %. Assessed ${duration(now.value - assessed.at)} ago.`;
}

const digits = ({ instrument }: Line): number => decimalsOf(instrument.tick_size);

const COLUMNS: readonly Column<Line>[] = [
  {
    key: "instrument",
    head: "Instrument",
    value: ({ instrument }) => instrument.instrument_id,
    text: ({ instrument }) => `${instrument.instrument_id} ${instrument.name}`,
    cell: (line) => (
      <>
        <a href={`#/ticket?instrument=${encodeURIComponent(line.instrument.instrument_id)}`} title={`New order in ${line.instrument.name}`}>
          {line.instrument.instrument_id}
        </a>
        <span class="muted note regime" title={regimeSays(line)}>
          {regimeOf(line)}
        </span>
      </>
    ),
  },
  {
    key: "regime",
    head: "Regime",
    says: "What strategy makes of volatility, liquidity and trend now; the recommendation starts from it.",
    value: (line) => (line.assessed === undefined ? null : regimeOf(line)),
    text: regimeOf,
    title: regimeSays,
    class: () => "nowrap",
  },
  { key: "last", head: "Last", isFigure: true, value: ({ quote }) => quote?.last_price ?? null, text: (line) => number(line.quote?.last_price, digits(line)), cell: (line) => <Live text={number(line.quote?.last_price, digits(line))} /> },
  { key: "bid", head: "Bid", isFigure: true, value: ({ quote }) => quote?.bid ?? null, text: (line) => number(line.quote?.bid, digits(line)), cell: (line) => <Live text={number(line.quote?.bid, digits(line))} /> },
  { key: "ask", head: "Ask", isFigure: true, value: ({ quote }) => quote?.ask ?? null, text: (line) => number(line.quote?.ask, digits(line)), cell: (line) => <Live text={number(line.quote?.ask, digits(line))} /> },
  {
    key: "spread",
    head: "Spread",
    unit: "bps",
    isFigure: true,
    value: ({ quote }) => quote?.spread_bps ?? null,
    text: ({ quote }) => number(quote?.spread_bps, 1),
    cell: ({ quote }) => <Live text={number(quote?.spread_bps, 1)} title={quote?.spread_bps === null ? "One side of the market is empty" : undefined} />,
  },
  {
    key: "volume",
    head: "Volume",
    unit: "shares",
    isFigure: true,
    value: ({ quote }) => quote?.cumulative_volume ?? null,
    text: ({ quote }) => compact(quote?.cumulative_volume),
    title: ({ quote, instrument }) => `${number(quote?.cumulative_volume)} since the open; an average day has ${compact(instrument.average_daily_volume)}`,
  },
  {
    key: "curve",
    head: "Curve",
    unit: "%",
    says: "Volume since the open over what the volume curve of an average day expects by now. 100 = an average day.",
    isFigure: true,
    value: (line) => (pace(line) === null ? null : Number(pace(line)) * 100),
    text: (line) => percent(pace(line), 0),
    title: ({ due }) => (due === null ? "The session is closed, or there is no history" : `${compact(due)} expected by now`),
  },
  {
    key: "age",
    head: "Age",
    unit: "s",
    says: "How long ago the quote last changed, in your time. Marked when it is older than 5 s.",
    isFigure: true,
    value: ({ ageMs }) => (ageMs === null ? null : ageMs / 1000),
    text: ({ ageMs }) => (ageMs === null ? "–" : number(ageMs / 1000, ageMs < 10_000 ? 1 : 0)),
    cell: (line) =>
      isStale(line) ? <span class="chip warn">{duration(line.ageMs)}</span> : line.ageMs === null ? "–" : number(line.ageMs / 1000, 1),
    title: ({ ageMs }) => (ageMs === null ? "No quote yet" : undefined),
  },
];

export function MarketStrip() {
  useEffect(watchConditions, []);
  const age = heard.value?.status.feed.last_event_age_ms ?? null;
  return (
    <section class="panel market" aria-label="Market">
      <Table
        name="Market"
        title="Market"
        extra={
          <span class={`figure ${age !== null && age > STALE_MS ? "error" : "muted"}`} title="Since the feed's last event, in your time">
            {age === null ? "no event yet" : `feed ${duration(age)} old`}
          </span>
        }
        columns={COLUMNS}
        rows={[...instruments.value.values()].map(lineOf)}
        id={({ instrument }) => instrument.instrument_id}
        hidden={["regime"]}
        rowClass={(line) => (isStale(line) ? "stale" : "")}
        empty="No instrument yet: the desk has not said what it trades."
      />
    </section>
  );
}
