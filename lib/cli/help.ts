import { MtrayError } from "../errors.ts";
import type { Command } from "./command.ts";
import { FLAGS, written } from "./flags.ts";
import { nearest } from "../config/nearest.ts";

/** @param commands the table, which holds this command too */
export function help(commands: () => Command[]): Command {
  return {
    name: "help",
    usage: "[COMMAND]",
    summary: "explain mtray or one of its commands",
    help: "Without a command it lists them all.",
    flags: [],
    takesWords: true,
    run({ words }, screen) {
      if (words.length === 0) return screen.out(overview(commands()));
      const [name] = words;
      const command = commands().find((each) => each.name === name);
      if (!command) {
        const guess = nearest(name, commands().map((each) => each.name));
        throw new MtrayError(
          "usage",
          `cannot explain ${name}: there is no such command` + (guess ? `; did you mean ${guess}?` : ""),
        );
      }
      screen.out(helpText(command));
    },
  };
}

/** What `mtray help COMMAND` prints. */
export function helpText(command: Command): string {
  const flags = command.flags.map((name) => [written(name), FLAGS[name].help] as const);
  return [
    `mtray ${command.name} ${command.usage}`.trimEnd(),
    "",
    command.help.trim(),
    ...(flags.length > 0 ? ["", "Flags:", ...columns(flags)] : []),
  ].join("\n");
}

function overview(commands: readonly Command[]): string {
  return [
    "mtray takes Telegram clients in over MTProto proxy and carries them to Telegram.",
    "",
    "Commands:",
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    "",
    "`mtray help COMMAND` explains one. The first start: `mtray run --init`.",
    "V2Ray's command line works too: mtray -c FILE, -config FILE, -confdir DIR, -test, -version.",
    "Exit codes: 0 stopped as asked, 1 could not start or failed, 2 wrong command line, 23 wrong config.",
  ].join("\n");
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
