import { describe } from "../errors.ts";
import { runtime } from "../runtime/mod.ts";
import { onFailure } from "../runtime/process.ts";
import { report } from "./exit.ts";
import { debugging, type Screen } from "./screen.ts";

let log: ((text: string) => void) | undefined;

/**
 * Takes over what nobody caught; on their own the runtimes print a stack trace and choose an exit code. A thrown
 * exception ends the program. A rejected promise concerns one connection and is only said.
 *
 * @param end ends the program where that is not for this thread to do
 */
export function catchFailures(
  screen: Screen,
  end = (error: unknown): void => runtime.exit(report(error, screen)),
): void {
  onFailure({
    thrown: end,
    rejected: (error) => {
      if (log === undefined || debugging()) report(error, screen);
      log?.(`a failure that nobody handled: ${describe(error)}`);
    },
  });
}

/** From now on rejections go to the log. */
export function logRejections(to: (text: string) => void): void {
  log = to;
}
