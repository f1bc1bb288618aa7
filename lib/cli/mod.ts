import { MtrayError } from "../errors.ts";
import { runtime, stdoutIsTerminal } from "../runtime/mod.ts";
import type { Command } from "./command.ts";
import { report } from "./exit.ts";
import { catchFailures } from "./failures.ts";
import { type FlagName, type Options, readFlags } from "./flags.ts";
import { help, helpText } from "./help.ts";
import { importCommand } from "./import.ts";
import { init } from "./init.ts";
import { link } from "./link.ts";
import { nearest } from "../config/nearest.ts";
import { run } from "./run.ts";
import { realScreen, type Screen } from "./screen.ts";
import { secret } from "./secret.ts";
import { test } from "./test.ts";
import { uuid } from "./uuid.ts";
import { version } from "./version.ts";
import { work } from "./work.ts";

/** Every command, in the order of `mtray help`. */
export const COMMANDS: Command[] = [
  run,
  init,
  test,
  link,
  importCommand,
  secret,
  uuid,
  version,
  help(() => COMMANDS),
];

/** The whole program: reads the arguments, runs a command, exits. */
export async function main(): Promise<void> {
  const screen = realScreen(stdoutIsTerminal());
  if (!runtime.isMainThread) return work(screen);
  catchFailures(screen);
  runtime.exit(await runCommand(runtime.args, screen));
}

/** @returns the exit code; never rejects */
export async function runCommand(args: readonly string[], screen: Screen): Promise<number> {
  try {
    const { command, options } = understand(args);
    if (options.help && command.name !== "help") {
      screen.out(helpText(command));
      return 0;
    }
    return await command.run(options, screen) ?? 0;
  } catch (error) {
    return report(error, screen);
  }
}

/**
 * Finds the command and its flags. V2Ray's old command line has no commands: `-test` and `-version` are flags, and
 * flags alone run the config.
 *
 * @throws MtrayError `usage`
 */
export function understand(args: readonly string[]): { command: Command; options: Options } {
  const [first, ...rest] = args;
  if (first !== undefined && !first.startsWith("-")) {
    const command = find(first);
    const options = readFlags(rest, command.flags);
    if (!command.takesWords) refuseWords(options.words);
    return { command: options.test ? test : command, options };
  }
  const flags: FlagName[] = ["version", ...run.flags];
  const options = readFlags(args, flags);
  refuseWords(options.words);
  const command = options.help ? find("help") : options.version ? version : options.test ? test : run;
  return { command, options };
}

function find(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return command;
  const guess = nearest(name, COMMANDS.map((each) => each.name));
  const hint = guess ? `did you mean mtray ${guess}?` : "see `mtray help`";
  throw new MtrayError("usage", `unknown command ${name}: ${hint}`);
}

function refuseWords(words: readonly string[]): void {
  if (words.length === 0) return;
  const isCommand = COMMANDS.some(({ name }) => name === words[0]);
  const hint = isCommand
    ? "the command comes first"
    : /^vmess:/i.test(words[0])
    ? "a link is given with --vmess LINK, or to `mtray import`"
    : "a config is named with -c FILE";
  throw new MtrayError("usage", `cannot use the argument ${words[0]}: ${hint}`);
}
