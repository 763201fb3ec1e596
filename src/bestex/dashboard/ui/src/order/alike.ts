/** Which done orders are like this one, and where its cost stands among theirs. */

import type { OrderRow } from "../api/types.ts";
import type { Entry } from "../live/book.ts";

/** Upper ends of the size buckets, as shares of an average day's volume. */
const SHARES = [0.0001, 0.001, 0.01, 0.05] as const;
const NAMES = ["up to 0.01 % of ADV", "0.01 to 0.1 % of ADV", "0.1 to 1 % of ADV", "1 to 5 % of ADV", "above 5 % of ADV"] as const;

/** Below this many, no rank is given. */
export const LIKE_LEAST = 5;

/** The bucket's name. Where the average day is not known: its power of ten of shares. */
export function sizeBucket(quantity: number, averageDailyVolume: number | null | undefined): string {
  if (averageDailyVolume === null || averageDailyVolume === undefined || averageDailyVolume <= 0) {
    const power = 10 ** Math.floor(Math.log10(quantity) + 1e-9);
    return `${power.toLocaleString("en-US")} to ${(power * 10).toLocaleString("en-US")} shares`;
  }
  const share = quantity / averageDailyVolume;
  const at = SHARES.findIndex((end) => share <= end);
  return NAMES[at < 0 ? SHARES.length : at] ?? NAMES[SHARES.length];
}

export interface Like {
  order: OrderRow;
  cost: number; // bps
  expected: number | null; // bps
  grade: string | null;
}

/** Measured orders of the same instrument, side, size bucket and algorithm, without the order itself; newest first as given. */
export function likeOrders(order: OrderRow, entries: readonly Entry[], averageDailyVolume: number | null | undefined): Like[] {
  const bucket = sizeBucket(order.quantity, averageDailyVolume);
  return entries.flatMap((entry) => {
    const other = entry.order;
    const isLike =
      other.order_id !== order.order_id &&
      other.instrument_id === order.instrument_id &&
      other.side === order.side &&
      other.algorithm === order.algorithm &&
      other.filled_quantity > 0 &&
      sizeBucket(other.quantity, averageDailyVolume) === bucket;
    if (!isLike || entry.cost === null) return [];
    return [{ order: other, cost: entry.cost, expected: entry.monitoring?.metrics.expected_cost_bps ?? null, grade: entry.grade }];
  });
}

/** Linear between the two nearest of the sorted values (the usual "type 7"). */
export function quantile(sortedValues: readonly number[], share: number): number {
  const at = (sortedValues.length - 1) * share;
  const low = sortedValues[Math.floor(at)] ?? Number.NaN;
  const high = sortedValues[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export interface Standing {
  low: number; // 25 %
  median: number;
  high: number; // 75 %
  /** Share of the like orders that cost less; half of those that cost the same. null below the least sample. */
  dearerThan: number | null;
}

export function standingOf(cost: number | null, likes: readonly Like[]): Standing {
  const costs = likes.map((like) => like.cost).sort((a, b) => a - b);
  const less = costs.filter((other) => cost !== null && other < cost).length;
  const same = costs.filter((other) => other === cost).length;
  return {
    low: quantile(costs, 0.25),
    median: quantile(costs, 0.5),
    high: quantile(costs, 0.75),
    dearerThan: cost === null || costs.length < LIKE_LEAST ? null : (less + same / 2) / costs.length,
  };
}
