import type { ConfigFile } from "../config/load.ts";
import { describe, MtrayError } from "../errors.ts";
import { exists, namesIn, readFile, readStandardInput } from "../runtime/files.ts";
import { late } from "../runtime/late.ts";
import type { Options } from "./flags.ts";
import type { Screen } from "./screen.ts";

const path = late<typeof import("node:path")>("node:path");

/** Where a config is looked for when none is named, in this order. */
export const PLACES = ["config.jsonc", "config.json", "/etc/mtray/config.jsonc"];

/** The two of them that belong to the working directory. */
export const LOCAL_PLACES = PLACES.slice(0, 2);

/**
 * The files that a command line names, or the first of the usual places.
 *
 * @param say told which of the usual places it is
 * @throws MtrayError `config` where there is none or one cannot be read
 */
export function readConfigs(options: Options, say: Screen["out"]): ConfigFile[] {
  const names = [...options.config, ...options.confdir.flatMap(filesIn)];
  if (names.length > 0) return names.map(read);
  const found = firstExisting(PLACES);
  if (found === undefined) {
    throw new MtrayError(
      "config",
      `cannot find a config: there is no ${PLACES.join(", no ")}. ` +
        "Name one with -c FILE, or let `mtray run --init` write one.",
    );
  }
  say(`Using ${shown(found)}.`);
  return [read(found)];
}

/** The first of some files that is there. */
export function firstExisting(names: readonly string[]): string | undefined {
  return names.find(exists);
}

/** A name in the working directory with its `./`, so that it is plain where the file lies. */
export function shown(name: string): string {
  return LOCAL_PLACES.includes(name) ? `./${name}` : name;
}

function filesIn(folder: string): string[] {
  let names: string[];
  try {
    names = namesIn(folder);
  } catch (error) {
    throw new MtrayError("config", `cannot read the folder ${folder}: ${reasonOf(error)}`, { cause: error });
  }
  const configs = names.filter((name) => /\.jsonc?$/.test(name)).sort();
  if (configs.length === 0) {
    throw new MtrayError("config", `cannot find a config: ${folder} holds no .json or .jsonc file`);
  }
  return configs.map((name) => path().join(folder, name));
}

function read(name: string): ConfigFile {
  const standardInput = name === "-" || name === "stdin:";
  try {
    return standardInput
      ? { name: "standard input", text: readStandardInput() }
      : { name, text: readFile(name) };
  } catch (error) {
    throw new MtrayError(
      "config",
      `cannot read ${standardInput ? "standard input" : name}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Why the system refused a file or a folder, in a person's words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? REASONS[code] ?? describe(error) : describe(error);
}

const REASONS: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "this user is not allowed to",
  EPERM: "this user is not allowed to",
  EISDIR: "it is a folder; --confdir reads all configs of a folder",
  ENOTDIR: "it is not a folder",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
};
