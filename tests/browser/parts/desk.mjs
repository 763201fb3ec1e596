// The real desk on a free port, with a state directory of its own, on a hurried market.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../../", import.meta.url).pathname;
const PROGRAM = process.env.BESTEX_PROGRAM ?? join(ROOT, ".venv/bin/bestex");
const READY_MS = 60_000;

export async function startDesk({ speed = 40, seed = 20261121 } = {}) {
  const state = await mkdtemp(join(tmpdir(), "bestex-browser-"));
  const child = spawn(PROGRAM, ["serve", "--port", "0", "--state-dir", state, "--speed", String(speed), "--seed", String(seed), "--log-level", "warning"], { cwd: ROOT });
  let said = "";
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the desk was not ready after ${READY_MS} ms:\n${said}`)), READY_MS);
    const listen = (chunk) => {
      said += chunk;
      const found = said.match(/dashboard\s+(http:\S+?)\/\s/);
      if (found !== null) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the desk ended with ${code}:\n${said}`)));
  });
  return {
    address,
    said: () => said,
    async close() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      await rm(state, { recursive: true, force: true });
    },
  };
}
