import process from "node:process";
import { formatComplaint } from "../config/complaint.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
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
  const { config, warnings } = loadConfig(readConfigs(options, say), {
    strict: options.strict,
    env: (name) => process.env[name],
  });
  for (const warning of warnings) screen.err(`warning: ${formatComplaint(warning)}`);
  return config;
}
