/** How is it going, and why? Once it is done: what did it cost, and was that skill? */

import { useLayoutEffect, useMemo } from "preact/hooks";

import { type Ask, asking } from "../actions/dialogs.tsx";
import { decimalsOf, millis } from "../format.ts";
import { addKeys } from "../keyboard.ts";
import { alerts, entryOf, isDone, orderIds } from "../live/book.ts";
import { deskTime, instruments, venues, zone } from "../live/desk.ts";
import { AlertCard } from "../desk/alerts.tsx";
import { Empty } from "../parts/empty.tsx";
import { go } from "../route.ts";
import { After } from "./after.tsx";
import { Children } from "./children.tsx";
import { useOrder } from "./data.ts";
import { Fills } from "./fills.tsx";
import { Head } from "./head.tsx";
import { Metrics, VenueSplit } from "./metrics.tsx";
import { type Level, PriceChart } from "./price.tsx";
import { ParticipationChart, ScheduleChart } from "./progress.tsx";
import { scheduleOf } from "./schedule.ts";
import { Timeline } from "./timeline.tsx";

function isDarkVenue(venue: string): boolean {
  return ["DARK_POOL", "CROSSING_NETWORK"].includes(venues.value.get(venue)?.venue_type ?? "");
}

export function Order({ id }: { id: string }) {
  const { data, observations, isMissing, trouble } = useOrder(id);
  const isKnown = orderIds.value.includes(id);
  const entry = isKnown ? entryOf(id)?.value : undefined;

  // Before the page is seen: a key pressed at once must not be lost.
  useLayoutEffect(() => {
    const ask = (what: Ask) => (): void => {
      asking.value = { what, order: id };
    };
    return addKeys([
      { key: "a", says: "Amend this order", run: ask("amend") },
      { key: "p", says: "Pause this order", run: ask("pause") },
      { key: "r", says: "Resume this order", run: ask("resume") },
      { key: "s", says: "Switch its execution strategy", run: ask("switch") },
      { key: "c", says: "Cancel this order", run: ask("cancel") },
      { key: "Escape", says: "Back to the desk", run: () => go("#/desk") },
    ]);
  }, [id]);

  const schedule = useMemo(() => scheduleOf(data.timeline, data.fills), [data.timeline, data.fills]);

  if (entry === undefined) {
    return (
      <main id="main">
        {isMissing ? (
          <Empty title={`There is no order ${id}`}>
            It may belong to another desk or another state directory. <a href="#/desk">See this desk's orders</a>
          </Empty>
        ) : (
          <Empty title={trouble ?? "Reading the order…"} />
        )}
      </main>
    );
  }

  const { order, monitoring } = entry;
  const instrument = instruments.value.get(order.instrument_id);
  const place = zone(order.instrument_id);
  const tick = instrument?.tick_size ?? 0.01;
  const digits = decimalsOf(tick);
  const currency = instrument?.currency ?? "";
  const done = isDone(entry);
  const begin = millis(order.created_time);
  const until = done
    ? Math.max(millis(order.updated_time), ...data.fills.slice(-1).map((fill) => millis(fill.received_time)))
    : (deskTime.value ?? begin);

  const during = data.bars.filter((bar) => millis(bar.end) > begin && millis(bar.start) <= until);
  const volume = during.reduce((sum, bar) => sum + bar.volume, 0);
  const vwap = data.analytics?.cost_analysis?.interval_vwap ?? (volume > 0 ? during.reduce((sum, bar) => sum + bar.notional, 0) / volume : null);
  const { bid, ask } = order.arrival;
  const arrival = bid === null || ask === null ? null : (bid + ask) / 2;
  const levels: Level[] = [
    ...(order.price === null ? [] : [{ name: "limit", price: order.price, style: "limit" as const }]),
    ...(arrival === null ? [] : [{ name: "arrival", price: arrival, style: "benchmark" as const }]),
    ...(vwap === null || vwap === 0 ? [] : [{ name: "VWAP", price: vwap, style: "benchmark" as const }]),
    ...(order.average_fill_price === null ? [] : [{ name: "ours", price: order.average_fill_price, style: "own" as const }]),
  ];
  const own = [...alerts.value.values()].filter((alert) => alert.order_id === id && (alert.state === "FIRING" || done));
  const split: Record<string, number> = {};
  for (const fill of data.fills) split[fill.venue] = (split[fill.venue] ?? 0) + fill.quantity;

  return (
    <main class="order" id="main">
      <Head entry={entry} zone={place} digits={digits} currency={currency} />
      {trouble === null ? null : (
        <p class="panel error" role="alert">
          {trouble}
        </p>
      )}
      {done && order.state !== "REJECTED" ? <After entry={entry} zone={place} selections={data.selections} analytics={data.analytics} quality={data.quality} currency={currency} tick={tick} /> : null}
      <div class="order-body">
        <div class="order-main">
          <PriceChart
            order={order}
            bars={data.bars}
            barSeconds={data.barSeconds}
            fills={data.fills}
            levels={levels}
            zone={place}
            digits={digits}
            isDark={isDarkVenue}
          />
          <div class="pair">
            <ScheduleChart order={order} schedule={schedule} fills={data.fills} until={until} zone={place} />
            <ParticipationChart order={order} fills={data.fills} bars={data.bars} observations={observations} zone={place} />
          </div>
          <Children children={data.children} zone={place} digits={digits} />
          <Fills fills={data.fills} zone={place} digits={digits} currency={currency} />
        </div>
        <div class="order-side">
          {own.length === 0 ? null : (
            <section class="panel" aria-label="Alerts of this order">
              <ul>
                {own.map((alert) => (
                  <AlertCard key={alert.alert_id} alert={alert} />
                ))}
              </ul>
            </section>
          )}
          <Metrics update={monitoring} />
          <VenueSplit venues={split} isDark={isDarkVenue} />
          <Timeline messages={data.timeline} zone={place} digits={digits} />
        </div>
      </div>
    </main>
  );
}
