/** What a table knows of its columns: how a row sorts, what it says, and how it leaves the screen. */

import type { ComponentChildren } from "preact";

import type { Term } from "../glossary.ts";

export interface Column<Row> {
  key: string;
  head: string;
  /** Stands small in the header; figures of the column are in it, on the screen and in the export. */
  unit?: string | undefined;
  /** Defines the head on hover; `says` where the glossary has no word for it. */
  term?: Term;
  says?: string;
  isFigure?: boolean;
  /** What the row sorts by and what is exported: a number in the column's unit, or text. null = there is none. */
  value: (row: Row) => number | string | null;
  /** What stands in the cell, as text. */
  text: (row: Row) => string;
  /** The cell itself, where text alone is not enough. */
  cell?: (row: Row) => ComponentChildren;
  /** Why the cell has no figure, or what stands behind it. */
  title?: (row: Row) => string | undefined;
  class?: (row: Row) => string;
}

export interface Sorting {
  key: string;
  isDown: boolean;
}

/** The next sorting after a click on a head: figures begin with the largest, words with A; the third click takes it back. */
export function nextSorting<Row>(column: Column<Row>, now: Sorting | null): Sorting | null {
  const first = column.isFigure ?? false;
  if (now?.key !== column.key) return { key: column.key, isDown: first };
  return now.isDown === first ? { key: column.key, isDown: !first } : null;
}

/** The rows by one column; equal ones keep their order, and what has no value stands last either way. */
export function sorted<Row>(rows: readonly Row[], column: Column<Row>, isDown: boolean): Row[] {
  const sign = isDown ? -1 : 1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      return a.value < b.value ? -sign : a.value > b.value ? sign : 0;
    })
    .map(({ row }) => row);
}

/** The order as it was last sorted: figures that move do not move their rows. What is new comes on top. */
export function keptOrder(ids: readonly string[], before: readonly string[]): string[] {
  const now = new Set(ids);
  const known = new Set(before);
  return [...ids.filter((id) => !known.has(id)), ...before.filter((id) => now.has(id))];
}

/** Those that say every wanted word somewhere, in any column. */
export function saying<Row>(rows: readonly Row[], columns: readonly Column<Row>[], wanted: string): readonly Row[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = columns.map((column) => column.text(row)).join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
