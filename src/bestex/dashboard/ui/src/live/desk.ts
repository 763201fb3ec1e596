/** Keeps the screens in step with the desk: first the lists, then the stream, and what the stream does not carry by asking. */

import { computed, signal } from "@preact/signals";

import { api, socketAddress } from "../api/client.ts";
import type { DeskStatus, Instrument, MarketConditions, Quote, StreamFrame, Venue } from "../api/types.ts";
import { millis, zoneOf } from "../format.ts";
import { batched } from "./batch.ts";
import { applyMessage, listOrders, putAlerts, putGrade, putMonitoring, putOrder } from "./book.ts";
import { keepOpen, type Link } from "./socket.ts";

export const instruments = signal<ReadonlyMap<string, Instrument>>(new Map());
export const venues = signal<ReadonlyMap<string, Venue>>(new Map());
export const quotes = signal<ReadonlyMap<string, Quote>>(new Map());

export interface Heard {
  status: DeskStatus;
  at: number; // performance.now() when it arrived
}

export interface Assessed {
  conditions: MarketConditions;
  at: number; // performance.now() when it arrived
}

/** The regime of each instrument as strategy last assessed it. Only kept while something shows it. */
export const conditions = signal<ReadonlyMap<string, Assessed>>(new Map());

/** The last answer of GET /desk; null before the first. */
export const heard = signal<Heard | null>(null);
export const link = signal<Link>("connecting");
/** When the stream or the desk was last heard, in this browser's milliseconds. */
export const lastHeard = signal(performance.now());
/** What went wrong on the last look at the desk; null when it answered. */
export const trouble = signal<string | null>(null);
export const isLoaded = signal(false);
/** Ticks twice a second: what an age on the screen depends on. */
export const now = signal(performance.now());

/** The desk's time at this moment, in milliseconds since the epoch; null before the first answer. */
export const deskTime = computed(() => {
  const last = heard.value;
  if (last === null) return null;
  return millis(last.status.desk_time) + (now.value - last.at) * last.status.speed;
});

export const ageMs = computed(() => Math.max(0, now.value - lastHeard.value));
export const isStale = computed(() => link.value !== "live" || ageMs.value > 5000);

export function zone(instrument: string): string {
  return zoneOf(instruments.value.get(instrument)?.calendar);
}

let position: number | null = null;

async function loadLists(): Promise<void> {
  const [orders, monitored, alertRows, grades] = await Promise.all([api.orders(), api.monitoring(), api.alerts(), api.grades()]);
  for (const row of orders) putOrder(row);
  listOrders();
  for (const row of monitored) putMonitoring(row.update);
  for (const grade of grades) putGrade(grade);
  putAlerts(alertRows);
  isLoaded.value = true;
}

async function ask(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    lastHeard.value = performance.now();
    trouble.value = null;
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : String(error);
  }
}

async function lookAtDesk(): Promise<void> {
  const status = await api.desk();
  heard.value = { status, at: performance.now() };
}

async function lookAtMarket(): Promise<void> {
  const ids = [...instruments.peek().keys()];
  const found = await Promise.all(ids.map((id) => api.quote(id)));
  quotes.value = new Map(found.map((quote) => [quote.instrument_id, quote]));
}

// Every question is written in the desk's journal, and a regime does not change from one second to the next.
const CONDITIONS_GAP_MS = 30_000;

async function lookAtConditions(): Promise<void> {
  for (const id of instruments.peek().keys()) {
    const found = await api.marketConditions(id);
    conditions.value = new Map(conditions.peek()).set(id, { conditions: found, at: performance.now() });
  }
}

/** Keeps `conditions` current until the answer is called. */
export function watchConditions(): () => void {
  let isGone = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    if (!document.hidden) await ask(lookAtConditions);
    if (!isGone) timer = setTimeout(again, instruments.peek().size === 0 ? 500 : CONDITIONS_GAP_MS);
  };
  void again();
  return () => {
    isGone = true;
    clearTimeout(timer);
  };
}

/** Asks again `gap` milliseconds after each answer, never twice at once, and not while the page is hidden. */
function every(gap: number, work: () => Promise<void>): void {
  const again = async (): Promise<void> => {
    if (!document.hidden) await ask(work);
    setTimeout(again, gap);
  };
  void again();
}

export function startDesk(): void {
  setInterval(() => {
    now.value = performance.now();
  }, 500);

  const take = batched<StreamFrame>((frames) => {
    for (const frame of frames) applyMessage(frame.message);
    listOrders();
    lastHeard.value = performance.now();
  });
  keepOpen<StreamFrame>({
    address: () => socketAddress(position === null ? "monitoring/stream" : `monitoring/stream?after_position=${position}`),
    frame: (frame) => {
      position = frame.position;
      take(frame);
    },
    link: (state) => {
      link.value = state;
      // The lists are read once the stream stands, so that nothing falls between them; again after every gap.
      if (state === "live") void ask(loadLists);
    },
  });

  void ask(async () => {
    const [known, places] = await Promise.all([api.instruments(), api.venues()]);
    instruments.value = new Map(known.map((instrument) => [instrument.instrument_id, instrument]));
    venues.value = new Map(places.map((venue) => [venue.venue_id, venue]));
  });
  every(1000, lookAtDesk);
  every(1000, lookAtMarket);
}
