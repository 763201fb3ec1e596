/** Alerts that fire now, the worst first; what to do stands in the alert. */

import { useState } from "preact/hooks";

import { perform } from "../actions/log.ts";
import { api } from "../api/client.ts";
import type { Alert, Severity } from "../api/types.ts";
import { number, timeOf, words } from "../format.ts";
import { alerts, entryOf, putAlerts } from "../live/book.ts";
import { zone } from "../live/desk.ts";
import { SeverityWord } from "../parts/live.tsx";
import { orderAddress } from "../route.ts";

const RANK: Record<Severity, number> = { CRITICAL: 0, HIGH: 1, MEDIUM: 2, LOW: 3 };

async function acknowledge(alert: Alert): Promise<void> {
  await perform({ order: alert.order_id, says: `Acknowledge ${words(alert.alert_type)}`, request: () => api.acknowledge(alert.alert_id) });
  putAlerts([{ ...alert, state: "ACKNOWLEDGED" }]);
}

export function AlertCard({ alert }: { alert: Alert }) {
  const [isBusy, setBusy] = useState(false);
  const entry = entryOf(alert.order_id)?.value;
  const place = entry === undefined ? "UTC" : zone(entry.order.instrument_id);
  return (
    <li class={`alert alert-${alert.severity.toLowerCase()}`}>
      <header>
        <SeverityWord severity={alert.severity} />
        <strong>{words(alert.alert_type)}</strong>
        <time class="muted figure" dateTime={alert.raised_time} title={`${alert.raised_time} UTC`}>
          {timeOf(alert.raised_time, place)}
        </time>
      </header>
      <p>{alert.recommendation}</p>
      <footer>
        <a href={orderAddress(alert.order_id)}>{entry === undefined ? alert.order_id : `${words(entry.order.side)} ${number(entry.order.quantity)} ${entry.order.instrument_id}`}</a>
        {alert.state === "FIRING" ? (
          <button
            type="button"
            class="quiet"
            disabled={isBusy}
            onClick={() => {
              setBusy(true);
              acknowledge(alert).catch(() => setBusy(false));
            }}
          >
            Acknowledge
          </button>
        ) : (
          <span class="muted">{alert.state === "RESOLVED" ? "resolved" : `acknowledged${alert.acknowledged_by ? ` by ${alert.acknowledged_by}` : ""}`}</span>
        )}
      </footer>
    </li>
  );
}

export function AlertRail() {
  const [isAll, setAll] = useState(false);
  const known = [...alerts.value.values()];
  const firing = known.filter((alert) => alert.state === "FIRING");
  const shown = (isAll ? known : firing)
    .sort((a, b) => (isAll ? 0 : RANK[a.severity] - RANK[b.severity]) || (a.raised_time < b.raised_time ? 1 : -1))
    .slice(0, 100);
  return (
    <section class="panel rail" aria-label="Alerts">
      <header class="panel-head">
        <h2>
          Alerts <span class={firing.length > 0 ? "worse" : "muted"}>{firing.length}</span>
        </h2>
        <span class="grow" />
        {known.length > firing.length ? (
          <button type="button" class="quiet" aria-pressed={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? "Only open" : "All"}
          </button>
        ) : null}
      </header>
      {shown.length === 0 ? (
        <p class="calm">Nothing needs you. Orders behind schedule or dearer than expected appear here.</p>
      ) : (
        <ul class="alerts">
          {shown.map((alert) => (
            <AlertCard key={alert.alert_id} alert={alert} />
          ))}
        </ul>
      )}
    </section>
  );
}
