/** Changes what remains of an order. Only the fields that were changed are sent, and the button says which. */

import { useState } from "preact/hooks";

import { api, Refused } from "../api/client.ts";
import type { Amendment, OrderRow, Urgency } from "../api/types.ts";
import { decimalsOf, number, percent, words } from "../format.ts";
import { deskTime, instruments } from "../live/desk.ts";
import { described, Field } from "../parts/field.tsx";
import { errorsByField } from "../parts/refusals.ts";
import { checkGrid, checkRate } from "../ticket/validation.ts";
import { perform } from "./log.ts";

export function AmendForm({ order, close }: { order: OrderRow; close: () => void }) {
  const instrument = instruments.value.get(order.instrument_id);
  const tick = instrument?.tick_size ?? 0.01;
  const lot = instrument?.lot_size ?? 1;
  const rate = order.instructions.max_participation_rate;
  const [quantity, setQuantity] = useState(String(order.quantity));
  const [price, setPrice] = useState(order.price === null ? "" : String(order.price));
  const [participation, setParticipation] = useState(rate === null ? "" : String(rate * 100));
  const [minutes, setMinutes] = useState("");
  const [urgency, setUrgency] = useState<Urgency>(order.instructions.urgency);
  const [reason, setReason] = useState("");
  const [refused, setRefused] = useState<Map<string, string>>(new Map());
  const [isBusy, setBusy] = useState(false);

  const problems = {
    quantity:
      checkGrid(quantity, lot, "lots") ??
      (Number(quantity) < order.filled_quantity ? `not below the ${number(order.filled_quantity)} already filled` : undefined),
    price: price === "" ? undefined : checkGrid(price, tick, "ticks"),
    rate: participation === "" ? undefined : checkRate(participation),
    minutes: minutes === "" || Number(minutes) > 0 ? undefined : "a positive number of minutes",
  };

  const change: Amendment = {};
  const says: string[] = [];
  if (Number(quantity) !== order.quantity) {
    change.quantity = Number(quantity);
    says.push(`quantity ${number(order.quantity)} → ${number(Number(quantity))}`);
  }
  if (price !== "" && Number(price) !== order.price) {
    const digits = decimalsOf(tick);
    change.price = Number(price);
    says.push(`limit ${order.price === null ? "none" : number(order.price, digits)} → ${number(Number(price), digits)}`);
  }
  if (participation !== "" && Math.abs(Number(participation) / 100 - (rate ?? 0)) > 1e-9) {
    change.max_participation_rate = Number((Number(participation) / 100).toFixed(6));
    says.push(`participation limit ${rate === null ? "none" : `${percent(rate)} %`} → ${participation} %`);
  }
  if (minutes !== "" && Number(minutes) > 0) {
    // Counted in the desk's own time: a replayed or hurried market is not at the browser's clock.
    const from = deskTime.peek() ?? Date.parse(order.updated_time);
    change.end_time = new Date(from + Number(minutes) * 60_000).toISOString();
    says.push(`end in ${minutes} min`);
  }
  if (urgency !== order.instructions.urgency) {
    change.urgency = urgency;
    says.push(`urgency ${words(order.instructions.urgency)} → ${words(urgency)}`);
  }
  if (reason !== "") change.reason = reason;

  const hasProblem = Object.values(problems).some((problem) => problem !== undefined);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await perform({
        order: order.order_id,
        says: `Amend ${order.order_id}: ${says.join(", ")}`,
        request: () => api.amend(order.order_id, change),
      });
      close();
    } catch (error) {
      setRefused(error instanceof Refused ? errorsByField(error) : new Map([["", String(error)]]));
      setBusy(false);
    }
  };

  const text = (id: string, value: string, set: (value: string) => void, error: string | undefined) => (
    <input
      {...described(id, error)}
      inputMode="decimal"
      class="figure"
      value={value}
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
  const fault = (name: keyof typeof problems, path: string): string | undefined => problems[name] ?? refused.get(path);

  return (
    <form onSubmit={submit} data-ask="amend" novalidate>
      <div class="two">
        <Field id="amend-quantity" label="Quantity" unit="shares" error={fault("quantity", "quantity")}>
          {text("amend-quantity", quantity, setQuantity, fault("quantity", "quantity"))}
        </Field>
        <Field id="amend-price" label="Limit price" unit={instrument?.currency} error={fault("price", "price")}>
          {text("amend-price", price, setPrice, fault("price", "price"))}
        </Field>
        <Field id="amend-rate" label="Participation limit" unit="%" error={fault("rate", "max_participation_rate")}>
          {text("amend-rate", participation, setParticipation, fault("rate", "max_participation_rate"))}
        </Field>
        <Field id="amend-end" label="New end" unit="min from now" error={fault("minutes", "end_time")}>
          {text("amend-end", minutes, setMinutes, fault("minutes", "end_time"))}
        </Field>
        <Field id="amend-urgency" label="Urgency">
          <select {...described("amend-urgency", undefined)} value={urgency} onChange={(event) => setUrgency(event.currentTarget.value as Urgency)}>
            {["LOW", "NORMAL", "HIGH", "URGENT"].map((name) => (
              <option value={name}>{words(name)}</option>
            ))}
          </select>
        </Field>
        <Field id="amend-reason" label="Reason">
          <input {...described("amend-reason", undefined)} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
      </div>
      <p class="says">{says.length === 0 ? "Nothing is changed yet." : `Changes ${says.join(", ")}; the rest is planned again.`}</p>
      {refused.has("") ? (
        <p class="error" role="alert">
          {refused.get("")}
        </p>
      ) : null}
      <footer class="dialog-foot">
        <button type="button" class="quiet" onClick={close}>
          Leave it
        </button>
        <button type="submit" class="primary" disabled={isBusy || hasProblem || says.length === 0}>
          {isBusy ? "Asked…" : "Amend"}
        </button>
      </footer>
    </form>
  );
}
