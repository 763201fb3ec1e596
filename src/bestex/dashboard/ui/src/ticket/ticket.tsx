/** Write an order, see how the desk would work it and what that should cost, then accept, change or send it on. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { perform } from "../actions/log.ts";
import { api, Refused } from "../api/client.ts";
import type { OrderRequest, Recommendation } from "../api/types.ts";
import { algorithm, number, percent, words } from "../format.ts";
import { addKeys } from "../keyboard.ts";
import { listOrders, putOrder } from "../live/book.ts";
import { instruments } from "../live/desk.ts";
import { Empty } from "../parts/empty.tsx";
import { Defined } from "../parts/live.tsx";
import { errorsByField } from "../parts/refusals.ts";
import { go, orderAddress, rewriteAddress, route } from "../route.ts";
import { Candidates, candidatesOf } from "./candidates.tsx";
import { type Draft, fromAddress, newOrderId, orderRequest, recommendRequest, toAddress, workedAs } from "./draft.ts";
import { Fields } from "./fields.tsx";
import { Frontier } from "./frontier.tsx";
import { check } from "./validation.ts";

/** The API's field names -> the ticket's. */
const FIELD_OF: Record<string, keyof Draft> = {
  instrument_id: "instrument",
  price_limit: "price",
  max_participation_rate: "rate",
  time_limit_minutes: "minutes",
  end_time: "minutes",
  venue_restrictions: "avoid",
  dark_pool_preference: "dark",
  order_type: "type",
};

function byTicketField(refused: Refused): Map<string, string> {
  const known = new Set(["instrument", "side", "quantity", "type", "price", "objective", "urgency", "rate", "minutes", "dark", "avoid"]);
  const out = new Map<string, string>();
  for (const [field, says] of errorsByField(refused)) {
    const name = FIELD_OF[field] ?? field;
    if (known.has(name)) out.set(name, says);
    else out.set("", [out.get(""), field === "" ? says : `${field}: ${says}`].filter(Boolean).join(" · "));
  }
  return out;
}

