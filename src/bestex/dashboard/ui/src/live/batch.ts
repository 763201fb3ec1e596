/** Collects what arrives and hands it on about ten times a second: more often than that, an eye sees only flicker. */

export const BATCH_MS = 100;

/** The answer takes one item; `apply` gets all items of the last tenth of a second, in order. */
export function batched<Item>(apply: (items: Item[]) => void): (item: Item) => void {
  let waiting: Item[] = [];
  let isScheduled = false;
  const flush = (): void => {
    isScheduled = false;
    const items = waiting;
    waiting = [];
    apply(items);
  };
  return (item) => {
    waiting.push(item);
    if (!isScheduled) {
      isScheduled = true;
      setTimeout(flush, BATCH_MS);
    }
  };
}
