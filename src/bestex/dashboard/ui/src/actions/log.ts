/** Every action from asked to acknowledged, so that nobody has to guess whether the desk heard. */

import { effect, signal } from "@preact/signals";

import { type Entry, entryOf } from "../live/book.ts";

export type Stage = "asked" | "accepted" | "acknowledged" | "refused";

export interface Step {
  key: number;
  order: string | null;
  says: string;
  stage: Stage;
  detail: string | null;
  asked: number;
  answered: number | null;
}

export const steps = signal<readonly Step[]>([]);

const KEEP_MS = 6000;
let count = 0;

function update(key: number, part: Partial<Step>): void {
  steps.value = steps.value.map((step) => (step.key === key ? { ...step, ...part } : step));
}

export function dismiss(key: number): void {
  steps.value = steps.value.filter((step) => step.key !== key);
}

function finish(key: number): void {
  update(key, { stage: "acknowledged", answered: performance.now() });
  setTimeout(() => dismiss(key), KEEP_MS);
}

export interface Action {
  order: string | null;
  says: string;
  request: () => Promise<unknown>;
  /** True once the stream shows that it happened; absent = the answer itself says so. */
  isDone?: (entry: Entry) => boolean;
}

/** Sends it and follows it. Refusals stay until dismissed, and are thrown on for the form that asked. */
export async function perform({ order, says, request, isDone }: Action): Promise<void> {
  count += 1;
  const key = count;
  steps.value = [
    ...steps.value,
    { key, order, says, stage: "asked", detail: null, asked: performance.now(), answered: null },
  ];
  try {
    await request();
  } catch (error) {
    update(key, { stage: "refused", detail: error instanceof Error ? error.message : String(error), answered: performance.now() });
    throw error;
  }
  const entry = order === null ? undefined : entryOf(order);
  if (entry === undefined || isDone === undefined) {
    finish(key);
    return;
  }
  update(key, { stage: "accepted" });
  let stop: (() => void) | undefined;
  let isFinished = false;
  stop = effect(() => {
    if (isFinished || !isDone(entry.value)) return;
    isFinished = true;
    queueMicrotask(() => {
      stop?.();
      finish(key);
    });
  });
}
