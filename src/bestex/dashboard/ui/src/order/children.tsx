/** The child orders: live ones first, then the latest. */

import { useMemo } from "preact/hooks";

import { liveChildren } from "../actions/consequences.ts";
import type { ChildOrder } from "../api/types.ts";
import { number, timeOf, words, zoneName } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Table } from "../parts/table.tsx";

const SHOWN = 60;

function kind(child: ChildOrder): string {
  const type = child.order_type === "MIDPOINT_PEG" ? "Mid peg" : words(child.order_type);
  return `${type}${child.post_only ? ", post" : child.time_in_force === "IOC" ? ", IOC" : ""}`;
}

function columnsOf(zone: string, digits: number): readonly Column<ChildOrder>[] {
  return [
    {
      key: "state",
      head: "State",
      value: ({ state }) => words(state),
      text: ({ state }) => words(state),
      class: ({ state }) => (state === "UNKNOWN" || state === "REJECTED" ? "error" : ""),
    },
    { key: "venue", head: "Venue", value: ({ venue }) => venue, text: ({ venue }) => venue },
    { key: "type", head: "Type", value: kind, text: kind },
    {
      key: "price",
      head: "Price",
      isFigure: true,
      value: ({ price }) => price,
      text: ({ price }) => number(price, digits),
      title: ({ price }) => (price === null ? "No price of its own: it follows the market" : undefined),
    },
    { key: "quantity", head: "Quantity", isFigure: true, value: ({ quantity }) => quantity, text: ({ quantity }) => number(quantity) },
    { key: "filled", head: "Filled", isFigure: true, value: ({ filled_quantity }) => filled_quantity, text: ({ filled_quantity }) => number(filled_quantity) },
    {
      key: "sent",
      head: "Sent",
      unit: zoneName(zone),
      isFigure: true,
      value: ({ submitted_time }) => submitted_time,
      text: ({ submitted_time }) => timeOf(submitted_time, zone),
      title: ({ submitted_time }) => `${submitted_time} UTC`,
    },
    { key: "why", head: "Why", value: ({ reason }) => reason, text: ({ reason }) => reason, class: () => "muted why" },
    { key: "id", head: "Child order", value: ({ child_order_id }) => child_order_id, text: ({ child_order_id }) => child_order_id, class: () => "muted nowrap" },
  ];
}

export function Children({ children, zone, digits }: { children: readonly ChildOrder[]; zone: string; digits: number }) {
  const columns = useMemo(() => columnsOf(zone, digits), [zone, digits]);
  const live = useMemo(() => new Set(liveChildren(children).map(({ child_order_id }) => child_order_id)), [children]);
  const ordered = useMemo(
    () =>
      [...children].sort(
        (a, b) => Number(live.has(b.child_order_id)) - Number(live.has(a.child_order_id)) || (a.submitted_time < b.submitted_time ? 1 : -1),
      ),
    [children, live],
  );
  return (
    <section class="panel scrolled" aria-label="Child orders">
      <Table
        name="Child orders"
        title={
          <>
            Child orders{" "}
            <span class="muted">
              {live.size} live of {children.length}
            </span>
          </>
        }
        columns={columns}
        rows={ordered}
        id={({ child_order_id }) => child_order_id}
        rowClass={({ child_order_id }) => (live.has(child_order_id) ? "" : "past")}
        most={SHOWN}
        empty="None yet: the algorithm sends the first one when its schedule or the market asks for it."
      />
    </section>
  );
}
