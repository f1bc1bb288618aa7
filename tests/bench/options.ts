// @ts-types="../../lib/types/std_cli.d.ts"
import { parseArgs } from "@std/cli/parse-args";

export interface Options {
  rounds: number;
  /** Numbers of connections to try; null: the cases' own. */
  connections: number[] | null;
  /** Payload of one run that moves bulk, in bytes; null: the cases' own. */
  bytes: number | null;
  /** Leaves the slow cases out. */
  quick: boolean;
  /** Name and command of other relays. */
  peers: { name: string; command: string }[];
  /** Runs only cases whose name holds this. */
  only: string;
  /** Runs only relays whose name holds this, and the reference. */
  relay: string;
  /** Files to write the table or all figures to, or null. */
  markdown: string | null;
  json: string | null;
}

export const USAGE = `deno task bench [options]

Everything takes about 25 minutes on two processors, and needs Linux and root.

  --quick              one round of the cases that matter most, under a minute
  --rounds N           rounds, each with every relay in turn (5)
  --connections N      this number of connections instead of 1, 8 and 64 (8 for VMess and the chain)
  --megabytes N        payload of one run that moves bulk (200 to 600, by the kind of work)
  --only TEXT          cases whose name holds TEXT
  --relay TEXT         relays whose name holds TEXT, beside v2ray
  --peer NAME=COMMAND  another MTProxy, started with COMMAND, in which {port}, {secret} and {domain} stand for
                       themselves and {config} for a file in V2Ray's form; may be given again
  --markdown FILE      writes the table there as Markdown, with the day, the machine and the command
  --json FILE          writes the figures of every single run there`;

/** @throws {Error} with a sentence for people */
export function parseOptions(args: string[]): Options {
  const unknown: string[] = [];
  const given = parseArgs(args, {
    boolean: ["quick"],
    string: ["rounds", "connections", "megabytes", "only", "relay", "peer", "markdown", "json"],
    collect: ["peer"],
    unknown: (name: string) => {
      unknown.push(name);
      return false;
    },
  });
  if (unknown.length > 0) throw new Error(`cannot understand ${unknown.join(", ")}\n\n${USAGE}`);
  const quick = given.quick === true;
  const { connections, megabytes } = given;
  return {
    quick,
    connections: connections !== undefined ? [positive("connections", connections)] : quick ? [8] : null,
    rounds: positive("rounds", given.rounds ?? (quick ? 1 : 5)),
    bytes: megabytes === undefined ? null : positive("megabytes", megabytes) * 1e6,
    only: text(given.only) ?? "",
    relay: text(given.relay) ?? "",
    peers: (given.peer as string[] | undefined ?? []).map(peer),
    markdown: text(given.markdown),
    json: text(given.json),
  };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function positive(name: string, value: unknown): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`cannot take --${name} ${value}: it must be a whole number above 0`);
}

function peer(text: string): { name: string; command: string } {
  const at = text.indexOf("=");
  if (at <= 0) throw new Error(`cannot take --peer ${text}: it must be NAME=COMMAND`);
  return { name: text.slice(0, at), command: text.slice(at + 1) };
}
