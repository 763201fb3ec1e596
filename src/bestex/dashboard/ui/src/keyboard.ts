/** The keys of the desk. A page adds its own while it is shown; typing in a field is never taken away. */

export interface Key {
  key: string;
  says: string;
  run: () => void;
}

const layers: Key[][] = [];

/** Adds keys until the answer is called. The latest layer wins. */
export function addKeys(keys: Key[]): () => void {
  layers.push(keys);
  return () => {
    const at = layers.indexOf(keys);
    if (at >= 0) layers.splice(at, 1);
  };
}

/** What is active now, without those that a later layer covers. */
export function activeKeys(): Key[] {
  const seen = new Map<string, Key>();
  for (const layer of [...layers].reverse()) {
    for (const key of layer) if (!seen.has(key.key)) seen.set(key.key, key);
  }
  return [...seen.values()];
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName);
}

const TAKEN_BY_CONTROLS = new Set(["Enter", " ", "ArrowUp", "ArrowDown"]);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]") !== null) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  if (TAKEN_BY_CONTROLS.has(event.key) && (event.target as HTMLElement).closest("a, button, summary") !== null) return;
  const found = activeKeys().find((key) => key.key === event.key);
  if (found === undefined) return;
  event.preventDefault();
  found.run();
});
