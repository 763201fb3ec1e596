/** Tables as text: comma-separated for a file, tab-separated for the clipboard. Figures leave in full, in their column's unit. */

import type { Column } from "./columns.ts";

/** How a cell must not begin, or a spreadsheet computes it: also behind blanks, and in the wide forms it folds. */
const FORMULA = /^\s*[=+\-@|%＝＋－＠]|^[\t\r\n]/;

/** Text that a spreadsheet shows and never computes. Numbers are not text: -1.5 stays a number. */
export function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function cell(value: number | string | null): string {
  if (value === null) return "";
  if (typeof value === "string") return harmless(value);
  // Twelve figures: enough for any price or quantity, and without the dust of binary fractions.
  return Number.isFinite(value) ? String(Number(value.toPrecision(12))) : "";
}

function lines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[][] {
  const head = columns.map(({ head, unit }) => harmless(unit ? `${head} (${unit})` : head));
  return [head, ...rows.map((row) => columns.map((column) => cell(column.value(row))))];
}

/** RFC 4180: quoted where needed, lines end with CR LF. */
export function asCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return lines(columns, rows)
    .map((cells) => `${cells.map(quoted).join(",")}\r\n`)
    .join("");
}

/** For the clipboard: what would begin another cell or line becomes a blank. */
export function asTabs<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return lines(columns, rows)
    .map((cells) => cells.map((text) => text.replace(/[\t\r\n]+/g, " ")).join("\t"))
    .join("\n");
}

/** Hands a file to the browser. The name keeps letters, figures, dots and dashes. */
export function saveCsv(name: string, csv: string): void {
  const link = document.createElement("a");
  const address = URL.createObjectURL(new Blob([csv], { type: "text/csv;charset=utf-8" }));
  link.href = address;
  link.download = `${name.replace(/[^\w.-]+/g, "-")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
