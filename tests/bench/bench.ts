/**
 * `deno task bench`: mtray in its forms against Debian's V2Ray on the same work, relay after relay in turns.
 * Everything happens on this machine, in a network namespace of its own.
 */
import { endAllOnSignal } from "../tasks/run.ts";
import { allCases } from "./cases/all.ts";
import { buildLoad } from "./load.ts";
import { thisMachine } from "./machine.ts";
import { cannotIsolate, runIsolated } from "./namespace.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { findRelays, type Relays } from "./relays.ts";
import { jsonReport, markdownReport, type Outcome, terminalReport } from "./report.ts";
import { Rounds } from "./rounds.ts";

/** What the process outside the namespace hands to the one inside. */
interface Plan extends Relays {
  args: string[];
  options: Options;
  load: string;
}

/** Says that the process is the one inside; followed by the plan. */
const INSIDE = "--inside";

/** Makes and fetches everything, while there is still a network, and starts this program again without one. */
async function outside(args: string[]): Promise<number> {
  const options = parseOptions(args);
  const obstacle = await cannotIsolate();
  if (obstacle !== null) throw new Error(`cannot run the bench: ${obstacle}`);
  const plan: Plan = { args, options, load: await buildLoad(), ...await findRelays(options) };
  const command = [Deno.execPath(), "run", "-A", import.meta.filename ?? "", INSIDE, JSON.stringify(plan)];
  return await runIsolated(command);
}

async function inside(plan: Plan): Promise<number> {
  const { options, relays, load, v2ray } = plan;
  const cases = allCases(options.connections).filter(({ name, slow, needsV2ray }) =>
    name.includes(options.only) && !(slow && options.quick) && !(needsV2ray && v2ray === null)
  );
  const { quick, bytes, rounds } = options;
  const work = new Rounds({ cases, relays, rounds, workplace: { load, v2ray, bytes, quick } });
  const day = new Date().toISOString().slice(0, 10);
  const outcome = (done: number): Outcome => ({
    results: work.results,
    relays,
    rounds: done,
    day,
    machine: thisMachine(),
    args: plan.args,
    notes: plan.notes,
    failures: [...plan.failures, ...work.failures],
  });
  await work.run({
    run: progress,
    // After every round: a run that is broken off has not been for nothing.
    round: (done) => writeFiles(options, outcome(done)),
  });
  progress("");
  for (const line of terminalReport(outcome(rounds))) console.log(line);
  for (const failure of outcome(rounds).failures) console.error(`failed: ${failure}`);
  return outcome(rounds).failures.length === 0 ? 0 : 1;
}

function writeFiles({ markdown, json }: Options, outcome: Outcome): void {
  if (markdown !== null) Deno.writeTextFileSync(markdown, markdownReport(outcome));
  if (json !== null) Deno.writeTextFileSync(json, jsonReport(outcome));
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
    return await outside(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
