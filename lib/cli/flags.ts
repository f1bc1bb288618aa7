// @ts-types="../types/std_cli.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { MtrayError } from "../errors.ts";
import { nearest } from "../config/nearest.ts";

interface Flag {
  /** What stands for the value in a help text; a flag without one is on or off. */
  value?: string;
  /** Other spellings. */
  also?: string[];
  help: string;
}

/** Every flag of every command. */
export const FLAGS = {
  config: {
    value: "FILE",
    also: ["c"],
    help: "the config; may be given several times, later files add to earlier ones; - reads standard input",
  },
  confdir: {
    value: "DIR",
    help: "read every .json and .jsonc file of a folder, in the order of their names",
  },
  format: { value: "FORMAT", help: "V2Ray's flag: json, jsonc or auto; mtray reads nothing else" },
  init: { help: "write a config first where there is none" },
  domain: { value: "NAME", help: "the web site of an ee secret; drawn from a list otherwise" },
  vmess: {
    value: "LINK",
    help: "a vmess:// link: go to Telegram through its server; - reads it from standard input",
  },
  host: { value: "HOST", help: "the address or name to put into links, instead of those of this box" },
  strict: { help: "take unknown keys of the config for errors" },
  json: { help: "print JSON" },
  kind: { value: "KIND", help: "classic, dd or ee (the default)" },
  verbose: { help: "say more" },
  test: { help: "only check the config, as `mtray test` does" },
  version: { also: ["V"], help: "print the version" },
  help: { also: ["h"], help: "explain" },
} satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;

/** What a command line asked for. */
export interface Options {
  config: string[];
  confdir: string[];
  domain?: string;
  /** A share link: never to be shown. */
  vmess?: string;
  host?: string;
  kind?: string;
  init: boolean;
  strict: boolean;
  json: boolean;
  verbose: boolean;
  test: boolean;
  version: boolean;
  help: boolean;
  /** Words that are no flags. */
  words: string[];
}

const table: Record<string, Flag> = FLAGS;
const names = Object.keys(FLAGS) as FlagName[];
const repeatable = ["config", "confdir"];

/**
 * Reads the flags of one command.
 *
 * @param allowed the flags that the command knows; `help` is always among them
 * @throws MtrayError `usage`
 */
export function readFlags(args: readonly string[], allowed: readonly FlagName[]): Options {
  const known: string[] = [...allowed, "help"];
  const alias: Record<string, readonly string[]> = {};
  for (const name of known) alias[name] = table[name].also ?? [];

  const parsed = parseArgs(respell(args), {
    string: ["_", ...known.filter((name) => table[name].value)],
    boolean: known.filter((name) => !table[name].value),
    collect: known.filter((name) => table[name].value),
    alias,
    unknown: (argument, key) => {
      if (key === undefined) return true;
      throw unknownFlag(argument, known);
    },
  });

  const values = (name: string): string[] =>
    known.includes(name) ? [parsed[name] ?? []].flat().map(String) : [];
  for (const name of known) {
    if (!table[name].value) continue;
    const given = values(name);
    if (given.includes("")) throw new MtrayError("usage", `--${name} needs a value: ${written(name)}`);
    if (given.length > 1 && !repeatable.includes(name)) {
      throw new MtrayError("usage", `--${name} was given ${given.length} times; once is enough`);
    }
  }
  const format = values("format")[0];
  if (format && !["json", "jsonc", "auto"].includes(format.toLowerCase())) {
    throw new MtrayError("usage", `cannot read the format ${format}: mtray's configs are JSON`);
  }
  const on = (name: FlagName) => parsed[name] === true;
  return {
    config: values("config"),
    confdir: values("confdir"),
    domain: values("domain")[0],
    vmess: values("vmess")[0],
    host: values("host")[0],
    kind: values("kind")[0],
    init: on("init"),
    strict: on("strict"),
    json: on("json"),
    verbose: on("verbose"),
    test: on("test"),
    version: on("version"),
    help: on("help"),
    words: parsed._.map(String),
  };
}

/** A flag as a help text writes it: `-c, --config FILE`. */
export function written(name: string): string {
  const { value, also = [] } = table[name];
  const spellings = [...also.map((letter) => `-${letter}`), `--${name}`].join(", ");
  return value ? `${spellings} ${value}` : spellings;
}

/**
 * V2Ray writes long flags with one dash; `parseArgs` would take `-test` for four letters. It also would take a lone
 * dash, which means standard input, for a flag.
 */
function respell(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  const spelt = flags.map((argument) => {
    const name = /^-([a-z]{2,})(=.*)?$/s.exec(argument)?.[1];
    return name && names.includes(name as FlagName) ? `-${argument}` : argument;
  });
  const joined: string[] = [];
  for (let i = 0; i < spelt.length; i++) {
    const name = spelt[i] === "-c" ? "config" : /^--([a-z]+)$/.exec(spelt[i])?.[1] ?? "";
    if (spelt[i + 1] === "-" && table[name]?.value) joined.push(`${spelt[i++]}=-`);
    else joined.push(spelt[i]);
  }
  return end < 0 ? joined : [...joined, ...args.slice(end)];
}

function unknownFlag(argument: string, known: readonly string[]): MtrayError {
  const name = argument.replace(/^-+/, "").replace(/=.*$/s, "");
  const guess = nearest(name, known);
  const hint = guess
    ? `did you mean --${guess}?`
    : names.includes(name as FlagName)
    ? "it belongs to another command; see `mtray help`"
    : "see `mtray help`";
  return new MtrayError("usage", `unknown flag ${argument.replace(/=.*$/s, "")}: ${hint}`);
}
