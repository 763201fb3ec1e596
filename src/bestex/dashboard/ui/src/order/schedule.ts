/** What the schedule wanted at each moment, over all plans of an order. */

import type { ExecutionPlan, Fill, WireMessage } from "../api/types.ts";
import { millis } from "../format.ts";

export interface Corner {
  time: number; // ms
  target: number; // cumulative shares
}

export interface Schedule {
  corners: Corner[]; // straight lines between them
  slice: number; // the largest slice of the plan in force, shares: how far it may lead or lag on purpose
  end: number;
}

function filledBy(fills: readonly Fill[], time: number): number {
  let sum = 0;
  for (const fill of fills) if (millis(fill.received_time) <= time) sum += fill.quantity;
  return sum;
}

/** A plan holds from its message until the next one's; a later plan covers only what was open then. */
export function scheduleOf(timeline: readonly WireMessage[], fills: readonly Fill[]): Schedule | null {
  const plans = timeline.filter(({ event_type }) => event_type === "execution_planned");
  const corners: Corner[] = [];
  let slice = 0;
  let end = 0;
  for (const [index, message] of plans.entries()) {
    const plan = message.execution_planned as ExecutionPlan;
    const next = plans[index + 1];
    const until = next === undefined ? Number.POSITIVE_INFINITY : millis(next.timestamp);
    const first = plan.execution_schedule[0];
    if (first === undefined) continue;
    let target = index === 0 ? 0 : filledBy(fills, millis(message.timestamp));
    slice = 0;
    corners.push({ time: Math.max(millis(first.start_time), corners.at(-1)?.time ?? 0), target });
    for (const part of plan.execution_schedule) {
      const [from, to] = [millis(part.start_time), millis(part.end_time)];
      slice = Math.max(slice, part.target_quantity);
      if (from >= until) break;
      if (to > until) {
        corners.push({ time: until, target: target + (part.target_quantity * (until - from)) / (to - from) });
        break;
      }
      target += part.target_quantity;
      corners.push({ time: to, target });
      end = to;
    }
  }
  return corners.length === 0 ? null : { corners, slice, end };
}

/** The target at `time`; null before the first corner, the last target after the last one. */
export function targetAt({ corners }: Schedule, time: number): number | null {
  let before: Corner | undefined;
  for (const corner of corners) {
    if (corner.time >= time) {
      if (before === undefined) return corner.time === time ? corner.target : null;
      if (corner.time === before.time) return corner.target;
      return before.target + ((corner.target - before.target) * (time - before.time)) / (corner.time - before.time);
    }
    before = corner;
  }
  return before?.target ?? null;
}

/** Cumulative filled quantity just after each fill, starting at zero. */
export function filledSteps(fills: readonly Fill[], begin: number): Corner[] {
  let target = 0;
  return [{ time: begin, target: 0 }, ...fills.map((fill) => ({ time: millis(fill.received_time), target: (target += fill.quantity) }))];
}
