/** Cost against risk of every candidate: the line joins those that no other beats on both. */

import type { Recommendation } from "../api/types.ts";
import { algorithm, bps, number } from "../format.ts";

type Point = Recommendation["frontier"][number];

const WIDTH = 420;
const HEIGHT = 220;
const LEFT = 46;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 34;

/** Those that no other candidate beats on cost and risk at once, from low risk to high. */
export function efficient(points: readonly Point[]): Point[] {
  const ordered = [...points].sort((a, b) => a.risk - b.risk || a.cost - b.cost);
  const found: Point[] = [];
  for (const point of ordered) {
    const last = found.at(-1);
    if (last === undefined || point.cost < last.cost) found.push(point);
  }
  return found;
}

/** Round steps of 1, 2 or 5 times a power of ten; about `count` of them. */
export function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count;
  if (!(raw > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

export function Frontier({ points }: { points: readonly Point[] }) {
  const costs = points.map((point) => point.cost * 1e4);
  const risks = points.map((point) => point.risk * 1e4);
  const pad = (values: number[]): [number, number] => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = Math.max((high - low) * 0.12, 0.2);
    return [Math.max(low < 0 ? low - room : 0, low - room), high + room];
  };
  const [riskFrom, riskTo] = pad(risks);
  const [costFrom, costTo] = pad(costs);
  const x = (risk: number): number => LEFT + ((risk - riskFrom) / (riskTo - riskFrom)) * (WIDTH - LEFT - RIGHT);
  const y = (cost: number): number => HEIGHT - BOTTOM - ((cost - costFrom) / (costTo - costFrom)) * (HEIGHT - TOP - BOTTOM);
  const at = (point: Point): [number, number] => [x(point.risk * 1e4), y(point.cost * 1e4)];
  const line = efficient(points).map((point) => at(point).map((value) => value.toFixed(1)).join(","));
  const drawn = [...points].sort((a, b) => Number(a.chosen) - Number(b.chosen));

  return (
    <svg class="frontier" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Expected cost against risk of every candidate">
      {ticks(costFrom, costTo, 4).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
          <text class="tick" x={LEFT - 6} y={y(tick) + 3.5} text-anchor="end">
            {number(tick, costTo - costFrom < 4 ? 1 : 0)}
          </text>
        </g>
      ))}
      {ticks(riskFrom, riskTo, 5).map((tick) => (
        <text key={tick} class="tick" x={x(tick)} y={HEIGHT - BOTTOM + 14} text-anchor="middle">
          {number(tick, riskTo - riskFrom < 4 ? 1 : 0)}
        </text>
      ))}
      <text class="axis" x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 4} text-anchor="middle">
        risk, sd bps
      </text>
      <text class="axis" transform={`translate(11 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)`} text-anchor="middle">
        expected cost, bps
      </text>
      <polyline class="line" points={line.join(" ")} />
      {drawn.map((point) => {
        const [cx, cy] = at(point);
        const says = `${point.strategy_name} (${algorithm(point.algorithm)}): cost ${bps(point.cost)} bps, risk ${number(point.risk * 1e4, 1)} bps, ${number(point.time_minutes)} min`;
        return (
          <g key={says} class={point.chosen ? "point chosen" : "point"}>
            <title>{says}</title>
            {point.chosen ? <circle class="ring" cx={cx} cy={cy} r="9" /> : null}
            <circle cx={cx} cy={cy} r={point.chosen ? 5 : 4} />
            {point.chosen ? (
              <text x={cx > WIDTH * 0.6 ? cx - 13 : cx + 13} y={cy - 6} text-anchor={cx > WIDTH * 0.6 ? "end" : "start"}>
                {point.strategy_name}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}
