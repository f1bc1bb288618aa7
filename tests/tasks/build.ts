/**
 * `deno task bundle` makes dist/mtray.js; `deno task build` makes it and the single files.
 *
 * Exit code 0: everything was made that this machine can make. What it cannot make is named, with the reason.
 */
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { compile, Skipped } from "./compile.ts";
import { CACHE, DIST, remove, ROOT, sizeOf } from "./paths.ts";
import { endAllOnSignal } from "./run.ts";
import { smoke, smokeBundle } from "./smoke.ts";
import { type Target, TARGETS } from "./targets.ts";
import { bun, inCi, MissingTool } from "./tools.ts";

interface Row {
  file: string;
  tested: string;
}

async function main(what: string): Promise<number> {
  endAllOnSignal();
  if (what !== "bundle" && what !== "all") {
    console.error(`cannot build "${what}": say "bundle", or nothing for all`);
    return 2;
  }
  const rows: Row[] = [];
  const skipped: string[] = [];
  const failed: string[] = [];
  // What an earlier build left would otherwise pass for what this one made.
  for (const target of TARGETS) if (what === "all") remove(join(DIST, target.file));
  try {
    rows.push(await buildBundle(skipped));
    for (const target of what === "all" ? TARGETS : []) {
      try {
        rows.push(await buildTarget(target));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        (error instanceof Skipped ? skipped : failed).push(error.message);
      }
    }
  } catch (error) {
    failed.push(error instanceof Error ? error.message : String(error));
  }
  for (const line of await table(rows)) console.log(line);
  for (const reason of skipped) console.log(`skipped: ${reason}.`);
  for (const reason of failed) console.error(`failed: ${reason}`);
  return failed.length === 0 ? 0 : 1;
}

async function buildBundle(skipped: string[]): Promise<Row> {
  const file = join(DIST, "mtray.js");
  await bundle(join(ROOT, "main.ts"), file);
  const tested = ["Deno"];
  await smokeBundle(file);
  try {
    await smokeBundle(file, await bun());
    tested.push("Bun");
  } catch (error) {
    if (!(error instanceof MissingTool) || inCi()) throw error;
    skipped.push(`cannot try mtray.js with Bun: ${error.message}`);
  }
  return { file: "mtray.js", tested: `runs under ${tested.join(" and ")}` };
}

/** Made and tried outside dist/, then moved there. */
async function buildTarget(target: Target): Promise<Row> {
  const made = join(CACHE, "build", target.file);
  Deno.mkdirSync(join(CACHE, "build"), { recursive: true });
  try {
    await compile(target, join(DIST, "mtray.js"), made);
    const tested = await smoke(target, made);
    Deno.renameSync(made, join(DIST, target.file));
    return { file: target.file, tested };
  } finally {
    remove(made);
  }
}

async function table(rows: Row[]): Promise<string[]> {
  const lines = [];
  for (const { file, tested } of rows) {
    const size = ((sizeOf(join(DIST, file)) ?? 0) / 1e6).toFixed(1).padStart(6);
    lines.push(`${file.padEnd(24)} ${size} MB  ${tested.padEnd(34)} ${await sha256(join(DIST, file))}`);
  }
  return lines;
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Deno.readFileSync(path));
  return new Uint8Array(digest).toHex();
}

if (import.meta.main) Deno.exit(await main(Deno.args[0] ?? "all"));
