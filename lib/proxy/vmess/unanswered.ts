import { MtrayError } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import type { Target } from "../../stream/types.ts";
import type { OutboundContext } from "../types.ts";

/** How often the log says it, in milliseconds. */
const REPEAT = 60_000;

/**
 * What is said when a server ends connections without an answer. It may have a hundred reasons and tells none, but
 * these are the ones that are met.
 */
export class Unanswered {
  readonly #context: Pick<OutboundContext, "tag" | "events" | "clock" | "warnings">;
  #said = -Infinity;

  constructor(context: Pick<OutboundContext, "tag" | "events" | "clock" | "warnings">) {
    this.#context = context;
  }

  /** Writes it into the log, once a minute at most, and makes the error for the session. */
  by(server: Target): MtrayError {
    const { tag, events, clock, warnings } = this.#context;
    const now = clock.now();
    if (now - this.#said >= REPEAT) {
      this.#said = now;
      // A clock that is plainly wrong has a warning of its own, and is the reason.
      if (!warnings.beforeRelease()) {
        events.note(
          "warning",
          `${tag}: ${
            textOf(server)
          } ends connections without an answer. Compare the id with the server's, see that ` +
            "the server's alterId is 0, and that its clock and this box's are right to two minutes",
        );
      }
    }
    return new MtrayError("refused", `${textOf(server)} ended the connection without an answer`);
  }
}
