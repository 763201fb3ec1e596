// One order's whole life on the real desk, by keyboard and mouse, as a trader would.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { faint, unnamed } from "../parts/audit.mjs";
import { launch, noBrowser, open, picture } from "../parts/browser.mjs";
import { startDesk } from "../parts/desk.mjs";

describe("an order on the real desk", { skip: noBrowser }, () => {
  let desk;
  let browser;
  let page;
  let order;

  before(async () => {
    desk = await startDesk({ speed: 40 });
    browser = await launch();
    page = await open(browser, desk.address);
  });
  after(async () => {
    await browser?.close();
    await desk?.close();
  });

  const press = (key) => page.keyboard.press(key);
  const state = (word) => page.locator(".order-line .state", { hasText: word }).waitFor({ timeout: 30_000 });

  test("an empty desk says what to do next, and that its market is generated", async () => {
    await page.getByText("No orders yet").waitFor();
    assert.match(await page.locator(".chip.notice").innerText(), /Generated market, seed 20261121/);
    await page.locator(".chip.good", { hasText: "live" }).waitFor();
    assert.equal(await page.locator(".market tbody tr").count(), 4);
    await picture(page, "desk-empty-light");
  });

  test("n opens the ticket, and a wrong field says so beside itself as it is typed", async () => {
    await press("n");
    await page.locator("#instrument").selectOption("AAPL");
    await page.locator("#quantity").fill("1000.5");
    await page.locator(".field.bad #quantity").waitFor();
    assert.match(await page.locator("#quantity-note").innerText(), /not a whole number of lots of 1; nearest are 1,000 and 1,001/);
    await page.locator("#quantity").fill("20000");
    assert.equal(await page.locator(".field.bad").count(), 0);
    await page.locator("#type").selectOption("LIMIT");
    await page.locator("#price").fill("300.005");
    assert.match(await page.locator("#price-note").innerText(), /not a whole number of ticks of 0.01/);
    await page.locator("#rate").fill("120");
    assert.match(await page.locator("#rate-note").innerText(), /at most 100 %/);
    await picture(page, "ticket-wrong-light");
    await page.locator("#type").selectOption("MARKET");
    await page.locator("#rate").fill("");
    await page.locator("#minutes").fill("12");
  });

  test("enter recommends: three candidates, the frontier with the chosen point, the reasons", async () => {
    await page.locator("#minutes").press("Enter");
    await page.locator(".candidates").waitFor();
    assert.ok((await page.locator(".candidates thead input").count()) >= 2, "there is something to compare");
    assert.equal(await page.locator(".frontier .point.chosen").count(), 1);
    assert.ok((await page.locator(".rationale").innerText()).length > 40);
    assert.deepEqual(await unnamed(page), []);
    assert.deepEqual(await faint(page), []);
    await picture(page, "ticket-light");
  });

  test("a changed field makes the recommendation old, and it cannot be accepted", async () => {
    await page.locator("#quantity").fill("15000");
    await page.getByText("The order was changed: recommend again").waitFor();
    assert.ok(await page.locator("[data-accept]").isDisabled());
    await page.locator("#quantity").press("Enter");
    await page.locator("[data-accept]:enabled").waitFor();
  });

  test("accepting starts the order and opens its page", async () => {
    await page.locator("[data-accept]").click();
    await page.locator(".order-head").waitFor();
    order = decodeURIComponent((await page.evaluate(() => location.hash)).replace("#/order/", ""));
    await state("Working");
    await page.locator(".scrolled[aria-label='Child orders'] tbody tr").first().waitFor({ timeout: 20_000 });
    await page.locator(".price canvas").first().waitFor();
    assert.equal(await page.locator(".plot canvas").count(), 2);
  });

  test("p says what a pause will do, and the desk acknowledges it", async () => {
    await press("p");
    const box = page.locator("dialog[open]");
    await box.getByText(/Nothing more is sent until you resume/).waitFor();
    await box.getByText(/live child order|No child order is live/).waitFor();
    await box.locator("#reason").fill("waiting for news");
    await box.locator("button[type=submit]").click();
    await state("Paused");
    await page.locator(".step-acknowledged", { hasText: "Pause" }).waitFor();
  });

  test("r resumes it", async () => {
    await press("r");
    await page.locator("dialog[open] button[type=submit]").click();
    await state("Working");
  });

  test("a amends only what was changed, and refuses less than is filled", async () => {
    await press("a");
    const box = page.locator("dialog[open]");
    assert.ok(await box.locator("button[type=submit]").isDisabled(), "nothing is changed yet");
    await box.locator("#amend-quantity").fill("0.5");
    assert.match(await box.locator("#amend-quantity-note").innerText(), /whole number of lots/);
    await box.locator("#amend-quantity").fill("14000");
    await box.getByText(/quantity 15,000 → 14,000/).waitFor();
    await box.locator("button[type=submit]").click();
    await box.waitFor({ state: "detached" });
    await page.locator(".order-line h1", { hasText: "14,000" }).waitFor();
  });

  test("the order page is readable at work, in light and in dark", async () => {
    await page.locator(".venues tbody tr").first().waitFor({ timeout: 30_000 });
    assert.deepEqual(await unnamed(page), []);
    assert.deepEqual(await faint(page), []);
    await picture(page, "order-light");
    const dark = await open(browser, `${desk.address}/#/order/${encodeURIComponent(order)}`, { scheme: "dark" });
    await dark.locator(".price canvas").first().waitFor();
    await dark.locator(".venues tbody tr").first().waitFor();
    assert.deepEqual(await faint(dark), []);
    await picture(dark, "order-dark");
    assert.deepEqual(dark.faults, []);
    await dark.context().close();
  });

  test("it ends measured and graded, and the parts of the shortfall add up", async () => {
    await page.locator(".grade.big").waitFor({ timeout: 120_000 });
    await page.getByText("The parts add up to the total exactly").waitFor();
    const cells = await page.locator(".waterfall tbody tr td:last-child").allInnerTexts();
    const cents = cells.map((text) => Math.round(Number(text.replace("−", "-").replaceAll(",", "")) * 100));
    const total = cents.pop();
    // Each of the seven parts is rounded to a cent on the screen.
    assert.ok(Math.abs(cents.reduce((sum, part) => sum + part, 0) - total) <= 4, cells.join(" + "));
    assert.match(await page.locator(".grading").innerText(), /0\.\d\d to 0\.\d\d on 80 % of days/);
    const told = await page.locator(".timeline").innerText();
    for (const event of ["Graded", "Measured", "Published to post-trade analysis"]) assert.ok(told.includes(event), event);
    assert.deepEqual(await unnamed(page), []);
    assert.deepEqual(await faint(page), []);
    await picture(page, "after-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForTimeout(300);
    assert.deepEqual(await faint(page), []);
    await picture(page, "after-dark");
    await page.emulateMedia({ colorScheme: "light" });
  });

  test("pointing at a fill says its price, size, venue, maker or taker, and child order", async () => {
    const price = page.locator(".price");
    await price.scrollIntoViewIfNeeded();
    const box = await price.boundingBox();
    const here = page.locator(".fills-here");
    for (let x = 10; x < box.width - 80 && (await here.count()) === 0; x += 6) {
      await page.mouse.move(box.x + x, box.y + box.height / 3);
      await page.waitForTimeout(20);
    }
    assert.match(await here.innerText(), /shares in \d+ fills?/);
    assert.match((await here.locator("tr").first().innerText()).replace(/\s+/g, " "), /^\d\d:\d\d:\d\d [\d.]+ [\d,]+ [A-Z_\d]+ (maker|taker|mid|auction) T-/);
    await picture(page, "fills-here-light");
    await page.mouse.move(2, 2);
    await here.waitFor({ state: "detached" });
  });

  test("the alternatives stand beside what was paid, and are called expected", async () => {
    const panel = page.locator("[aria-label='Alternatives']");
    await panel.getByText("expected before trading, not measured").waitFor();
    const paid = await panel.locator("tbody td:last-child").allInnerTexts();
    assert.ok(paid.length >= 2);
    assert.match(paid[0], /^[+−]?\d/);
    for (const other of paid.slice(1)) assert.equal(other, "–", "what was not worked has no price paid");
    await page.locator("[aria-label='Like orders']").getByText(/None yet: this is the first of the buys of AAPL/).waitFor();
  });

  test("a table is filtered, and says what it leaves out", async () => {
    const fills = page.locator("[aria-label='Fills']");
    await fills.locator(".tools summary").click();
    await fills.getByRole("searchbox").fill("NYSE");
    const venues = await fills.locator("tbody tr td:nth-child(4)").allInnerTexts();
    assert.ok(venues.length > 0 && venues.every((venue) => venue === "NYSE"));
    await fills.getByRole("searchbox").fill("no such venue");
    await fills.getByText("No row says “no such venue”").waitFor();
    await press("Escape");
    await fills.getByRole("button", { name: /Show all/ }).click();
    await fills.locator("tbody tr").first().waitFor();
  });

  test("the timeline says who asked for what", async () => {
    await page.getByRole("button", { name: "Every event" }).click();
    const told = await page.locator(".timeline").innerText();
    assert.match(told, /Amended: quantity 14,000/);
    assert.match(told, /Pause asked: waiting for news/);
    assert.match(told, /local/);
  });

  test("while an order works, its timeline is read from where it was left", async () => {
    const asked = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith("/timeline")) asked.push(Number(url.searchParams.get("after_position")));
    });
    await page.goto(`${desk.address}/#/ticket?instrument=KRNL&side=BUY&quantity=300&minutes=5`);
    await page.locator(".field:has(#instrument) .hint", { hasText: "spread" }).waitFor();
    // From the ticket to the order's page with keys alone.
    await page.locator("#quantity").focus();
    await press("Enter");
    await page.locator("[data-accept]:enabled").waitFor();
    for (let step = 0; step < 40 && !(await page.evaluate(() => document.activeElement.matches("[data-accept]"))); step += 1) await press("Tab");
    assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "solid", "the focus is seen");
    await press("Enter");
    await page.locator(".order-head").waitFor();
    await page.waitForTimeout(2500);
    assert.equal(asked[0], 0);
    assert.ok(asked.length > 2 && asked.slice(1).every((position, index) => position >= asked[index]) && asked.at(-1) > 0, asked.join());
    await press("Escape");
  });

  test("escape goes back; arrows and enter open an order from the blotter; / searches", async () => {
    await press("Escape");
    await page.locator(".rows .row").first().waitFor();
    await press("ArrowDown");
    await page.locator(".rows .row.selected").waitFor();
    await press("Enter");
    await page.locator(".order-head").waitFor();
    await press("Escape");
    await page.locator(".search").waitFor();
    await press("/");
    await page.keyboard.type("nothing like this");
    await page.getByText("No order matches").waitFor();
    await press("Escape");
    assert.equal(await page.locator(".search").inputValue(), "", "escape takes the search back");
    await page.locator(".rows .row").first().waitFor();
    await picture(page, "desk-light");
  });

  test("? lists the keys of this page", async () => {
    await press("?");
    const box = page.locator("dialog[open]");
    for (const says of ["New order", "Search orders", "Pause the selected order"]) await box.getByText(says, { exact: true }).waitFor();
    await press("Escape");
    await box.waitFor({ state: "detached" });
  });

  test("a second order can be sent with an alternative, and cancelled", async () => {
    await page.goto(`${desk.address}/#/ticket?instrument=MSFT&side=SELL&quantity=9000&minutes=30`);
    await page.locator(".field:has(#instrument) .hint", { hasText: "spread" }).waitFor();
    await page.locator("#quantity").press("Enter");
    await page.locator(".candidates thead input").nth(1).check();
    await page.locator("[data-accept]").click();
    await page.locator(".order-head").waitFor();
    await state("Working");
    await press("c");
    await page.locator("dialog[open]").getByText("This cannot be undone.").waitFor();
    await page.locator("dialog[open] button[type=submit]").click();
    await state("Cancelled");
    await page.locator(".waterfall").waitFor({ timeout: 60_000 });
  });

  test("a kill stops new orders and stands in the head of every page until it is re-armed", async () => {
    const ask = async (what) => {
      await page.getByRole("button", { name: "Kill…" }).click();
      const box = page.locator("dialog[open]");
      await box.getByRole("button", { name: what, exact: true }).first().click();
      await box.locator("#kill-scope").selectOption("instrument");
      await box.locator("#kill-value").selectOption("WOBL");
      await box.locator("#kill-reason").fill("an exercise");
      await box.locator("#kill-typed").fill("instrument WOBL");
      await box.locator("button[type=submit]").click();
      await box.waitFor({ state: "detached" });
    };
    await ask("Kill");
    await page.locator(".chip.bad", { hasText: "Killed: instrument WOBL" }).waitFor();
    await ask("Re-arm");
    await page.locator(".chip.bad", { hasText: "Killed" }).waitFor({ state: "detached" });
  });

  test("an address of an order that does not exist says so", async () => {
    await page.goto(`${desk.address}/#/order/none-such`);
    await page.getByText("There is no order none-such").waitFor();
  });

  test("nothing went wrong on the page meanwhile", () => {
    assert.deepEqual(page.faults, []);
  });
});
