/** What stands around every page: where am I, what market is this, is the connection alive, what can I press. */

import { signal } from "@preact/signals";
import { Suspense, lazy } from "preact/compat";
import { useEffect, useLayoutEffect } from "preact/hooks";

import { Asking } from "./actions/dialogs.tsx";
import { Steps } from "./actions/steps.tsx";
import { Desk } from "./desk/page.tsx";
import { Kill } from "./desk/kill.tsx";
import { duration, timeOf, zoneName } from "./format.ts";
import { activeKeys, addKeys } from "./keyboard.ts";
import { alerts, killed } from "./live/book.ts";
import { ageMs, deskTime, heard, instruments, isStale, link, zone } from "./live/desk.ts";
import { Dialog } from "./parts/dialog.tsx";
import { Empty } from "./parts/empty.tsx";
import { go, route, visits } from "./route.ts";
import { Ticket } from "./ticket/ticket.tsx";

const Order = lazy(() => import("./order/page.tsx").then((page) => page.Order));

const isHelping = signal(false);
const isKilling = signal(false);

function Clock() {
  const first = instruments.value.keys().next().value;
  const place = first === undefined ? "UTC" : zone(first);
  const at = deskTime.value;
  return (
    <span class="clock figure" title={at === null ? undefined : `${new Date(at).toISOString()} (UTC)`}>
      {at === null ? "–" : timeOf(at, place)} <span class="unit">{zoneName(place)}</span>
    </span>
  );
}

function MarketChip() {
  const status = heard.value?.status;
  if (status === undefined) return null;
  const { kind, seed, label } = status.market;
  const says =
    kind === "generated"
      ? `No real market: prices are drawn from seed ${seed ?? "unknown"}. Nothing here says anything about real securities.`
      : "A recorded market, played again.";
  return (
    <span class="chip notice" title={`${says} ${label}`}>
      {kind === "generated" ? `Generated market${seed === null ? "" : `, seed ${seed}`}` : `Replay: ${label}`}
      {status.speed === 1 ? "" : ` · ×${status.speed}`}
    </span>
  );
}

function ConnectionChip() {
  if (!isStale.value) {
    return (
      <span class="chip good" title="The stream is connected">
        live
      </span>
    );
  }
  return (
    <span class="chip bad" role="alert">
      {link.value === "live" ? `no news for ${duration(ageMs.value)}` : `connection ${link.value}, figures are ${duration(ageMs.value)} old`}
    </span>
  );
}

function KilledChip() {
  if (killed.value.size === 0) return null;
  const says = [...killed.value].map(([scope, why]) => `${scope} (${why})`).join("; ");
  return (
    <span class="chip bad" role="alert" title={`Nothing is sent for: ${says}`}>
      Killed: {[...killed.value.keys()].join(", ")}
    </span>
  );
}

function Help() {
  return (
    <Dialog title="Keys" close={() => (isHelping.value = false)}>
      <dl class="keys">
        {activeKeys().map(({ key, says }) => (
          <div key={key}>
            <dt>
              <kbd>{key === "Escape" ? "Esc" : key.replace("Arrow", "")}</kbd>
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">
        Costs: positive is worse for us. Hover any underlined word for its definition. Price charts use TradingView Lightweight Charts™,
        Copyright © 2025 TradingView, Inc., under the Apache License 2.0.
      </p>
    </Dialog>
  );
}

const PAGES = { desk: "Desk", ticket: "New order", order: "Order", unknown: "" } as const;

export function Shell() {
  const { page, id } = route.value;
  const firing = [...alerts.value.values()].filter(({ state }) => state === "FIRING").length;

  useLayoutEffect(
    () =>
      addKeys([
        { key: "n", says: "New order", run: () => go("#/ticket") },
        { key: "d", says: "Desk", run: () => go("#/desk") },
        { key: "?", says: "These keys", run: () => (isHelping.value = true) },
      ]),
    [],
  );
  useEffect(() => {
    document.title = `${firing > 0 ? `▲${firing} ` : ""}${page === "order" ? id : PAGES[page]} · bestex`;
  }, [page, id, firing]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to content
      </a>
      <header class={`top${isStale.value && heard.value !== null ? " stale" : ""}`}>
        <a class="brand" href="#/desk">
          bestex
        </a>
        <nav aria-label="Pages">
          <a href="#/desk" aria-current={page === "desk" ? "page" : undefined}>
            Desk
          </a>
          <a href="#/ticket" aria-current={page === "ticket" ? "page" : undefined}>
            New order
          </a>
          {page === "order" ? (
            <a href={`#/order/${id}`} aria-current="page">
              {id}
            </a>
          ) : null}
        </nav>
        <span class="grow" />
        <KilledChip />
        <MarketChip />
        <ConnectionChip />
        <Clock />
        <button type="button" class="quiet" onClick={() => (isHelping.value = true)}>
          Keys <kbd>?</kbd>
        </button>
        <button type="button" class="danger" onClick={() => (isKilling.value = true)}>
          Kill…
        </button>
      </header>
      {page === "desk" ? (
        <Desk />
      ) : page === "ticket" ? (
        <Ticket key={visits.value} />
      ) : page === "order" && id !== null ? (
        <Suspense fallback={<Empty title="Opening the order…" />}>
          <Order key={id} id={id} />
        </Suspense>
      ) : (
        <main id="main">
          <Empty title="There is no such page">
            <a href="#/desk">Go to the desk</a>
          </Empty>
        </main>
      )}
      <Asking />
      <Steps />
      {isHelping.value ? <Help /> : null}
      {isKilling.value ? <Kill close={() => (isKilling.value = false)} /> : null}
    </>
  );
}