export function Ticket() {
  const [draft, setDraft] = useState<Draft>(() => fromAddress(route.peek().parameters, new Date()));
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [refused, setRefused] = useState<Map<string, string>>(new Map());
  const [answer, setAnswer] = useState<{ given: Recommendation; of: Draft } | null>(null);
  const [chosen, setChosen] = useState(0);
  const [busy, setBusy] = useState<"recommend" | "accept" | null>(null);
  const [isCopied, setCopied] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const instrument = instruments.value.get(draft.instrument);
  const problems = useMemo(() => check(draft, instrument), [draft, instrument]);
  const errors = new Map<string, string>();
  for (const [field, says] of Object.entries(problems)) if (touched.has(field)) errors.set(field, says);
  for (const [field, says] of refused) if (!errors.has(field)) errors.set(field, says);
  const isOld = answer !== null && answer.of !== draft;

  const set = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    setTouched(new Set([...touched, ...Object.keys(part)]));
    setRefused(new Map([...refused].filter(([field]) => !(field in part) && field !== "")));
    rewriteAddress(toAddress(next));
  };

  useEffect(() => {
    document.getElementById(draft.instrument === "" ? "instrument" : "quantity")?.focus();
  }, []);

  const fail = (error: unknown): void => {
    setRefused(error instanceof Refused ? byTicketField(error) : new Map([["", error instanceof Error ? error.message : String(error)]]));
  };

  const recommend = async (event?: Event): Promise<void> => {
    event?.preventDefault();
    setTouched(new Set(Object.keys(draft)));
    if (Object.keys(problems).length > 0) {
      form.current?.querySelector<HTMLElement>(`[name="${Object.keys(problems)[0]}"]`)?.focus();
      return;
    }
    setBusy("recommend");
    setRefused(new Map());
    try {
      const given = await api.recommend(recommendRequest(draft));
      setAnswer({ given, of: draft });
      setChosen(0);
    } catch (error) {
      fail(error);
    } finally {
      setBusy(null);
    }
  };

  const accept = async (): Promise<void> => {
    if (answer === null || isOld) return;
    const candidate = candidatesOf(answer.given)[chosen];
    if (candidate === undefined) return;
    const request: OrderRequest =
      chosen === 0
        ? { ...orderRequest(draft), selection_id: answer.given.selection_id }
        : workedAs(orderRequest(draft), candidate.strategy);
    setBusy("accept");
    try {
      await perform({
        order: null,
        says: `${words(draft.side)} ${number(Number(draft.quantity))} ${draft.instrument}: ${candidate.strategy.strategy_name}`,
        request: async () => {
          putOrder(await api.createOrder(request));
          listOrders();
        },
      });
      go(orderAddress(draft.order));
    } catch (error) {
      fail(error);
      // A refused id may have been taken; the next attempt is an order of its own.
      if (error instanceof Refused && error.status === 409) setDraft({ ...draft, order: newOrderId(new Date()) });
    } finally {
      setBusy(null);
    }
  };

  const share = async (): Promise<void> => {
    await navigator.clipboard.writeText(new URL(toAddress(draft), location.href).href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };

  useLayoutEffect(() => addKeys([{ key: "Escape", says: "Leave the ticket", run: () => go("#/desk") }]), []);

  const candidate = answer === null ? undefined : candidatesOf(answer.given)[chosen];

  return (
    <main class="ticket" id="main">
      <form ref={form} class="panel ticket-form" onSubmit={recommend} novalidate aria-label="New order">
        <header class="panel-head">
          <h1>New order</h1>
          <button type="button" class="quiet" onClick={share}>
            {isCopied ? "Copied" : "Copy link"}
          </button>
        </header>
        <div class="ticket-fields">
          <Fields draft={draft} errors={errors} set={set} />
        </div>
        {errors.has("") ? (
          <p class="error" role="alert">
            {errors.get("")}
          </p>
        ) : null}
        <footer class="ticket-foot">
          <button type="submit" class={answer === null || isOld ? "primary" : ""} disabled={busy !== null}>
            {busy === "recommend" ? "Asking…" : answer === null ? "Recommend" : "Recommend again"}
          </button>
          <span class="muted">Nothing is sent until you accept.</span>
        </footer>
      </form>

      <section class="panel ticket-answer" aria-label="Recommendation" aria-live="polite">
        {answer === null ? (
          <Empty title="How should this order be worked?">
            Fill in the order and press <kbd>Enter</kbd>: the desk compares its execution strategies for this size, this market and your
            limits, and shows what each should cost.
          </Empty>
        ) : (
          <div class={isOld ? "old" : ""}>
            <header class="panel-head">
              <h2>
                {answer.given.recommended_strategy.strategy_name}{" "}
                <span class="muted">
                  <Defined term="confidence">confidence</Defined> {percent(answer.given.confidence, 0)} %
                </span>
              </h2>
              {isOld ? <span class="chip warn">The order was changed: recommend again</span> : null}
            </header>
            <p class="rationale">{answer.given.strategy_rationale}</p>
            <Candidates answer={answer.given} chosen={chosen} choose={setChosen} />
            <div class="two below">
              <figure>
                <figcaption>Cost against risk</figcaption>
                <Frontier points={answer.given.frontier} />
              </figure>
              <div class="reasons">
                <h3>What binds</h3>
                {answer.given.binding_constraints.length === 0 ? (
                  <p class="muted">None of your limits changes the answer.</p>
                ) : (
                  <ul>
                    {answer.given.binding_constraints.map((constraint) => (
                      <li key={constraint}>{constraint}</li>
                    ))}
                  </ul>
                )}
                <h3>The market, as seen</h3>
                <p>
                  {words(answer.given.market_context.current_conditions)}, volatility{" "}
                  {answer.given.market_context.volatility_regime.toLowerCase()}, liquidity{" "}
                  {number(answer.given.market_context.liquidity_score, 2)} of 1, {answer.given.market_context.time_of_day.toLowerCase()}{" "}
                  <span class="muted">({answer.given.market_context.source})</span>
                </p>
                {Object.keys(answer.given.infeasible).length === 0 ? null : (
                  <details>
                    <summary>{Object.keys(answer.given.infeasible).length} left out</summary>
                    <ul>
                      {Object.entries(answer.given.infeasible).map(([name, why]) => (
                        <li key={name}>
                          <strong>{name}</strong>: {why}
                        </li>
                      ))}
                    </ul>
                  </details>
                )}
              </div>
            </div>
            <footer class="ticket-foot accept">
              <button type="button" class={`primary ${draft.side.toLowerCase()}`} disabled={isOld || busy !== null} onClick={accept} data-accept>
                {busy === "accept" ? "Sending…" : `Accept: ${words(draft.side)} ${number(Number(answer.of.quantity))} ${answer.of.instrument}`}
              </button>
              <span class="muted">
                Works it with {algorithm(candidate?.strategy.algorithm)} at once, as {draft.order}.
              </span>
            </footer>
          </div>
        )}
      </section>
    </main>
  );
}
