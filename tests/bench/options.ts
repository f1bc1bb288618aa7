// @ts-types="../../lib/types/std_cli.d.ts"
import { parseArgs } from "@std/cli/parse-args";

export interface Options {
  rounds: number;
  /** Numbers of connections to try. */
  connections: number[];
  /** Payload of one run, in bytes. */
  bytes: number;
  /** Leaves the slow cases out. */
  quick: boolean;
  /** Name and command of other relays. */
  peers: { name: string; command: string }[];
  /** Runs only cases whose name holds this. */
  only: string;
}

export const USAGE = `deno task bench [options]

  --quick              one round, less data, under a minute
  --rounds N           rounds, each with every relay in turn (3)
  --connections N      this number of connections instead of 1, 8 and 64
  --megabytes N        payload of one run (1000)
  --only TEXT          cases whose name holds TEXT
  --peer NAME=COMMAND  another relay, started with COMMAND, in which {config} is a file in V2Ray's form and
                       {port}, {secret} and {domain} stand for themselves; may be given again`;

/** @throws {Error} with a sentence for people */
export function parseOptions(args: string[]): Options {
  const unknown: string[] = [];
  const given = parseArgs(args, {
    boolean: ["quick"],
    string: ["rounds", "connections", "megabytes", "only", "peer"],
    collect: ["peer"],
    unknown: (name: string) => {
      unknown.push(name);
      return false;
    },
  });
  if (unknown.length > 0) throw new Error(`cannot understand ${unknown.join(", ")}\n\n${USAGE}`);
  const quick = given.quick === true;
  const connections = given.connections === undefined
    ? [1, 8, 64]
    : [positive("connections", given.connections)];
  return {
    quick,
    connections,
    rounds: positive("rounds", given.rounds ?? (quick ? 1 : 3)),
    bytes: positive("megabytes", given.megabytes ?? (quick ? 500 : 1000)) * 1e6,
    only: typeof given.only === "string" ? given.only : "",
    peers: (given.peer as string[] | undefined ?? []).map(peer),
  };
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
