/** The address after `#`: every view can be shared and the browser's back button works. */

import { batch, signal } from "@preact/signals";

export interface Route {
  page: "desk" | "ticket" | "order" | "unknown";
  id: string | null;
  parameters: URLSearchParams;
}

/** `#/order/A-1?tab=x` -> {page: "order", id: "A-1", ...}; an empty address is the desk. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", id = ""] = path.split("/", 2);
  const parameters = new URLSearchParams(search);
  if (page === "" || page === "desk") return { page: "desk", id: null, parameters };
  if (page === "ticket") return { page: "ticket", id: null, parameters };
  if (page === "order" && id !== "") return { page: "order", id: decodeURIComponent(id), parameters };
  return { page: "unknown", id: null, parameters };
}

export const route = signal<Route>(parseRoute(location.hash));

/** Counts arrivals: a page that was left and entered again, under whatever address, starts afresh. */
export const visits = signal(0);

addEventListener("hashchange", () => {
  batch(() => {
    route.value = parseRoute(location.hash);
    visits.value += 1;
  });
});

export function orderAddress(order: string): string {
  return `#/order/${encodeURIComponent(order)}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** Changes the address's parameters in place, without a new history entry. */
export function rewriteAddress(address: string): void {
  history.replaceState(null, "", address);
}
