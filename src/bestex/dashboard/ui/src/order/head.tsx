/** The order in one line, and what can be done with it. */

import { type Ask, asking, forbids } from "../actions/dialogs.tsx";
import { algorithm, number, percent, signed, timeOf, words, zoneName } from "../format.ts";
import type { Entry } from "../live/book.ts";
import { isDone } from "../live/book.ts";
import { costClass, Defined, Live, SideWord, State } from "../parts/live.tsx";

const ACTIONS: readonly [Ask, string, string][] = [
  ["amend", "Amend", "a"],
  ["pause", "Pause", "p"],
  ["resume", "Resume", "r"],
  ["switch", "Switch", "s"],
  ["cancel", "Cancel", "c"],
];

export function Head({ entry, zone, digits, currency }: { entry: Entry; zone: string; digits: number; currency: string }) {
  const { order, monitoring, working } = entry;
  const slippage = monitoring?.metrics.arrival_slippage_bps ?? null;
  const expected = monitoring?.metrics.expected_cost_bps ?? null;
  const limit = order.price === null ? "no limit" : `limit ${number(order.price, digits)} ${currency}`;
  const unknown = working?.unknown_quantity ?? 0;
  return (
    <header class="panel order-head">
      <div class="order-line">
        <State state={order.state} />
        <h1>
          <SideWord side={order.side} /> {number(order.quantity)} {order.instrument_id}
        </h1>
        <span class="muted">
          {limit} · {order.strategy_name ?? algorithm(order.algorithm)} · {words(order.instructions.urgency)} urgency · arrived{" "}
          <span title={`${order.created_time} UTC`}>{timeOf(order.created_time, zone)}</span> {zoneName(zone)}
        </span>
        <span class="grow" />
        {isDone(entry) ? null : (
          <div class="order-actions" role="group" aria-label="Actions">
            {ACTIONS.map(([what, word, key]) => {
              const barred = forbids(what, order);
              if (what === "resume" && order.state !== "PAUSED") return null;
              if (what === "pause" && order.state === "PAUSED") return null;
              return (
                <button
                  key={what}
                  type="button"
                  class={what === "cancel" ? "danger" : ""}
                  disabled={barred !== null}
                  title={barred ?? undefined}
                  onClick={() => {
                    asking.value = { what, order: order.order_id };
                  }}
                >
                  {word} <kbd>{key}</kbd>
                </button>
              );
            })}
          </div>
        )}
      </div>
      <dl class="order-figures">
        <div>
          <dt>
            <Defined term="fill_rate">Filled</Defined>
          </dt>
          <dd class="figure">
            <Live text={number(order.filled_quantity)} /> <span class="unit">shares, {percent(order.filled_quantity / order.quantity, 1)} %</span>
          </dd>
        </div>
        <div>
          <dt>Average price</dt>
          <dd class="figure">
            <Live text={number(order.average_fill_price, digits + 2)} /> <span class="unit">{currency}</span>
          </dd>
        </div>
        <div>
          <dt>
            <Defined term="arrival_slippage_bps">Slippage</Defined>
          </dt>
          <dd class={`figure ${costClass(slippage, expected)}`}>
            <Live text={signed(slippage)} /> <span class="unit">bps, {signed(expected)} expected</span>
          </dd>
        </div>
        <div>
          <dt>
            <Defined term="live_quantity">Live</Defined>
          </dt>
          <dd class="figure">
            <Live text={isDone(entry) ? "0" : number(working?.live_quantity ?? monitoring?.live_quantity)} />{" "}
            <span class="unit">
              shares{working === null || isDone(entry) ? "" : `, ${working.live_children} child orders`}
            </span>
            {unknown > 0 ? (
              <span class="error">
                {" "}
                {number(unknown)} <Defined term="unknown_quantity">unknown</Defined>
              </span>
            ) : null}
          </dd>
        </div>
        <div class="because">
          <dt>Now</dt>
          <dd>{(isDone(entry) ? order.reason : working?.reason) ?? "–"}</dd>
        </div>
      </dl>
    </header>
  );
}
