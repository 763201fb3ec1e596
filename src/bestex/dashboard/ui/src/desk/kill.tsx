/** The kill switch: cancels every live child order of a scope and blocks new ones. The scope has to be typed. */

import { useState } from "preact/hooks";

import { perform } from "../actions/log.ts";
import { api } from "../api/client.ts";
import { algorithm, number } from "../format.ts";
import { entryOf, isDone, orderIds } from "../live/book.ts";
import { instruments } from "../live/desk.ts";
import { Dialog } from "../parts/dialog.tsx";
import { described, Field } from "../parts/field.tsx";

const SCOPES = ["all", "instrument", "algorithm", "account"] as const;
type ScopeName = (typeof SCOPES)[number];

function touched(scope: ScopeName, value: string): { orders: number; live: number } {
  const entries = orderIds.value.map((id) => entryOf(id)?.value).filter((entry) => entry !== undefined && !isDone(entry));
  const hit = entries.filter((entry) => {
    if (scope === "all") return true;
    if (scope === "instrument") return entry?.order.instrument_id === value;
    if (scope === "algorithm") return entry?.order.algorithm === value;
    return entry?.order.account_id === value;
  });
  const live = hit.reduce((sum, entry) => sum + (entry?.working?.live_quantity ?? entry?.monitoring?.live_quantity ?? 0), 0);
  return { orders: hit.length, live };
}

export function Kill({ close }: { close: () => void }) {
  const [isRearm, setRearm] = useState(false);
  const [scope, setScope] = useState<ScopeName>("all");
  const [value, setValue] = useState("");
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [failed, setFailed] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const wanted = scope === "all" ? "all" : `${scope} ${value}`;
  const known =
    scope === "instrument" ? [...instruments.value.keys()] : scope === "algorithm" ? ["TWAP", "VWAP", "PARTICIPATION_RATE", "IMPLEMENTATION_SHORTFALL"] : [];
  const { orders, live } = touched(scope, value);
  const isReady = typed.trim() === wanted && reason.trim() !== "" && (scope === "all" || value !== "");

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    const order = { scope, scope_value: scope === "all" ? null : value, reason };
    try {
      await perform({
        order: null,
        says: `${isRearm ? "Re-arm" : "Kill"} ${wanted}`,
        request: () => (isRearm ? api.rearm(order) : api.kill(order)),
      });
      close();
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title={isRearm ? "Re-arm the desk" : "Kill switch"} close={close}>
      <form onSubmit={submit} data-ask="kill">
        <div class="segments" role="group" aria-label="Kill or re-arm">
          <button type="button" aria-pressed={!isRearm} class={`segment${isRearm ? "" : " chosen"}`} onClick={() => setRearm(false)}>
            Kill
          </button>
          <button type="button" aria-pressed={isRearm} class={`segment${isRearm ? " chosen" : ""}`} onClick={() => setRearm(true)}>
            Re-arm
          </button>
        </div>
        <div class="two">
          <Field id="kill-scope" label="Scope">
            <select
              {...described("kill-scope", undefined)}
              value={scope}
              onChange={(event) => {
                setScope(event.currentTarget.value as ScopeName);
                setValue("");
              }}
            >
              {SCOPES.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
          {scope === "all" ? null : (
            <Field id="kill-value" label={`Which ${scope}`}>
              {known.length > 0 ? (
                <select {...described("kill-value", undefined)} value={value} onChange={(event) => setValue(event.currentTarget.value)}>
                  <option value="">Choose…</option>
                  {known.map((name) => (
                    <option key={name} value={name}>
                      {scope === "algorithm" ? `${algorithm(name)} (${name})` : name}
                    </option>
                  ))}
                </select>
              ) : (
                <input {...described("kill-value", undefined)} value={value} onInput={(event) => setValue(event.currentTarget.value)} />
              )}
            </Field>
          )}
        </div>
        <p class="says">
          {isRearm
            ? `Allows new child orders for ${wanted} again. Orders that were killed are not started again by this.`
            : `Cancels every live child order of ${number(orders)} open ${orders === 1 ? "order" : "orders"} (${number(live)} shares live) and blocks new child orders for ${wanted} until re-armed.`}
        </p>
        <Field id="kill-reason" label="Reason" hint="Kept with who and when.">
          <input {...described("kill-reason", undefined)} required value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </Field>
        <Field id="kill-typed" label={`Type “${wanted}” to confirm`}>
          <input {...described("kill-typed", undefined)} autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </Field>
        {failed === null ? null : (
          <p class="error" role="alert">
            {failed}
          </p>
        )}
        <footer class="dialog-foot">
          <button type="button" class="quiet" onClick={close}>
            Leave it
          </button>
          <button type="submit" class={isRearm ? "primary" : "danger"} disabled={!isReady || isBusy}>
            {isBusy ? "Asked…" : isRearm ? "Re-arm" : "Kill"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
