/** The table that every page uses: sorts, filters, exports, and is walked with the arrow keys. */

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useId, useMemo, useRef, useState } from "preact/hooks";

import { DEFINITIONS } from "../glossary.ts";
import { type Column, keptOrder, nextSorting, saying, type Sorting, sorted } from "./columns.ts";
import { Tools } from "./tools.tsx";

/** What a head says: its word, defined on hover, where it sorts, and its unit. */
export function HeadText<Row>({ column, sorting }: { column: Column<Row>; sorting: Sorting | null }) {
  const says = column.says ?? (column.term === undefined ? undefined : DEFINITIONS[column.term]);
  return (
    <>
      {says === undefined ? (
        column.head
      ) : (
        <abbr class="defined" title={says}>
          {column.head}
        </abbr>
      )}
      <span aria-hidden="true">{sorting?.key !== column.key ? "" : sorting.isDown ? " ↓" : " ↑"}</span>
      {column.unit ? <span class="unit"> {column.unit}</span> : null}
    </>
  );
}

export function ariaSort<Row>(column: Column<Row>, sorting: Sorting | null): "none" | "ascending" | "descending" {
  return sorting?.key !== column.key ? "none" : sorting.isDown ? "descending" : "ascending";
}

interface Props<Row> {
  /** Names the table for screen readers, and its file. */
  name: string;
  title: ComponentChildren;
  /** Beside the title: a figure, a button. */
  extra?: ComponentChildren;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
  /** What stands here while there is no row: why, and what to do next. */
  empty: ComponentChildren;
  rowClass?: (row: Row) => string;
  rowTitle?: (row: Row) => string | undefined;
  /** On Enter in a row. */
  open?: (row: Row) => void;
  /** Draws only so many until all are wanted. */
  most?: number;
  /** The order of the rows carries meaning: they cannot be sorted or filtered. */
  isOrdered?: boolean;
  /** A table inside a panel of several: a smaller head. */
  isPart?: boolean;
  class?: string;
  foot?: ComponentChildren;
  /** Between the head and the rows, and behind them; only while there are rows. */
  above?: ComponentChildren;
  below?: ComponentChildren;
  /** Columns left out at first. */
  hidden?: readonly string[];
}

