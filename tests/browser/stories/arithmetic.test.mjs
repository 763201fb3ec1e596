// The screens' own arithmetic, on numbers small enough to check by hand.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { sources } from "../parts/sources.mjs";

describe("the arithmetic of the screens", () => {
  let vite;
  let format;
  let validation;
  let schedule;
  let waterfall;
  let frontier;
  let consequences;
  before(async () => {
    vite = await sources();
    const { load } = vite;
    format = await load("format.ts");
    validation = await load("ticket/validation.ts");
    schedule = await load("order/schedule.ts");
    waterfall = await load("order/waterfall.tsx");
    frontier = await load("ticket/frontier.tsx");
    consequences = await load("actions/consequences.ts");
  });
  after(() => vite?.close());

  test("a missing number is never shown as zero", () => {
    for (const value of [null, undefined, Number.NaN]) {
      assert.equal(format.number(value), "–");
      assert.equal(format.signed(value), "–");
      assert.equal(format.percent(value), "–");
      assert.equal(format.bps(value), "–");
    }
  });

  test("signs are true signs, and what rounds to zero has none", () => {
    assert.equal(format.signed(1.26), "+1.3");
    assert.equal(format.signed(-1.26), "−1.3");
    assert.equal(format.signed(-0.04), "0.0");
    assert.equal(format.number(-0.001, 2), "0.00");
    assert.equal(format.bps(0.0025), "+25.0");
  });

  test("a time is the exchange's, whatever the browser's", () => {
    assert.equal(format.timeOf("2026-11-20T14:30:00.123456789Z", format.zoneOf("XNYS")), "09:30:00");
    assert.equal(format.timeOf("2026-07-20T13:30:00Z", format.zoneOf("XNYS")), "09:30:00");
    assert.equal(format.millis("1970-01-01T00:00:00.123999999Z"), 123);
  });

  test("a price is on the grid or the nearest two are named, without float dust", () => {
    assert.equal(validation.checkGrid("0.3", 0.1, "ticks"), undefined);
    assert.equal(validation.checkGrid("1.15", 0.05, "ticks"), undefined);
    assert.equal(validation.checkGrid("4503.25", 0.25, "ticks"), undefined);
    assert.match(validation.checkGrid("10.004", 0.01, "ticks"), /10\.00 and 10\.01/);
    assert.match(validation.checkGrid("150", 100, "lots"), /100 and 200/);
    for (const text of ["1e3", "0x10", "1,5", "", "-5", "0", "Infinity"]) assert.notEqual(validation.checkGrid(text, 0.01, "ticks"), undefined, text);
  });

  const plan = (timestamp, revision, slices) => ({
    event_type: "execution_planned",
    timestamp,
    execution_planned: { revision, execution_schedule: slices.map(([from, to, target_quantity]) => ({ start_time: at(from), end_time: at(to), target_quantity })) },
  });
  const at = (second) => new Date(second * 1000).toISOString();
  const fill = (second, quantity) => ({ received_time: at(second), quantity });

  test("a second plan continues from what was filled when it was made", () => {
    const fills = [fill(5, 30), fill(25, 10)];
    const found = schedule.scheduleOf([plan(at(0), 0, [[0, 10, 50], [10, 20, 50]]), plan(at(10), 1, [[10, 30, 70]])], fills);
    assert.equal(schedule.targetAt(found, 5_000), 25);
    assert.equal(schedule.targetAt(found, 20_000), 30 + 35);
    assert.equal(schedule.targetAt(found, 30_000), 100);
    assert.equal(schedule.targetAt(found, 99_000), 100);
    assert.equal(found.slice, 70);
    assert.deepEqual(schedule.filledSteps(fills, 0).map(({ target }) => target), [0, 30, 40]);
  });

  const costs = (parts) => ({ delay: 0, spread: 0, market_impact: 0, timing: 0, opportunity: 0, commission: 0, fees: 0, ...parts });

  test("the waterfall's parts add up to its total, and a missing cent is said", () => {
    const exact = costs({ spread: 0.1, market_impact: 0.2, timing: -0.4, total: -0.1 });
    assert.equal(waterfall.residue(exact), 0);
    assert.equal(waterfall.residue({ ...exact, total: -0.11 }), 10_000);
    const steps = waterfall.steps(exact);
    assert.equal(steps.length, 8);
    steps.slice(1, -1).forEach((step, index) => assert.equal(step.from, steps[index].to));
  });

  test("no candidate on the frontier is beaten on cost and risk at once", () => {
    let state = 20261121;
    console.log(`frontier seed ${state}`);
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const points = Array.from({ length: 200 }, (_, index) => ({ strategy_name: String(index), cost: random(), risk: random() }));
    const beaten = (point, among) => among.some((other) => other !== point && other.cost <= point.cost && other.risk <= point.risk);
    const found = frontier.efficient(points);
    assert.ok(found.length > 1);
    for (const point of found) assert.ok(!beaten(point, points));
    for (const point of points) assert.ok(found.includes(point) || beaten(point, points));
    // The same law catches a frontier that keeps every point.
    assert.ok(points.some((point) => beaten(point, points)));
  });

  test("a cancel says how many live children go and what comes back", () => {
    const child = (state, quantity, filled_quantity) => ({ state, quantity, filled_quantity });
    const children = [child("WORKING", 500, 100), child("PARTIALLY_FILLED", 900, 100), child("UNKNOWN", 50, 0), child("FILLED", 70, 70)];
    const [first] = consequences.cancelSays({ quantity: 2000, filled_quantity: 270 }, children);
    assert.equal(first, "Cancels 3 live child orders; 1,250 shares return to the order once the venues acknowledge. 1 of them has no answer yet and stays reserved.");
  });
});
