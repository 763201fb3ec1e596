/** Puts the desk's refusals beside the fields they name. */

import type { Refused } from "../api/client.ts";

/** Field path -> message. Under "" stands what names no field. Paths are cut of `body.` and the containers above the leaf. */
export function errorsByField(refused: Refused): Map<string, string> {
  const found = new Map<string, string>();
  for (const error of refused.errors) {
    const path = (error.field ?? "").replace(/^body\./, "");
    const leaf = path.split(".").pop() ?? "";
    const says = error.detail || (error.expected ? `expected ${error.expected}` : refused.message);
    if (!found.has(leaf)) found.set(leaf, says);
  }
  if (found.size === 0) found.set("", refused.message);
  return found;
}
