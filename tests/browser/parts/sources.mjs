// The screens' own modules, loaded as they stand in the sources.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const UI = new URL("../../../src/bestex/dashboard/ui/", import.meta.url).pathname;

/** What the modules ask of a browser as they are loaded: an address, and where to listen. */
function standIn() {
  globalThis.location ??= { hash: "" };
  globalThis.addEventListener ??= () => undefined;
  globalThis.document ??= { documentElement: {} };
  globalThis.getComputedStyle ??= () => ({ getPropertyValue: () => "" });
  globalThis.matchMedia ??= () => ({ addEventListener: () => undefined });
}

export async function sources() {
  standIn();
  const { createServer } = await import(pathToFileURL(createRequire(`${UI}package.json`).resolve("vite")).href);
  const vite = await createServer({ root: UI, configFile: false, server: { middlewareMode: true }, appType: "custom", logLevel: "error" });
  return { load: (path) => vite.ssrLoadModule(`/src/${path}`), close: () => vite.close() };
}
