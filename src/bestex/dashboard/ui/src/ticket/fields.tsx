/** The fields of the ticket. Errors stand beside their field: the browser's while typing, the desk's after sending. */

import type { Urgency } from "../api/types.ts";
import { compact, decimalsOf, number, percent, signed, words } from "../format.ts";
import { instruments, quotes, venues } from "../live/desk.ts";
import { described, Field } from "../parts/field.tsx";
import { type Draft, OBJECTIVES, URGENCIES } from "./draft.ts";

interface Props {
  draft: Draft;
  errors: Map<string, string>;
  set: (part: Partial<Draft>) => void;
}

export function Fields({ draft, errors, set }: Props) {
  const instrument = instruments.value.get(draft.instrument);
  const quote = quotes.value.get(draft.instrument);
  const digits = decimalsOf(instrument?.tick_size ?? 0.01);
  const quantity = Number(draft.quantity);
  const share = instrument?.average_daily_volume && quantity > 0 ? quantity / instrument.average_daily_volume : null;
  const mid = quote?.mid ?? null;
  const value = mid !== null && quantity > 0 ? quantity * mid * (instrument?.multiplier ?? 1) : null;
  const error = (field: string): string | undefined => errors.get(field);

  const sizeHint =
    value === null
      ? undefined
      : `${compact(value)} ${instrument?.currency ?? ""}${share === null ? "" : `, ${percent(share, 2)} % of ADV`}`;
  const limit = Number(draft.price);
  const away = mid !== null && draft.price !== "" && limit > 0 ? ((limit - mid) / mid) * 10_000 : null;

  return (
    <>
      <Field
        id="instrument"
        label="Instrument"
        error={error("instrument")}
        hint={
          quote === undefined
            ? undefined
            : `${number(quote.bid, digits)} / ${number(quote.ask, digits)}, spread ${number(quote.spread_bps, 1)} bps`
        }
      >
        <select {...described("instrument", error("instrument"))} value={draft.instrument} onChange={(event) => set({ instrument: event.currentTarget.value })}>
          <option value="">Choose…</option>
          {[...instruments.value.values()].map((known) => (
            <option key={known.instrument_id} value={known.instrument_id}>
              {known.instrument_id} · {known.name}
            </option>
          ))}
        </select>
      </Field>

      <fieldset class="field sides">
        <legend>Side</legend>
        <div class="segments">
          {(["BUY", "SELL"] as const).map((side) => (
            <label key={side} class={`segment ${side.toLowerCase()}${draft.side === side ? " chosen" : ""}`}>
              <input type="radio" name="side" value={side} checked={draft.side === side} onChange={() => set({ side })} />
              {words(side)}
            </label>
          ))}
        </div>
        <p class="hint" />
      </fieldset>

      <Field id="quantity" label="Quantity" unit="shares" error={error("quantity")} hint={sizeHint}>
        <input
          {...described("quantity", error("quantity"))}
          class="figure"
          inputMode="decimal"
          autocomplete="off"
          value={draft.quantity}
          onInput={(event) => set({ quantity: event.currentTarget.value.replaceAll(",", "") })}
        />
      </Field>

      <Field id="type" label="Order type">
        <select {...described("type", undefined)} value={draft.type} onChange={(event) => set({ type: event.currentTarget.value as Draft["type"] })}>
          <option value="MARKET">Market</option>
          <option value="LIMIT">Limit</option>
        </select>
      </Field>

      <Field
        id="price"
        label="Limit price"
        unit={instrument?.currency}
        error={error("price")}
        hint={
          draft.type === "MARKET"
            ? "none: a market order"
            : away === null
              ? `in ticks of ${instrument?.tick_size ?? "…"}`
              : `${signed(away)} bps from the mid`
        }
      >
        <input
          {...described("price", error("price"))}
          class="figure"
          inputMode="decimal"
          autocomplete="off"
          disabled={draft.type === "MARKET"}
          value={draft.type === "MARKET" ? "" : draft.price}
          onInput={(event) => set({ price: event.currentTarget.value.replaceAll(",", "") })}
        />
      </Field>

      <Field id="objective" label="Objective">
        <select {...described("objective", undefined)} value={draft.objective} onChange={(event) => set({ objective: event.currentTarget.value as Draft["objective"] })}>
          {OBJECTIVES.map((name) => (
            <option key={name} value={name}>
              {words(name)}
            </option>
          ))}
        </select>
      </Field>

      <Field id="urgency" label="Urgency">
        <select {...described("urgency", undefined)} value={draft.urgency} onChange={(event) => set({ urgency: event.currentTarget.value as Urgency })}>
          {URGENCIES.map((name) => (
            <option key={name} value={name}>
              {words(name)}
            </option>
          ))}
        </select>
      </Field>

      <Field id="rate" label="Participation limit" unit="%" error={error("rate")} hint="of volume; empty: desk's">
        <input
          {...described("rate", error("rate"))}
          class="figure"
          inputMode="decimal"
          autocomplete="off"
          value={draft.rate}
          onInput={(event) => set({ rate: event.currentTarget.value })}
        />
      </Field>

      <Field id="minutes" label="Time limit" unit="min" error={error("minutes")} hint="empty: as recommended">
        <input
          {...described("minutes", error("minutes"))}
          class="figure"
          inputMode="numeric"
          autocomplete="off"
          value={draft.minutes}
          onInput={(event) => set({ minutes: event.currentTarget.value })}
        />
      </Field>

      <Field id="dark" label="Dark pools">
        <select {...described("dark", undefined)} value={draft.dark} onChange={(event) => set({ dark: event.currentTarget.value as Draft["dark"] })}>
          <option value="">As recommended</option>
          <option value="yes">Preferred</option>
          <option value="no">Not used</option>
        </select>
      </Field>

      {(instrument?.venues.length ?? 0) > 0 ? (
        <fieldset class={`field avoid${error("avoid") ? " bad" : ""}`}>
          <legend>Venues not to use</legend>
          <div class="checks">
            {instrument?.venues.map((venue) => (
              <label key={venue} title={venues.value.get(venue)?.name}>
                <input
                  type="checkbox"
                  checked={draft.avoid.includes(venue)}
                  onChange={(event) =>
                    set({ avoid: event.currentTarget.checked ? [...draft.avoid, venue] : draft.avoid.filter((other) => other !== venue) })
                  }
                />
                {venue}
              </label>
            ))}
          </div>
          {error("avoid") ? (
            <p class="error" role="alert">
              {error("avoid")}
            </p>
          ) : null}
        </fieldset>
      ) : null}
    </>
  );
}
