import { formatComplaint } from "../config/complaint.ts";
import { type ConfigFile, loadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import { environment } from "../runtime/process.ts";
import { readConfigs } from "./files.ts";
import type { Options } from "./flags.ts";
import type { Screen } from "./screen.ts";

/**
 * The config that a command line names, checked. Warnings go to standard error.
 *
 * @param say told which of the usual places is read where none is named
 * @throws MtrayError `config` with every complaint
 */
export function loadNamed(options: Options, screen: Screen, say: Screen["out"] = screen.err): Config {
  return loadFiles(readConfigs(options, say), options, screen);
}

/** The same for files that are read already. */
export function loadFiles(files: readonly ConfigFile[], options: Options, screen: Screen): Config {
  const { config, warnings } = loadConfig(files, {
    strict: options.strict,
    env: environment,
  });
  for (const warning of warnings) screen.err(`warning: ${formatComplaint(warning)}`);
  return config;
}
