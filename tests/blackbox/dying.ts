/**
 * mtray whose workers die: at once, or as soon as a file is there, as the environment says. What is thrown is caught by
 * nobody, as a mistake in mtray would be.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { main } from "../../lib/cli/mod.ts";
import { runtime } from "../../lib/runtime/mod.ts";

const { DYING_AT_ONCE, DYING_WHEN } = process.env;
const dies = !runtime.isMainThread;

if (dies && DYING_AT_ONCE !== undefined) throw new Error("born dead");
if (dies && DYING_WHEN !== undefined) {
  setInterval(() => {
    if (existsSync(DYING_WHEN)) throw new Error("a mistake in a worker");
  }, 20);
}
await main();
