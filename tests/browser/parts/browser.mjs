// A headless browser on this machine, and pages that fail a test when the screen itself goes wrong.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PROGRAM = process.env.BESTEX_BROWSER ?? "/usr/bin/chromium";
const OUTPUT = new URL("../output/", import.meta.url).pathname;

/** Why there is no browser to test with; false when there is one. Under CI its absence is a failure, not a skip. */
export const noBrowser = existsSync(PROGRAM) || process.env.CI ? false : `no browser at ${PROGRAM}; name one in BESTEX_BROWSER`;

export function launch() {
  return chromium.launch({ executablePath: PROGRAM, args: ["--no-sandbox"] });
}

/** A page whose console errors and exceptions are kept in `page.faults`. */
export async function open(browser, address, { scheme = "light", width = 1440, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => {
    // A refused request is the API's answer, shown beside its field; the browser logs it as an error all the same.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.faults.push(message.text());
  });
  await page.goto(address);
  return page;
}

export async function picture(page, name) {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true });
}
