/** Pause, resume, cancel, switch: each says what it will do, then does it. Amend has its own form. */

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { api } from "../api/client.ts";
import type { ChildOrder, Objective, OrderRow, Urgency } from "../api/types.ts";
import { words } from "../format.ts";
import { type Entry, entryOf } from "../live/book.ts";
import { Dialog } from "../parts/dialog.tsx";
import { described, Field } from "../parts/field.tsx";
import { AmendForm } from "./amend.tsx";
import { cancelSays, pauseSays, resumeSays, switchSays } from "./consequences.ts";
import { perform } from "./log.ts";

export type Ask = "pause" | "resume" | "cancel" | "switch" | "amend";

export const asking = signal<{ what: Ask; order: string } | null>(null);

/** Why this cannot be asked of an order in its state; null = it can. */
export function forbids(what: Ask, order: OrderRow): string | null {
  const { state } = order;
  if (["FILLED", "CANCELLED", "REJECTED", "EXPIRED"].includes(state)) return `the order is ${words(state).toLowerCase()}`;
  if (state === "CANCELLING") return "the order is being cancelled";
  if (what === "pause" && state !== "WORKING") return `only a working order can pause; this one is ${state.toLowerCase()}`;
  if (what === "resume" && state !== "PAUSED") return `only a paused order can resume; this one is ${state.toLowerCase()}`;
  return null;
}

const TITLES: Record<Ask, string> = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  switch: "Switch execution strategy",
  amend: "Amend",
};

/** The open question, if there is one. Stands once in the shell. */
export function Asking() {
  const open = asking.value;
  const entry = open === null ? undefined : entryOf(open.order);
  if (open === null || entry === undefined) return null;
  const close = (): void => {
    asking.value = null;
  };
  const order = entry.value.order;
  const title = `${TITLES[open.what]} ${order.order_id}`;
  const barred = forbids(open.what, order);
  return (
    <Dialog title={title} close={close}>
      {barred !== null ? (
        <p class="says">Not possible now: {barred}.</p>
      ) : open.what === "amend" ? (
        <AmendForm order={order} close={close} />
      ) : (
        <Question what={open.what} order={order} close={close} />
      )}
    </Dialog>
  );
}

const DONE: Record<Exclude<Ask, "amend">, (entry: Entry) => boolean> = {
  pause: ({ order }) => order.state !== "WORKING",
  resume: ({ order }) => order.state !== "PAUSED",
  cancel: ({ order }) => ["CANCELLED", "FILLED", "EXPIRED", "REJECTED"].includes(order.state),
  switch: () => true,
};

interface QuestionProps {
  what: Exclude<Ask, "amend">;
  order: OrderRow;
  close: () => void;
}

function Question({ what, order, close }: QuestionProps) {
  const [children, setChildren] = useState<ChildOrder[] | null>(null);
  const [reason, setReason] = useState("");
  const [urgency, setUrgency] = useState<Urgency>(order.instructions.urgency);
  const [objective, setObjective] = useState<Objective | "">("");
  const [failed, setFailed] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    api.children(order.order_id).then(setChildren, () => setChildren([]));
  }, [order.order_id]);

  const known = children ?? [];
  const sentences = {
    pause: () => pauseSays(order, known),
    resume: () => resumeSays(order),
    cancel: () => cancelSays(order, known),
    switch: () => switchSays(order, known),
  }[what]();

  const send = (): Promise<unknown> => {
    if (what === "pause") return api.pause(order.order_id, reason);
    if (what === "resume") return api.resume(order.order_id, reason);
    if (what === "cancel") return api.cancelOrder(order.order_id, reason);
    return api.adapt(order.order_id, {
      reason: reason || "asked for at the desk",
      urgency,
      ...(objective === "" ? {} : { objective }),
    });
  };

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await perform({ order: order.order_id, says: `${TITLES[what]} ${order.order_id}`, request: send, isDone: DONE[what] });
      close();
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit} data-ask={what}>
      <ul class="says">
        {children === null && what !== "resume" ? <li>Counting its live child orders…</li> : sentences.map((line) => <li key={line}>{line}</li>)}
      </ul>
      {what === "switch" ? (
        <div class="two">
          <Field id="switch-urgency" label="Urgency">
            <select {...described("switch-urgency", undefined)} value={urgency} onChange={(event) => setUrgency(event.currentTarget.value as Urgency)}>
              {["LOW", "NORMAL", "HIGH", "URGENT"].map((name) => (
                <option value={name}>{words(name)}</option>
              ))}
            </select>
          </Field>
          <Field id="switch-objective" label="Objective">
            <select
              {...described("switch-objective", undefined)}
              value={objective}
              onChange={(event) => setObjective(event.currentTarget.value as Objective | "")}
            >
              <option value="">As before</option>
              {["MINIMIZE_COST", "MINIMIZE_RISK", "MINIMIZE_TIME", "MAXIMIZE_ALPHA_CAPTURE", "BALANCED_EXECUTION"].map((name) => (
                <option value={name}>{words(name)}</option>
              ))}
            </select>
          </Field>
        </div>
      ) : null}
      <Field id="reason" label="Reason" hint="Kept in the timeline with who and when.">
        <input {...described("reason", undefined)} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {failed !== null ? (
        <p class="error" role="alert">
          {failed}
        </p>
      ) : null}
      <footer class="dialog-foot">
        <button type="button" class="quiet" onClick={close}>
          Leave it
        </button>
        <button type="submit" class={what === "cancel" ? "danger" : "primary"} disabled={isBusy} autofocus>
          {isBusy ? "Asked…" : TITLES[what]}
        </button>
      </footer>
    </form>
  );
}
