/** Is the desk itself well? Services, feed, connection. */

import { duration } from "../format.ts";
import { ageMs, heard, isStale, link, trouble } from "../live/desk.ts";

const WELL = new Set(["ok", "up", "running", "healthy", "ready"]);

export function Health() {
  const status = heard.value?.status;
  return (
    <section class="panel health" aria-label="Health">
      <header class="panel-head">
        <h2>Health</h2>
      </header>
      <ul class="services">
        <li class={isStale.value ? "ill" : ""}>
          <span class="dot" aria-hidden="true" />
          Connection
          <span class="figure muted">{link.value === "live" ? `heard ${duration(ageMs.value)} ago` : `${link.value} for ${duration(ageMs.value)}`}</span>
        </li>
        {status === undefined ? null : (
          <li class={status.feed.last_event_age_ms === null || status.feed.last_event_age_ms > 5000 ? "ill" : isStale.value ? "unsure" : ""}>
            <span class="dot" aria-hidden="true" />
            Market feed
            <span class="figure muted">
              {status.feed.last_event_age_ms === null ? "no event yet" : `last event ${duration(status.feed.last_event_age_ms)} ago`}
            </span>
          </li>
        )}
        {status?.services.map((service) => (
          <li key={service.name} class={WELL.has(service.status.toLowerCase()) ? (isStale.value ? "unsure" : "") : "ill"} title={service.detail ?? undefined}>
            <span class="dot" aria-hidden="true" />
            {service.name}
            <span class="figure muted">{isStale.value ? `was ${service.status}` : service.status}</span>
          </li>
        ))}
      </ul>
      {trouble.value === null ? null : <p class="error">{trouble.value}</p>}
    </section>
  );
}