export function Table<Row>(props: Props<Row>) {
  const { name, title, extra, columns, rows, id, empty, rowClass, rowTitle, open, most, foot } = props;
  const isOrdered = props.isOrdered ?? false;
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [wanted, setWanted] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set(props.hidden));
  const [isAll, setAll] = useState(false);
  const [active, setActive] = useState<string | null>(null);
  const body = useRef<HTMLTableElement>(null);
  const heading = useId();

  const shownColumns = useMemo(() => columns.filter(({ key }) => !hidden.has(key)), [columns, hidden]);
  const last = useRef<{ sorting: Sorting; ids: string[] } | null>(null);
  const ordered = useMemo(() => {
    const column = columns.find(({ key }) => key === sorting?.key);
    if (sorting === null || column === undefined) return rows;
    const known = new Map(rows.map((row) => [id(row), row]));
    const ids = last.current?.sorting === sorting ? keptOrder([...known.keys()], last.current.ids) : sorted(rows, column, sorting.isDown).map(id);
    last.current = { sorting, ids };
    return ids.map((key) => known.get(key)).filter((row) => row !== undefined);
  }, [rows, columns, sorting]);
  const found = useMemo(() => saying(ordered, columns, wanted), [ordered, columns, wanted]);
  const shown = most === undefined || isAll ? found : found.slice(0, most);
  // One row and one head take the Tab key; the arrows move on from there.
  const stop = shown.some((row) => id(row) === active) ? active : shown[0] === undefined ? null : id(shown[0]);

  const walk = (event: TargetedKeyboardEvent<HTMLTableElement>): void => {
    const focused = event.target instanceof Element ? event.target.closest<HTMLElement>("tbody tr, thead button") : null;
    if (focused === null || event.ctrlKey || event.metaKey || event.altKey || body.current === null) return;
    const lines = [...body.current.querySelectorAll<HTMLElement>("tbody tr")];
    const heads = [...body.current.querySelectorAll<HTMLElement>("thead button")];
    const isHead = focused.tagName === "BUTTON";
    const among = isHead ? heads : lines;
    const at = among.indexOf(focused);
    const steps: Record<string, number> = isHead
      ? { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: heads.length - 1 }
      : { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: lines.length - 1 };
    let next: HTMLElement | undefined;
    if (isHead && event.key === "ArrowDown") next = lines[0];
    else if (!isHead && event.key === "ArrowUp" && at === 0) next = heads[0];
    else if (event.key === "Enter" && !isHead && open !== undefined) {
      const row = shown[at];
      if (row !== undefined) open(row);
    } else if (steps[event.key] !== undefined) next = among[Math.max(0, Math.min(among.length - 1, steps[event.key] ?? 0))];
    else return;
    event.preventDefault();
    next?.focus();
  };

  const count = found.length === rows.length ? "" : `${found.length} of ${rows.length}`;
  return (
    <>
      <header class={props.isPart ? "table-head" : "panel-head"}>
        {props.isPart ? <h3 id={heading}>{title}</h3> : <h2 id={heading}>{title}</h2>}
        {wanted === "" ? null : (
          <button type="button" class="chip warn" onClick={() => setWanted("")} title="Show every row">
            “{wanted}” {count} ×
          </button>
        )}
        <span class="grow" />
        {extra}
        {most !== undefined && found.length > most ? (
          <button type="button" class="quiet" aria-pressed={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? `First ${most}` : `All ${found.length}`}
          </button>
        ) : null}
        {rows.length === 0 ? null : (
          <Tools
            name={name}
            columns={columns}
            hidden={hidden}
            setHidden={setHidden}
            rows={() => found}
            filter={isOrdered ? undefined : { wanted, set: setWanted }}
          />
        )}
      </header>
      {rows.length === 0 ? null : props.above}
      {rows.length === 0 ? (
        <p class="calm">{empty}</p>
      ) : shown.length === 0 ? (
        <p class="calm">
          No row says “{wanted}”.{" "}
          <button type="button" onClick={() => setWanted("")}>
            Show all {rows.length}
          </button>
        </p>
      ) : (
        <div class="scroll">
          <table ref={body} class={`figures ${props.class ?? ""}`} aria-labelledby={heading} aria-rowcount={found.length + 1} onKeyDown={walk}>
            <thead>
              <tr>
                {shownColumns.map((column, index) => (
                  <th key={column.key} scope="col" class={column.isFigure ? "figure" : ""} aria-sort={isOrdered ? undefined : ariaSort(column, sorting)}>
                    {isOrdered ? (
                      <HeadText column={column} sorting={null} />
                    ) : (
                      <button type="button" class="head" tabIndex={index === 0 ? 0 : -1} onClick={() => setSorting(nextSorting(column, sorting))}>
                        <HeadText column={column} sorting={sorting} />
                      </button>
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => {
                const key = id(row);
                return (
                  <tr key={key} class={rowClass?.(row) ?? ""} title={rowTitle?.(row)} tabIndex={key === stop ? 0 : -1} onFocus={() => setActive(key)}>
                    {shownColumns.map((column, index) => {
                      const kind = [column.isFigure ? "figure" : "", column.class?.(row) ?? ""].join(" ").trim();
                      const content = column.cell === undefined ? column.text(row) : column.cell(row);
                      return index === 0 && !column.isFigure ? (
                        <th key={column.key} scope="row" class={kind} title={column.title?.(row)}>
                          {content}
                        </th>
                      ) : (
                        <td key={column.key} class={kind} title={column.title?.(row)}>
                          {content}
                        </td>
                      );
                    })}
                  </tr>
                );
              })}
            </tbody>
            {foot === undefined ? null : <tfoot>{foot}</tfoot>}
          </table>
        </div>
      )}
      {rows.length === 0 ? null : props.below}
    </>
  );
}
