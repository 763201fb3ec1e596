/** Price over the order's life with own fills, the limit and the benchmarks. */

import {
  type AutoscaleInfo,
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Bar, Fill, OrderRow } from "../api/types.ts";
import { millis, number, timeOf } from "../format.ts";
import { FillsHere } from "./fills.tsx";
import { type Theme, theme } from "./theme.ts";

const MARKERS_MOST = 600;
/** How near the pointer must come to the fills of a bar, in pixels. */
const NEAR = 9;

export interface Level {
  name: string;
  price: number;
  style: "limit" | "benchmark" | "own";
}

type Manner = "passive" | "aggressive" | "dark";

/** How a fill came about. `dark` = on a venue that shows no quotes, or met at the mid. */
export function manner(fill: Fill, isDark: boolean): Manner {
  if (isDark || fill.liquidity === "MIDPOINT") return "dark";
  return fill.liquidity === "REMOVED" ? "aggressive" : "passive";
}

/** Where the bar of a fill begins, in seconds since the epoch. */
function barOf(fill: Fill, from: number, barSeconds: number): number {
  return from + Math.floor((millis(fill.received_time) / 1000 - from) / barSeconds) * barSeconds;
}

/** One marker per fill; beyond 600 those of one bar and manner are drawn as one. */
function markersOf(
  fills: readonly Fill[],
  isDark: (venue: string) => boolean,
  isBuy: boolean,
  barSeconds: number,
  from: number,
  colours: Theme,
): SeriesMarker<Time>[] {
  const groups = new Map<string, { at: number; kind: Manner; quantity: number; notional: number }>();
  for (const [index, fill] of fills.entries()) {
    const at = barOf(fill, from, barSeconds);
    const kind = manner(fill, isDark(fill.venue));
    const key = fills.length > MARKERS_MOST ? `${at}|${kind}` : String(index);
    const group = groups.get(key) ?? { at, kind, quantity: 0, notional: 0 };
    group.quantity += fill.quantity;
    group.notional += fill.quantity * fill.price;
    groups.set(key, group);
  }
  const largest = Math.max(...[...groups.values()].map(({ quantity }) => quantity), 1);
  const shape = { passive: "circle", aggressive: isBuy ? "arrowUp" : "arrowDown", dark: "square" } as const;
  return [...groups.values()]
    .sort((a, b) => a.at - b.at)
    .map(({ at, kind, quantity, notional }) => ({
      time: at as UTCTimestamp,
      position: "atPriceMiddle",
      price: notional / quantity,
      shape: shape[kind],
      color: isBuy ? colours.blue : colours.orange,
      size: 0.5 + 1.3 * Math.sqrt(quantity / largest),
    }));
}

/** Widens the scale so that the benchmarks are in sight; a limit far away stays out of it. */
function withLevels(own: AutoscaleInfo | null, levels: readonly Level[]): AutoscaleInfo | null {
  const range = own?.priceRange;
  if (own === null || range === null || range === undefined) return own;
  const room = (range.maxValue - range.minValue) * 0.5;
  const near = levels.filter(({ style, price }) => style !== "limit" || (price > range.minValue - room && price < range.maxValue + room));
  const prices = near.map(({ price }) => price);
  return { ...own, priceRange: { minValue: Math.min(range.minValue, ...prices), maxValue: Math.max(range.maxValue, ...prices) } };
}

interface Props {
  order: OrderRow;
  bars: readonly Bar[];
  barSeconds: number;
  fills: readonly Fill[];
  levels: readonly Level[];
  zone: string;
  digits: number;
  isDark: (venue: string) => boolean;
}

interface Drawn {
  isMoved: boolean; // the reader zoomed or dragged: their view stays
  chart: IChartApi;
  series: ISeriesApi<"Candlestick">;
  markers: ISeriesMarkersPluginApi<Time>;
  lines: Map<string, IPriceLine>;
}

