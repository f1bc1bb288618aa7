/** What a run of the bench says in the end, for a terminal and for files. */
import type { Machine } from "./machine.ts";
import type { Relay } from "./relays.ts";
import { markdownTables, REFERENCE, type Results, table } from "./table.ts";

export interface Outcome {
  results: Results;
  relays: readonly Pick<Relay, "name" | "about">[];
  /** Rounds that are over. */
  rounds: number;
  /** The day, as ISO 8601 has it. */
  day: string;
  machine: Machine;
  /** The arguments of `deno task bench`. */
  args: readonly string[];
  notes: readonly string[];
  /** Each names what has failed, and why. */
  failures: readonly string[];
}

/** How the figures are to be read. */
function legend({ rounds, results }: Outcome): string[] {
  const beside = results.some(({ of }) => of.needsV2ray)
    ? [
      "Beside VMess and the seed's chain stands another v2ray on the same processors: it is in GB/s and not in CPU.",
    ]
    : [];
  return [
    `Median${rounds > 1 ? " [least–most]" : ""} of ${rounds} round${rounds === 1 ? "" : "s"} in turns.`,
    `×N: N times better than ${REFERENCE}: more a second, or less of what it costs.`,
    "CPU (user and system) and memory are the relay's alone; load is what the generator took itself.",
    ...beside,
  ];
}

/** The lines for a terminal, without failures. */
export function terminalReport(outcome: Outcome): string[] {
  const about = outcome.relays.map(({ name, about }) => `${name}: ${about}`);
  return [...table(outcome.results), "", ...legend(outcome), "", ...about, ...outcome.notes];
}

/** One document. */
export function markdownReport(outcome: Outcome): string {
  const { day, machine, args, relays, notes, failures } = outcome;
  const { processor, cores, kernel, memory } = machine;
  const command = ["deno task bench", ...args.map(quoteArgument)].join(" ");
  return [
    `- Day: ${day}`,
    `- Machine: ${processor}, ${cores} cores, ${(memory / 2 ** 30).toFixed(1)} GiB, Linux ${kernel}`,
    `- Command: \`${command}\``,
    ...relays.map(({ name, about }) => `- ${name}: ${about}`),
    ...notes.map((note) => `- ${note}`),
    ...failures.map((failure) => `- failed: ${failure}`),
    "",
    ...markdownTables(outcome.results),
    ...legend(outcome).map((line) => `${line}  `.trimEnd()),
    "",
  ].join("\n");
}

/** Every figure of every run. */
export function jsonReport({ results, ...rest }: Outcome): string {
  const cases = results.map(({ of: { name, metrics }, runs, seconds }) => ({
    name,
    seconds: Math.round(seconds),
    metrics: metrics.map((metric) => metric.name),
    runs: Object.fromEntries(runs),
  }));
  return JSON.stringify({ ...rest, cases }, null, 2) + "\n";
}

/** As a shell would have to be given it. */
function quoteArgument(argument: string): string {
  return /^[\w./=:@-]+$/.test(argument) ? argument : `"${argument.replaceAll(/(["\\$\`])/g, "\\$1")}"`;
}
