// What every table can do, in plain values: sort, keep its order, filter, and leave the screen without becoming a formula.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { sources } from "../parts/sources.mjs";

describe("the tables", () => {
  let vite;
  let columns;
  let leaving;
  let alike;
  let alternatives;
  before(async () => {
    vite = await sources();
    columns = await vite.load("parts/columns.ts");
    leaving = await vite.load("parts/export.ts");
    alike = await vite.load("order/alike.ts");
    alternatives = await vite.load("order/alternatives.tsx");
  });
  after(() => vite?.close());

  const NAME = { key: "name", head: "Name", value: ({ name }) => name, text: ({ name }) => name };
  const COST = { key: "cost", head: "Cost", unit: "bps", isFigure: true, value: ({ cost }) => cost, text: ({ cost }) => String(cost) };

  test("no cell of an export is computed by a spreadsheet", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1", "|calc", "=cmd|' /C calc'!A0"]) {
      assert.equal(leaving.harmless(text), `'${text}`, JSON.stringify(text));
    }
    for (const text of ["AAPL", "T-1", "1-2", "a=b", ""]) assert.equal(leaving.harmless(text), text);
    const csv = leaving.asCsv([NAME, COST], [{ name: '=HYPERLINK("http://x")', cost: -1.5 }]);
    assert.equal(csv, 'Name,Cost (bps)\r\n"\'=HYPERLINK(""http://x"")",-1.5\r\n');
  });

  test("a number leaves in full and without float dust, a missing one as nothing", () => {
    const csv = leaving.asCsv([COST], [{ cost: 0.1 + 0.2 }, { cost: null }, { cost: 1234567.89 }, { cost: Number.NaN }]);
    assert.deepEqual(csv.split("\r\n"), ["Cost (bps)", "0.3", "", "1234567.89", "", ""]);
  });

  test("a copied cell stays in its cell", () => {
    assert.equal(leaving.asTabs([NAME, COST], [{ name: "a\tb\nc", cost: 1 }]), "Name\tCost (bps)\na b c\t1");
  });

  test("what has no value stands last, whichever way it is sorted", () => {
    const rows = [{ cost: 2 }, { cost: null }, { cost: -3 }];
    const costs = (isDown) => columns.sorted(rows, COST, isDown).map(({ cost }) => cost);
    assert.deepEqual(costs(false), [-3, 2, null]);
    assert.deepEqual(costs(true), [2, -3, null]);
  });

  test("figures begin with the largest, words with A, and the third click takes the sorting back", () => {
    const down = columns.nextSorting(COST, null);
    assert.deepEqual(down, { key: "cost", isDown: true });
    assert.deepEqual(columns.nextSorting(COST, down), { key: "cost", isDown: false });
    assert.equal(columns.nextSorting(COST, { key: "cost", isDown: false }), null);
    assert.deepEqual(columns.nextSorting(NAME, down), { key: "name", isDown: false });
  });

  test("a row that moves in value keeps its place; a new one comes on top", () => {
    assert.deepEqual(columns.keptOrder(["a", "b", "c", "d"], ["c", "gone", "a", "b"]), ["d", "c", "a", "b"]);
  });

  test("a filter wants every word, in any column", () => {
    const rows = [{ name: "Buy AAPL", cost: 1 }, { name: "Sell AAPL", cost: 22 }];
    assert.deepEqual(columns.saying(rows, [NAME, COST], "aapl 22"), [rows[1]]);
    assert.equal(columns.saying(rows, [NAME, COST], "  "), rows);
  });

  const entry = (order_id, cost, part = {}) => ({
    order: { order_id, instrument_id: "AAPL", side: "BUY", algorithm: "VWAP", quantity: 5000, filled_quantity: 5000, ...part },
    cost,
    grade: null,
    monitoring: null,
  });

  test("like orders share instrument, side, size bucket and algorithm, and are measured", () => {
    const mine = entry("mine", 3);
    const others = [
      mine,
      entry("like", 1, { quantity: 9000 }),
      entry("not measured", null),
      entry("sell", 1, { side: "SELL" }),
      entry("twap", 1, { algorithm: "TWAP" }),
      entry("msft", 1, { instrument_id: "MSFT" }),
      entry("large", 1, { quantity: 50_000 }),
      entry("nothing filled", 1, { filled_quantity: 0 }),
    ];
    assert.deepEqual(alike.likeOrders(mine.order, others, 10_000_000).map(({ order }) => order.order_id), ["like"]);
    assert.equal(alike.sizeBucket(5000, 10_000_000), "0.01 to 0.1 % of ADV");
    assert.equal(alike.sizeBucket(5000, null), "1,000 to 10,000 shares");
    assert.equal(alike.sizeBucket(1000, null), "1,000 to 10,000 shares");
  });

  test("an order is ranked among enough like orders, and not among fewer", () => {
    const likes = [1, 2, 3, 3, 9].map((cost) => ({ cost }));
    // One and two cost less, half of the two that cost the same: 3 of 5.
    assert.deepEqual(alike.standingOf(3, likes), { low: 2, median: 3, high: 3, dearerThan: 0.6 });
    assert.equal(alike.standingOf(3, likes.slice(0, 4)).dearerThan, null);
    assert.equal(alike.standingOf(null, likes).dearerThan, null);
  });

  test("only the execution strategy that was worked has a price paid", () => {
    const strategy = (strategy_name) => ({ strategy: { strategy_name }, expected_outcomes: {} });
    const selection = (status, adaptation) => ({
      id: "S-1",
      status,
      adaptation,
      recommendation: { recommended_strategy: { strategy_name: "best" }, expected_outcomes: {}, alternative_strategies: [strategy("second"), strategy("third")] },
    });
    const paid = (selections) => alternatives.alternativesOf({ selection_id: null }, selections, 4.5).map((one) => one.paid);
    assert.deepEqual(paid([selection("COMMITTED", 1), selection("COMMITTED", 0)]), [4.5, null, null]);
    assert.deepEqual(paid([selection("PROPOSED", 0)]), [null, null, null]);
    assert.deepEqual(paid([]), []);
  });
});
