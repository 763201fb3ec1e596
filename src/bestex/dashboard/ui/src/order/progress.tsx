/** Filled against the schedule with its band, and our share of the market's volume. */

import { useMemo } from "preact/hooks";
import type uPlot from "uplot";

import type { Bar, Fill, OrderRow } from "../api/types.ts";
import { millis, number, percent } from "../format.ts";
import { Defined } from "../parts/live.tsx";
import type { Observation } from "./data.ts";
import { baseAxes, Plot } from "./plot.tsx";
import { filledSteps, type Schedule, targetAt } from "./schedule.ts";
import type { Theme } from "./theme.ts";

interface ScheduleProps {
  order: OrderRow;
  schedule: Schedule | null;
  fills: readonly Fill[];
  until: number; // ms: where the filled line ends
  zone: string;
}

export function ScheduleChart({ order, schedule, fills, until, zone }: ScheduleProps) {
  const data = useMemo((): uPlot.AlignedData => {
    const begin = millis(order.created_time);
    const steps = filledSteps(fills, begin);
    const times = [...new Set([...(schedule?.corners.map(({ time }) => time) ?? []), ...steps.map(({ time }) => time), until])].sort((a, b) => a - b);
    const clamp = (value: number): number => Math.max(0, Math.min(order.quantity, value));
    let at = 0;
    const filled = times.map((time) => {
      while (at + 1 < steps.length && (steps[at + 1]?.time ?? 0) <= time) at += 1;
      return time < begin || time > until ? null : (steps[at]?.target ?? 0);
    });
    const targets = times.map((time) => (schedule === null ? null : targetAt(schedule, time)));
    const slice = schedule?.slice ?? 0;
    return [
      times.map((time) => time / 1000),
      targets.map((target) => (target === null ? null : clamp(target + slice))),
      targets.map((target) => (target === null ? null : clamp(target - slice))),
      targets,
      filled,
    ];
  }, [order.quantity, order.created_time, schedule, fills, until]);

  const options = (colours: Theme) => ({
    series: [
      {},
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: colours.muted, width: 1.5, dash: [5, 4], points: { show: false } },
      // Steps, because a fill is a moment; drawn by holding the value until the next point.
      { stroke: colours.blue, width: 2, paths: steppedPaths, points: { show: false } },
    ],
    bands: [{ series: [1, 2] as [number, number], fill: colours.select }],
    axes: baseAxes(colours, zone),
    scales: { x: { time: true }, y: { range: [0, order.quantity * 1.04] as [number, number] } },
  });
  return (
    <section class="panel chart" aria-label="Schedule">
      <header class="panel-head">
        <h2>Filled against schedule</h2>
        <span class="unit">shares</span>
        <span class="grow" />
        <ul class="legend">
          <li class="better">▬ filled</li>
          <li class="muted">┅ schedule</li>
          <li>
            <Defined term="band">band</Defined>
          </li>
        </ul>
      </header>
      <Plot
        data={data}
        options={options}
        height={170}
        zone={zone}
        says={`${number(order.filled_quantity)} of ${number(order.quantity)} shares filled${schedule === null ? "; no schedule yet" : ""}`}
      />
    </section>
  );
}

const steppedPaths: uPlot.Series.PathBuilder = (plot, series, from, to) => {
  const line = new Path2D();
  const [times, values] = [plot.data[0], plot.data[series]];
  let last: number | null = null;
  for (let index = from; index <= to; index += 1) {
    const value = values?.[index];
    if (value === null || value === undefined) continue;
    const x = plot.valToPos(times[index] ?? 0, "x", true);
    const y = plot.valToPos(value, "y", true);
    if (last === null) line.moveTo(x, y);
    else {
      line.lineTo(x, last);
      line.lineTo(x, y);
    }
    last = y;
  }
  return { stroke: line };
};

interface ParticipationProps {
  order: OrderRow;
  fills: readonly Fill[];
  bars: readonly Bar[];
  observations: readonly Observation[];
  zone: string;
}

export function ParticipationChart({ order, fills, bars, observations, zone }: ParticipationProps) {
  const limit = order.instructions.max_participation_rate;
  const data = useMemo((): uPlot.AlignedData => {
    const begin = millis(order.created_time);
    const shown = bars.filter((bar) => millis(bar.end) > begin);
    const own = new Array<number>(shown.length).fill(0);
    for (const fill of fills) {
      const time = millis(fill.received_time);
      const at = shown.findIndex((bar) => time >= millis(bar.start) && time < millis(bar.end));
      if (at >= 0) own[at] = (own[at] ?? 0) + fill.quantity;
    }
    let at = 0;
    return [
      shown.map((bar) => millis(bar.start) / 1000),
      shown.map((bar, index) => (bar.volume > 0 ? Math.min(1, (own[index] ?? 0) / bar.volume) * 100 : null)),
      shown.map((bar) => {
        while (at + 1 < observations.length && (observations[at + 1]?.time ?? 0) <= millis(bar.end)) at += 1;
        const seen = observations[at];
        const rate = seen !== undefined && seen.time <= millis(bar.end) ? seen.update.metrics.participation_rate : null;
        return rate === null || rate === undefined ? null : rate * 100;
      }),
      shown.map(() => (limit === null || limit === undefined ? null : limit * 100)),
    ];
  }, [order.created_time, fills, bars, observations, limit]);

  const options = (colours: Theme) => ({
    series: [
      {},
      { stroke: "transparent", fill: colours.bar, paths: barPaths, points: { show: false } },
      { stroke: colours.blue, width: 2, points: { show: false } },
      { stroke: colours.orange, width: 1, dash: [5, 4], points: { show: false } },
    ],
    axes: baseAxes(colours, zone, (value) => number(value, value < 5 ? 1 : 0)),
    scales: { x: { time: true }, y: { range: (_plot: uPlot, _low: number, high: number) => [0, Math.max(high ?? 1, 1) * 1.1] as [number, number] } },
  });
  const now = observations.at(-1)?.update.metrics.participation_rate ?? null;
  return (
    <section class="panel chart" aria-label="Participation">
      <header class="panel-head">
        <h2>
          <Defined term="participation_rate">Participation</Defined>
        </h2>
        <span class="unit">% of volume</span>
        <span class="grow" />
        <ul class="legend">
          <li>
            <span class="grey">▮</span> each bar
          </li>
          <li class="better">▬ so far</li>
          {limit === null || limit === undefined ? null : <li class="worse">┅ limit {percent(limit, 0)} %</li>}
        </ul>
      </header>
      <Plot data={data} options={options} height={170} zone={zone} says={`Participation so far ${percent(now)} % of the market's volume`} />
    </section>
  );
}

const barPaths: uPlot.Series.PathBuilder = (plot, series, from, to) => {
  const bars = new Path2D();
  const [times, values] = [plot.data[0], plot.data[series]];
  const zero = plot.valToPos(0, "y", true);
  const step = times.length > 1 ? plot.valToPos(times[1] ?? 0, "x", true) - plot.valToPos(times[0] ?? 0, "x", true) : 6;
  const width = Math.max(1, step * 0.7);
  for (let index = from; index <= to; index += 1) {
    const value = values?.[index];
    if (!value) continue;
    const x = plot.valToPos(times[index] ?? 0, "x", true);
    const y = plot.valToPos(value, "y", true);
    bars.rect(x, y, width, zero - y);
  }
  return { fill: bars };
};
