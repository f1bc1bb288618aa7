import type { FlagName, Options } from "./flags.ts";
import type { Screen } from "./screen.ts";

/** One word of the command line. */
export interface Command {
  name: string;
  /** What follows the name: "-c FILE [--strict]". */
  usage: string;
  /** One line, for the list of commands. */
  summary: string;
  /** Paragraphs, for `mtray help NAME`. */
  help: string;
  flags: FlagName[];
  /** Whether words that are no flags may follow. */
  takesWords?: boolean;
  /** @returns the exit code, 0 where nothing is returned; what is thrown becomes one by its code */
  run(options: Options, screen: Screen): number | void | Promise<number | void>;
}
