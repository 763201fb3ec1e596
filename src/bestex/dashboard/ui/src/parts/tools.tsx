/** What can be done with any table: filter it, choose its columns, copy it, save it. */

import { useRef, useState } from "preact/hooks";

import type { Column } from "./columns.ts";
import { asCsv, asTabs, saveCsv } from "./export.ts";

interface Props<Row> {
  /** Names the table for screen readers, and its file. */
  name: string;
  columns: readonly Column<Row>[];
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
  /** What is exported, as it stands: filtered and sorted. Asked for only when wanted. */
  rows: () => readonly Row[];
  /** Columns that are exported although they are not shown, in front. */
  before?: readonly Column<Row>[];
  /** Absent where the page filters elsewhere, or the rows only make sense together. */
  filter?: { wanted: string; set: (wanted: string) => void } | undefined;
}

export function Tools<Row>({ name, columns, hidden, setHidden, rows, before = [], filter }: Props<Row>) {
  const box = useRef<HTMLDetailsElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [said, setSaid] = useState("");
  const exported = (): readonly Column<Row>[] => [...before, ...columns.filter(({ key }) => !hidden.has(key))];

  const say = (text: string): void => {
    setSaid(text);
    setTimeout(() => setSaid(""), 2000);
  };
  const copy = async (): Promise<void> => {
    const known = rows();
    try {
      await navigator.clipboard.writeText(asTabs(exported(), known));
      say(`${known.length} rows copied`);
    } catch {
      say("The browser does not allow it");
    }
  };
  const save = (): void => {
    const known = rows();
    saveCsv(name, asCsv(exported(), known));
    say(`${known.length} rows saved`);
  };
  const close = (): void => {
    if (box.current === null || !box.current.open) return;
    box.current.open = false;
    box.current.querySelector("summary")?.focus();
  };

  return (
    <details
      ref={box}
      class="menu tools"
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !box.current?.open) return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (box.current !== null && next instanceof Node && !box.current.contains(next)) box.current.open = false;
      }}
    >
      <summary aria-label={`${filter === undefined ? "Columns" : "Filter, columns"} and export: ${name}`} title="Filter, columns, copy, CSV">
        ⋯
      </summary>
      {!isOpen ? null : (
        <div class="menu-body">
          {filter === undefined ? null : (
            <input
              role="searchbox"
              placeholder="Filter rows"
              aria-label={`Filter ${name}`}
              value={filter.wanted}
              onInput={(event) => filter.set(event.currentTarget.value)}
            />
          )}
          <div class="menu-row">
            <button type="button" onClick={copy}>
              Copy
            </button>
            <button type="button" onClick={save}>
              CSV
            </button>
            <span class="muted" role="status">
              {said}
            </span>
          </div>
          {columns.map(({ key, head }) => (
            <label key={key}>
              <input
                type="checkbox"
                checked={!hidden.has(key)}
                disabled={!hidden.has(key) && hidden.size === columns.length - 1}
                onChange={() => {
                  const next = new Set(hidden);
                  if (!next.delete(key)) next.add(key);
                  setHidden(next);
                }}
              />{" "}
              {head}
            </label>
          ))}
        </div>
      )}
    </details>
  );
}
