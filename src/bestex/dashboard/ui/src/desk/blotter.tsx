/** The order blotter. Only the rows in sight are drawn; rows keep their place until the trader sorts again. */

import { signal } from "@preact/signals";
import { memo } from "preact/compat";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { asking } from "../actions/dialogs.tsx";
import { addKeys } from "../keyboard.ts";
import { type Entry, entryOf, isDone, orderIds, stateChanges } from "../live/book.ts";
import { isLoaded } from "../live/desk.ts";
import { keptOrder, nextSorting, sorted, type Sorting } from "../parts/columns.ts";
import { Empty } from "../parts/empty.tsx";
import { ariaSort, HeadText } from "../parts/table.tsx";
import { Tools } from "../parts/tools.tsx";
import { go, orderAddress } from "../route.ts";
import { COLUMNS, ORDER_ID, type OrderColumn } from "./columns.tsx";

const ROW = 28;
const HEAD = 38;
const SPARE = 8;

type Show = "all" | "open" | "done";

export const selected = signal<string | null>(null);
const show = signal<Show>("all");
const wanted = signal("");
const sorting = signal<Sorting | null>(null);
const hidden = signal<ReadonlySet<string>>(new Set());

function matches(entry: Entry, words: readonly string[]): boolean {
  const { order_id, instrument_id, side, state, algorithm, strategy_name } = entry.order;
  const text = `${order_id} ${instrument_id} ${side} ${state} ${algorithm ?? ""} ${strategy_name ?? ""}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

interface Arrangement {
  by: Sorting | null;
  ids: readonly string[];
}

function entriesOf(ids: readonly string[]): Entry[] {
  return ids.map((id) => entryOf(id)?.peek()).filter((entry) => entry !== undefined);
}

/** All ids as last sorted. Values are read when the reader sorts, never later: new orders come on top, and no row moves by itself. */
function arranged(ids: readonly string[], by: Sorting | null, before: Arrangement | null): Arrangement {
  if (by === null) return { by, ids };
  if (before?.by === by) return { by, ids: keptOrder(ids, before.ids) };
  const column = COLUMNS.find(({ key }) => key === by.key);
  const entries = entriesOf(ids);
  return { by, ids: (column === undefined ? entries : sorted(entries, column, by.isDown)).map(({ order }) => order.order_id) };
}

/** Those of them that the filters leave. */
function filtered(ids: readonly string[]): string[] {
  const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
  return entriesOf(ids)
    .filter((entry) => (show.value === "all" || isDone(entry) === (show.value === "done")) && (words.length === 0 || matches(entry, words)))
    .map(({ order }) => order.order_id);
}

interface RowProps {
  id: string;
  top: number;
  isSelected: boolean;
  columns: readonly OrderColumn[];
  template: string;
  index: number;
}

const Row = memo(({ id, top, isSelected, columns, template, index }: RowProps) => {
  const entry = entryOf(id)?.value;
  if (entry === undefined) return null;
  return (
    <div
      role="row"
      id={`row-${id}`}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      class={`row${isSelected ? " selected" : ""}${isDone(entry) ? " done" : ""}`}
      style={{ transform: `translateY(${top}px)`, gridTemplateColumns: template }}
      onClick={() => {
        selected.value = id;
      }}
      onDblClick={() => go(orderAddress(id))}
    >
      {columns.map((column, at) => (
        <div key={column.key} role="gridcell" class={column.isFigure ? "figure" : ""}>
          {at === 0 ? (
            <a href={orderAddress(id)} tabIndex={-1} title={id}>
              {column.cell ? column.cell(entry) : column.text(entry)}
            </a>
          ) : column.cell ? (
            column.cell(entry)
          ) : (
            column.text(entry)
          )}
        </div>
      ))}
    </div>
  );
});

export function Blotter() {
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  const last = useRef<Arrangement | null>(null);
  const all = useMemo(() => (last.current = arranged(orderIds.value, sorting.value, last.current)).ids, [orderIds.value, sorting.value]);
  const ids = useMemo(() => filtered(all), [all, show.value, wanted.value, show.value === "all" ? 0 : stateChanges.value]);
  const columns = useMemo(() => COLUMNS.filter(({ key }) => !hidden.value.has(key)), [hidden.value]);
  const template = columns.map(({ width }) => width).join(" ");

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      watcher.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [isLoaded.value, ids.length === 0]);

  useLayoutEffect(() => {
    const move = (by: number): void => {
      const at = selected.peek() === null ? -1 : ids.indexOf(selected.peek() ?? "");
      const next = Math.max(0, Math.min(ids.length - 1, at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by));
      const id = ids[next];
      if (id === undefined) return;
      selected.value = id;
      const element = box.current;
      if (element === null) return;
      const room = element.clientHeight - HEAD;
      if (next * ROW < element.scrollTop) element.scrollTop = next * ROW;
      else if ((next + 1) * ROW > element.scrollTop + room) element.scrollTop = (next + 1) * ROW - room;
    };
    const page = (): number => Math.max(1, Math.floor((box.current?.clientHeight ?? ROW) / ROW) - 1);
    const ask = (what: "pause" | "resume" | "amend" | "cancel"): void => {
      if (selected.peek() !== null) asking.value = { what, order: selected.peek() ?? "" };
    };
    return addKeys([
      { key: "/", says: "Search orders", run: () => search.current?.focus() },
      { key: "ArrowDown", says: "Next order", run: () => move(1) },
      { key: "ArrowUp", says: "Previous order", run: () => move(-1) },
      { key: "PageDown", says: "A page down", run: () => move(page()) },
      { key: "PageUp", says: "A page up", run: () => move(-page()) },
      {
        key: "Enter",
        says: "Open the selected order",
        run: () => {
          if (selected.peek() !== null) go(orderAddress(selected.peek() ?? ""));
        },
      },
      { key: "p", says: "Pause the selected order", run: () => ask("pause") },
      { key: "r", says: "Resume the selected order", run: () => ask("resume") },
      { key: "a", says: "Amend the selected order", run: () => ask("amend") },
      { key: "c", says: "Cancel the selected order", run: () => ask("cancel") },
    ]);
  }, [ids]);

  const first = Math.max(0, Math.floor(view.top / ROW) - SPARE);
  const end = Math.min(ids.length, Math.ceil((view.top + view.height) / ROW) + SPARE);

  return (
    <section class="panel blotter" aria-label="Orders">
      <header class="panel-head">
        <h2>
          Orders <span class="muted">{ids.length === orderIds.value.length ? ids.length : `${ids.length} of ${orderIds.value.length}`}</span>
        </h2>
        <div class="segments small" role="group" aria-label="Show">
          {(["all", "open", "done"] as const).map((which) => (
            <button key={which} type="button" aria-pressed={show.value === which} class={`segment${show.value === which ? " chosen" : ""}`} onClick={() => (show.value = which)}>
              {which === "all" ? "All" : which === "open" ? "Open" : "Done"}
            </button>
          ))}
        </div>
        <input
          ref={search}
          role="searchbox"
          class="search"
          placeholder="Search  /"
          aria-label="Search orders"
          value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") wanted.value = "";
          }}
        />
        <span class="grow" />
        <Tools
          name="Orders"
          columns={COLUMNS}
          before={[ORDER_ID]}
          hidden={hidden.value}
          setHidden={(next) => {
            hidden.value = next;
          }}
          rows={() => entriesOf(ids)}
        />
        <a class="button primary" href="#/ticket">
          New order <kbd>n</kbd>
        </a>
      </header>
      {!isLoaded.value ? (
        <Empty title="Reading the orders…" />
      ) : ids.length === 0 ? (
        orderIds.value.length === 0 ? (
          <Empty title="No orders yet">
            Press <kbd>n</kbd> to write one: the desk recommends how to work it, works it, watches it and grades it.
          </Empty>
        ) : (
          <Empty title="No order matches">
            <button type="button" onClick={() => ((wanted.value = ""), (show.value = "all"))}>
              Show all {orderIds.value.length}
            </button>
          </Empty>
        )
      ) : (
        <div class="grid" ref={box} role="grid" aria-label="Orders" aria-rowcount={ids.length + 1} aria-activedescendant={selected.value === null ? undefined : `row-${selected.value}`} tabIndex={0}>
          <div class="row head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" class={column.isFigure ? "figure" : ""} aria-sort={ariaSort(column, sorting.value)}>
                <button type="button" class="head" onClick={() => (sorting.value = nextSorting(column, sorting.value))}>
                  <HeadText column={column} sorting={sorting.value} />
                </button>
              </div>
            ))}
          </div>
          <div class="rows" style={{ height: `${ids.length * ROW}px` }}>
            {ids.slice(first, end).map((id, offset) => (
              <Row key={id} id={id} index={first + offset} top={(first + offset) * ROW} isSelected={selected.value === id} columns={columns} template={template} />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}
