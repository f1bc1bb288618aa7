import { codeOf, describe, MtrayError } from "../errors.ts";
import { debugging, type Screen } from "./screen.ts";

/** Exit codes. 23 is V2Ray's: service managers are told not to start such a config again and again. */
export const EXIT = { stopped: 0, failed: 1, usage: 2, config: 23 } as const;

/** Says what went wrong, in one sentence unless it was a list of complaints, and chooses the exit code. */
export function report(error: unknown, screen: Screen): number {
  if (debugging()) screen.err(error instanceof Error && error.stack ? error.stack : String(error));
  if (!(error instanceof MtrayError)) {
    screen.err(`mtray: an unexpected failure: ${describe(error)} (MTRAY_DEBUG=1 shows where)`);
    return EXIT.failed;
  }
  screen.err(error.message);
  const code = codeOf(error);
  return code === "config" ? EXIT.config : code === "usage" ? EXIT.usage : EXIT.failed;
}
