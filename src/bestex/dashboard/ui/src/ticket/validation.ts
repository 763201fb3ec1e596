/** What is wrong with a field, as it is typed. The desk checks again; this only saves the round trip. */

import type { Instrument } from "../api/types.ts";
import { decimalsOf, number } from "../format.ts";
import type { Draft } from "./draft.ts";

/** A plain decimal, or NaN: no exponents, no blanks, no trailing words. */
export function decimal(text: string): number {
  return /^-?(\d+(\.\d*)?|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN;
}

/** Undefined when `text` is a positive whole number of `step`s. */
export function checkGrid(text: string, step: number, unit: "lots" | "ticks"): string | undefined {
  const value = decimal(text);
  if (Number.isNaN(value)) return "a number, like 1000 or 12.5";
  if (value <= 0) return "a positive number";
  const digits = decimalsOf(step);
  // Whole steps are counted in integers: 0.1 + 0.2 must not decide whether a price is on the grid.
  const scale = 10 ** Math.max(digits, decimalsOf(value));
  const steps = Math.round(value * scale) / Math.round(step * scale);
  if (!Number.isInteger(steps)) {
    const below = Math.floor(steps) * step;
    return `not a whole number of ${unit} of ${step}; nearest are ${number(below, digits)} and ${number(below + step, digits)}`;
  }
  return undefined;
}

/** Undefined when `text` is a percentage in (0, 100]. */
export function checkRate(text: string): string | undefined {
  const value = decimal(text);
  if (Number.isNaN(value)) return "a percentage, like 10";
  return value > 0 && value <= 100 ? undefined : "more than 0 and at most 100 %";
}

function checkMinutes(text: string): string | undefined {
  const value = decimal(text);
  return Number.isInteger(value) && value >= 1 && value <= 480 ? undefined : "a whole number of minutes from 1 to 480";
}

export type Problems = Partial<Record<keyof Draft, string>>;

/** Field -> what is wrong. Empty when the draft can be sent. */
export function check(draft: Draft, instrument: Instrument | undefined): Problems {
  const problems: Problems = {};
  const put = (field: keyof Draft, problem: string | undefined): void => {
    if (problem !== undefined) problems[field] = problem;
  };
  if (instrument === undefined) {
    put("instrument", draft.instrument === "" ? "choose an instrument" : `${draft.instrument} is not known to this desk`);
    return problems;
  }
  put("quantity", draft.quantity === "" ? "how many shares?" : checkGrid(draft.quantity, instrument.lot_size, "lots"));
  if (draft.type === "LIMIT") {
    put("price", draft.price === "" ? "a limit order needs a limit price" : checkGrid(draft.price, instrument.tick_size, "ticks"));
  }
  if (draft.rate !== "") put("rate", checkRate(draft.rate));
  if (draft.minutes !== "") put("minutes", checkMinutes(draft.minutes));
  const left = instrument.venues.filter((venue) => !draft.avoid.includes(venue));
  if (instrument.venues.length > 0 && left.length === 0) put("avoid", "at least one venue must be left");
  return problems;
}
