/** What an action will do, in words, before it is done. */

import type { ChildOrder, OrderRow } from "../api/types.ts";
import { number } from "../format.ts";

const LIVE_STATES = new Set(["PENDING", "WORKING", "PARTIALLY_FILLED", "CANCEL_PENDING", "UNKNOWN"]);

export function liveChildren(children: readonly ChildOrder[]): ChildOrder[] {
  return children.filter((child) => LIVE_STATES.has(child.state));
}

export function liveQuantity(children: readonly ChildOrder[]): number {
  return liveChildren(children).reduce((sum, child) => sum + child.quantity - child.filled_quantity, 0);
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function cancelled(children: readonly ChildOrder[]): string {
  const live = liveChildren(children);
  if (live.length === 0) return "No child order is live now.";
  const unknown = live.filter((child) => child.state === "UNKNOWN").length;
  const count = plural(live.length, "live child order", "live child orders");
  const returned = `Cancels ${count}; ${number(liveQuantity(children))} shares return to the order once the venues acknowledge.`;
  return unknown === 0 ? returned : `${returned} ${plural(unknown, "of them has", "of them have")} no answer yet and stays reserved.`;
}

export function pauseSays(order: OrderRow, children: readonly ChildOrder[]): string[] {
  const open = order.quantity - order.filled_quantity;
  return [cancelled(children), `Nothing more is sent until you resume. ${number(open)} of ${number(order.quantity)} shares stay open.`];
}

export function resumeSays(order: OrderRow): string[] {
  const open = order.quantity - order.filled_quantity;
  return [
    `The algorithm works the open ${number(open)} shares again from now on.`,
    "It does not rush to catch up: the participation limit still holds.",
  ];
}

export function cancelSays(order: OrderRow, children: readonly ChildOrder[]): string[] {
  const open = order.quantity - order.filled_quantity;
  return [
    cancelled(children),
    `The order ends with ${number(order.filled_quantity)} of ${number(order.quantity)} shares filled; ${number(open)} are given back. Fills on their way may still arrive.`,
    "This cannot be undone.",
  ];
}

export function switchSays(order: OrderRow, children: readonly ChildOrder[]): string[] {
  const open = order.quantity - order.filled_quantity;
  return [
    `Selects again for the open ${number(open)} shares in the market as it is now, and works the result at once.`,
    cancelled(children),
  ];
}
