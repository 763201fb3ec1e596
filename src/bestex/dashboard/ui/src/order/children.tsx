/** The child orders: live ones first, then the latest. */

import { useState } from "preact/hooks";

import { liveChildren } from "../actions/consequences.ts";
import type { ChildOrder } from "../api/types.ts";
import { number, timeOf, words } from "../format.ts";

const SHOWN = 60;

export function Children({ children, zone, digits }: { children: readonly ChildOrder[]; zone: string; digits: number }) {
  const [isAll, setAll] = useState(false);
  const live = new Set(liveChildren(children).map(({ child_order_id }) => child_order_id));
  const ordered = [...children].sort(
    (a, b) => Number(live.has(b.child_order_id)) - Number(live.has(a.child_order_id)) || (a.submitted_time < b.submitted_time ? 1 : -1),
  );
  const shown = isAll ? ordered : ordered.slice(0, SHOWN);
  return (
    <section class="panel scrolled" aria-label="Child orders">
      <header class="panel-head">
        <h2>
          Child orders{" "}
          <span class="muted">
            {live.size} live of {children.length}
          </span>
        </h2>
        <span class="grow" />
        {children.length > SHOWN ? (
          <button type="button" class="quiet" onClick={() => setAll(!isAll)}>
            {isAll ? `Latest ${SHOWN}` : `All ${children.length}`}
          </button>
        ) : null}
      </header>
      {children.length === 0 ? (
        <p class="calm">None yet: the algorithm sends the first one when its schedule or the market asks for it.</p>
      ) : (
        <div class="scroll" tabIndex={0}>
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Venue</th>
                <th scope="col">Type</th>
                <th scope="col" class="figure">
                  Price
                </th>
                <th scope="col" class="figure">
                  Quantity
                </th>
                <th scope="col" class="figure">
                  Filled
                </th>
                <th scope="col" class="figure">
                  Sent
                </th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((child) => (
                <tr key={child.child_order_id} class={live.has(child.child_order_id) ? "" : "past"} title={child.child_order_id}>
                  <td class={child.state === "UNKNOWN" || child.state === "REJECTED" ? "error" : ""}>{words(child.state)}</td>
                  <td>{child.venue}</td>
                  <td>
                    {child.order_type === "MIDPOINT_PEG" ? "Mid peg" : words(child.order_type)}
                    {child.post_only ? ", post" : child.time_in_force === "IOC" ? ", IOC" : ""}
                  </td>
                  <td class="figure">{number(child.price, digits)}</td>
                  <td class="figure">{number(child.quantity)}</td>
                  <td class="figure">{number(child.filled_quantity)}</td>
                  <td class="figure" title={`${child.submitted_time} UTC`}>
                    {timeOf(child.submitted_time, zone)}
                  </td>
                  <td class="muted why">{child.reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
