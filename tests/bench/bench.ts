/**
 * `deno task bench`: mtray in its forms against Debian's V2Ray, MTProto in and MTProto out, relay after relay in
 * turns. Everything happens on this machine, in a network namespace of its own.
 */
import { join } from "node:path";
import { bundle } from "../tasks/bundle.ts";
import { compile } from "../tasks/compile.ts";
import { CACHE, DIST, ROOT } from "../tasks/paths.ts";
import { PERMISSIONS } from "../tasks/permissions.ts";
import { endAllOnSignal } from "../tasks/run.ts";
import { TARGETS } from "../tasks/targets.ts";
import { bun, hostBunName, inCi, MissingTool, v2ray } from "../tasks/tools.ts";
import type { Case } from "./case.ts";
import { allCases } from "./cases/all.ts";
import { buildLoad } from "./load.ts";
import { cannotIsolate, runIsolated } from "./namespace.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import type { Relay } from "./relay.ts";
import { REFERENCE, type Runs, table } from "./table.ts";

/** What the process outside the namespace hands to the one inside. */
interface Plan {
  options: Options;
  relays: Relay[];
  load: string;
}

/** Says that the process is the one inside; followed by the plan. */
const INSIDE = "--inside";

/** Makes and fetches everything, while there is still a network, and starts this program again without one. */
async function outside(options: Options): Promise<number> {
  const obstacle = await cannotIsolate();
  if (obstacle !== null) {
    console.error(`cannot run the bench: ${obstacle}`);
    return 1;
  }
  const plan: Plan = { options, relays: await findRelays(options), load: await buildLoad() };
  const command = [Deno.execPath(), "run", "-A", import.meta.filename ?? "", INSIDE, JSON.stringify(plan)];
  return await runIsolated(command);
}

async function findRelays({ peers }: Options): Promise<Relay[]> {
  const run = ["run", "-c", "{config}"];
  const secrets: Relay["secrets"] = ["classic", "ee"];
  await bundle(join(ROOT, "main.ts"), join(DIST, "mtray.js"));
  const fromSource = [Deno.execPath(), "run", ...PERMISSIONS, join(ROOT, "main.ts")];
  const relays: Relay[] = [{ name: "mtray, Deno", command: [...fromSource, ...run], secrets }];
  await optional(async () => {
    relays.push({ name: "mtray, Bun", command: [await bun(), join(DIST, "mtray.js"), ...run], secrets });
    const target = TARGETS.find((candidate) => candidate.bun === hostBunName());
    if (target === undefined) return;
    const file = join(CACHE, "bench", "mtray");
    await compile(target, join(DIST, "mtray.js"), file);
    relays.push({ name: "mtray, single file", command: [file, ...run], secrets });
  });
  await optional(async () => {
    relays.unshift({
      name: REFERENCE,
      command: [await v2ray(), "-config", "{config}"],
      secrets: ["classic"],
    });
  });
  for (const { name, command } of peers) {
    relays.push({ name, command: command.split(/\s+/), secrets: ["classic"] });
  }
  return relays;
}

async function optional(find: () => Promise<void>): Promise<void> {
  try {
    await find();
  } catch (error) {
    if (!(error instanceof MissingTool) || inCi()) throw error;
    console.log(`left out: ${error.message}`);
  }
}

async function inside({ options, relays, load }: Plan): Promise<number> {
  const cases = allCases(options.connections)
    .filter(({ name, slow }) => name.includes(options.only) && !(slow && options.quick));
  const results = cases.map((of) => ({ of, runs: new Map() as Runs }));
  const failures = new Set<string>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const { of, runs } of results) {
      for (const relay of relays.filter((candidate) => of.fits(candidate))) {
        progress(`round ${round} of ${options.rounds}: ${of.name}: ${relay.name}`);
        const failure = await measure(of, relay, runs, { load, bytes: options.bytes });
        if (failure !== null) failures.add(`${of.name}: ${relay.name}: ${failure}`);
      }
    }
  }
  progress("");
  for (const line of table(results)) console.log(line);
  console.log(
    `\nMedian [least–most] of ${options.rounds} rounds in turns, ${options.bytes / 1e6} MB of payload a run.`,
  );
  console.log(
    "CPU, user and system, and memory are the relay's alone; load s/GB is what the generator took itself.",
  );
  console.log(`×N: N times better than ${REFERENCE}: more a second, or less of what it costs.`);
  for (const failure of failures) console.error(`failed: ${failure}`);
  return failures.size === 0 ? 0 : 1;
}

async function measure(
  of: Case,
  relay: Relay,
  runs: Runs,
  workplace: Parameters<Case["measure"]>[1],
): Promise<string | null> {
  try {
    const figures = await of.measure(relay, workplace);
    runs.set(relay.name, [...runs.get(relay.name) ?? [], figures]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** One line that the next one overwrites; nothing where the output goes to a file. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

async function main(args: string[]): Promise<number> {
  if (args[0] === INSIDE) return await inside(JSON.parse(args[1]));
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  endAllOnSignal();
  try {
    return await outside(parseOptions(args));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