export function PriceChart({ order, bars, barSeconds, fills, levels, zone, digits, isDark }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const colours = theme.value;
  const shown = useRef(levels);
  shown.current = levels;
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);

  useEffect(() => {
    if (box.current === null) return;
    const seconds = (time: Time): string => timeOf((time as number) * 1000, zone);
    const chart = createChart(box.current, {
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        textColor: colours.muted,
        fontFamily: colours.font,
        fontSize: 11,
        attributionLogo: true,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: colours.hair } },
      rightPriceScale: { borderColor: colours.line },
      timeScale: {
        borderColor: colours.line,
        timeVisible: true,
        secondsVisible: true,
        tickMarkFormatter: (time: Time) => seconds(time),
      },
      localization: { timeFormatter: seconds, locale: "en-US" },
      crosshair: { mode: 0 },
    });
    const series = chart.addSeries(CandlestickSeries, {
      // Candles stay grey: colour belongs to our own fills.
      upColor: colours.back,
      downColor: colours.bar,
      borderUpColor: colours.bar,
      borderDownColor: colours.bar,
      wickUpColor: colours.bar,
      wickDownColor: colours.bar,
      priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
      lastValueVisible: false,
      autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => withLevels(original(), shown.current),
      priceLineVisible: false,
    });
    chart.subscribeCrosshairMove(({ point }) => setPointer(point === undefined ? null : { x: point.x, y: point.y }));
    drawn.current = { chart, series, markers: createSeriesMarkers(series, []), lines: new Map(), isMoved: false };
    return () => {
      chart.remove();
      drawn.current = null;
    };
  }, [colours, zone, digits]);

  useEffect(() => {
    const now = drawn.current;
    const first = bars[0];
    if (now === null || first === undefined) return;
    const from = millis(first.start) / 1000;
    now.series.setData(
      bars.map((bar) => {
        const time = (millis(bar.start) / 1000) as UTCTimestamp;
        return bar.open === null || bar.high === null || bar.low === null || bar.close === null
          ? { time }
          : { time, open: bar.open, high: bar.high, low: bar.low, close: bar.close };
      }),
    );
    now.markers.setMarkers(markersOf(fills, isDark, order.side === "BUY", barSeconds, from, colours));
    if (!now.isMoved) now.chart.timeScale().fitContent();
  }, [bars, fills, barSeconds, order.side, colours]);

  const key = levels.map(({ name, price }) => `${name}:${price}`).join("|");
  useEffect(() => {
    const now = drawn.current;
    if (now === null) return;
    for (const line of now.lines.values()) now.series.removePriceLine(line);
    now.lines.clear();
    for (const { name, price, style } of levels) {
      const line = now.series.createPriceLine({
        price,
        title: name,
        color: style === "limit" ? colours.orange : style === "own" ? colours.text : colours.muted,
        lineWidth: 1,
        lineStyle: style === "limit" ? LineStyle.Solid : style === "own" ? LineStyle.Solid : LineStyle.Dashed,
        axisLabelVisible: true,
        axisLabelColor: style === "limit" ? colours.orange : colours.line,
        axisLabelTextColor: style === "limit" ? colours.back : colours.text,
      });
      now.lines.set(name, line);
    }
  }, [key, colours, zone, digits]);

  const first = bars[0];
  const here = pointer === null || first === undefined ? null : nearest(millis(first.start) / 1000, pointer.x);

  function nearest(from: number, x: number): { left: number; fills: Fill[] } | null {
    const scale = drawn.current?.chart.timeScale();
    if (scale === undefined) return null;
    let best: { left: number; at: number } | null = null;
    for (const at of new Set(fills.map((fill) => barOf(fill, from, barSeconds)))) {
      const left = scale.timeToCoordinate(at as UTCTimestamp);
      if (left !== null && Math.abs(left - x) <= Math.min(NEAR, best === null ? NEAR : Math.abs(best.left - x))) best = { left, at };
    }
    if (best === null) return null;
    const { left, at } = best;
    return { left, fills: fills.filter((fill) => barOf(fill, from, barSeconds) === at) };
  }

  const isBare = bars.length > 0 && bars.every(({ open }) => open === null);
  return (
    <section class="panel chart" aria-label="Price">
      <header class="panel-head">
        <h2>Price</h2>
        <span class="muted">{barSeconds} s bars</span>
        <span class="grow" />
        <ul class={`legend ${order.side.toLowerCase()}`}>
          <li>● passive</li>
          <li>{order.side === "BUY" ? "▲" : "▼"} aggressive</li>
          <li>■ dark or mid</li>
          <li class="muted">size = quantity</li>
          <li class="muted">point at a fill for its details</li>
          <li class="muted">double-click: all</li>
        </ul>
      </header>
      {isBare ? <p class="calm">The market no longer has the prices of this time: it keeps the present session only.</p> : null}
      <div class="price-box">
      <div
        class="price"
        ref={box}
        onWheel={() => drawn.current !== null && (drawn.current.isMoved = true)}
        onPointerDown={() => drawn.current !== null && (drawn.current.isMoved = true)}
        onDblClick={() => {
          if (drawn.current === null) return;
          drawn.current.isMoved = false;
          drawn.current.chart.timeScale().fitContent();
        }}
        role="img"
        aria-label={`Price of ${order.instrument_id} with ${fills.length} own fills; ${levels.map(({ name, price }) => `${name} ${number(price, digits)}`).join(", ")}`}
      />
      {here === null || pointer === null ? null : (
        <FillsHere fills={here.fills} zone={zone} digits={digits} left={here.left} top={Math.max(4, Math.min(pointer.y - 20, 190))} isRight={here.left > (box.current?.clientWidth ?? 0) / 2} />
      )}
      </div>
    </section>
  );
}
