/** Everything about one order, read again when it moves, at most twice a second. */

import { useEffect, useState } from "preact/hooks";

import { api, Refused, socketAddress } from "../api/client.ts";
import type { Analytics, Bar, ChildOrder, Fill, Monitoring, PlacedMessage, QualityResult, Selection, WireMessage } from "../api/types.ts";
import { millis } from "../format.ts";
import { batched } from "../live/batch.ts";
import { type Entry, entryOf, isDone, listOrders, orderIds, putOrder } from "../live/book.ts";
import { deskTime, isLoaded } from "../live/desk.ts";
import { keepOpen } from "../live/socket.ts";

export interface Observation {
  time: number; // ms since the epoch
  update: Monitoring;
}

export interface OrderData {
  children: ChildOrder[];
  fills: Fill[]; // oldest first
  timeline: readonly PlacedMessage[];
  bars: Bar[];
  barSeconds: number;
  analytics: Analytics | null;
  quality: QualityResult | null;
  selections: readonly Selection[]; // newest first
}

const EMPTY: OrderData = { children: [], fills: [], timeline: [], bars: [], barSeconds: 1, analytics: null, quality: null, selections: [] };
const GAP_MS = 500;
const BARS_MOST = 240;
const WIDTHS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];

/** The narrowest bar that shows the span in at most 240 bars. */
export function barSeconds(spanMs: number): number {
  return WIDTHS.find((width) => spanMs / 1000 / width <= BARS_MOST) ?? 3600;
}

/** The span of the price chart: the order's life and a tenth before and after, at least a minute. */
export function spanOf(entry: Entry, fills: readonly Fill[], nowMs: number): [number, number] {
  const begin = millis(entry.order.created_time);
  const lastFill = fills.at(-1);
  const end = isDone(entry) ? Math.max(millis(entry.order.updated_time), lastFill ? millis(lastFill.received_time) : begin) : nowMs;
  const room = Math.max(60_000, (end - begin) * 0.1);
  return [begin - room, isDone(entry) ? Math.min(nowMs, end + room) : end];
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** Reads what can have moved since `known`; of the timeline only what is new. */
async function read(id: string, entry: Entry, known: OrderData): Promise<OrderData> {
  const done = isDone(entry);
  const [children, fills, news, analytics, quality] = await Promise.all([
    api.children(id),
    api.fills(id),
    api.timeline(id, known.timeline.at(-1)?.position ?? 0),
    done ? orNull(api.analytics(id)) : null,
    done ? orNull(api.quality(id)) : null,
  ]);
  fills.sort((a, b) => millis(a.received_time) - millis(b.received_time));
  const [from, to] = spanOf(entry, fills, deskTime.peek() ?? Date.now());
  const width = barSeconds(to - from);
  // On whole multiples of the width, so that a bar keeps its edges from one look to the next.
  const start = Math.floor(from / 1000 / width) * width * 1000;
  const bars = await api.bars(entry.order.instrument_id, new Date(start).toISOString(), new Date(to).toISOString(), width);
  const timeline = news.length === 0 ? known.timeline : [...known.timeline, ...news];
  const isSelected = known.selections.length === 0 || news.some(({ event_type }) => event_type === "execution_strategy_selected");
  const selections = isSelected && news.length > 0 ? await api.selections(id) : known.selections;
  return { children, fills, timeline, bars: bars.items, barSeconds: width, analytics, quality, selections };
}

export interface Found {
  data: OrderData;
  observations: readonly Observation[];
  isMissing: boolean;
  trouble: string | null;
}

export function useOrder(id: string): Found {
  const [data, setData] = useState<OrderData>(EMPTY);
  const [observations, setObservations] = useState<readonly Observation[]>([]);
  const [isMissing, setMissing] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const isKnown = orderIds.value.includes(id);

  useEffect(() => {
    if (isKnown || !isLoaded.value) return;
    api.order(id).then(
      (row) => {
        putOrder(row);
        listOrders();
      },
      (error) => (error instanceof Refused && error.status === 404 ? setMissing(true) : setTrouble(String(error))),
    );
  }, [id, isKnown, isLoaded.value]);

  useEffect(() => {
    if (!isKnown) return;
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = EMPTY;
    const look = async (): Promise<void> => {
      const entry = entryOf(id)?.peek();
      let isSettled = false;
      if (entry !== undefined && !document.hidden) {
        try {
          const found = await read(id, entry, known);
          if (isGone) return;
          known = found;
          setData(found);
          setTrouble(null);
          // Once graded and published, nothing moves any more.
          isSettled = isDone(entry) && found.timeline.some(({ event_type }) => event_type === "trade_executed");
        } catch (error) {
          if (!isGone) setTrouble(error instanceof Error ? error.message : String(error));
        }
      }
      if (!isGone && !isSettled) timer = setTimeout(look, GAP_MS);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id, isKnown]);

  useEffect(() => {
    let last = 0;
    let known: Observation[] = [];
    const take = batched<Observation>((items) => {
      known = [...known, ...items];
      setObservations(known);
    });
    return keepOpen<WireMessage>({
      address: () => socketAddress(`monitoring/${encodeURIComponent(id)}/stream?after_sequence=${last}`),
      frame: (message) => {
        last = message.sequence;
        if (message.event_type === "execution_monitoring") {
          take({ time: millis(message.timestamp), update: message.execution_monitoring as Monitoring });
        }
      },
      link: () => undefined,
    });
  }, [id]);

  return { data, observations, isMissing, trouble };
}
