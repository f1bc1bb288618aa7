import { MtrayError } from "../../errors.ts";
import { textOf } from "../../runtime/address.ts";
import type { Target } from "../../stream/types.ts";
import type { OutboundContext } from "../types.ts";

/** How often the log says it, in milliseconds. */
const REPEAT = 60_000;
/** Whom a server has answered this lately, it knows; milliseconds. */
const LATELY = 10 * 60_000;

/**
 * What is said when a server ends connections without an answer. It tells no reason. When it never answers it is the
 * id, the alterId or a clock; when it answers others it could not connect.
 */
export class Unanswered {
  readonly #context: Pick<OutboundContext, "tag" | "below" | "events" | "clock" | "warnings">;
  /** By user of a server: when it was answered last. */
  readonly #answers = new WeakMap<object, number>();
  #said = -Infinity;

  constructor(context: Pick<OutboundContext, "tag" | "below" | "events" | "clock" | "warnings">) {
    this.#context = context;
  }

  /** The server knows this user. */
  answered(user: object): void {
    this.#answers.set(user, this.#context.clock.now());
  }

  /** Writes it into the log, once a minute at most, and makes the error for the session. */
  by(server: Target, user: object): MtrayError {
    const { tag, below, events, clock, warnings } = this.#context;
    // A hop that cannot reach the server just ends the connection, too.
    const hop = below.length === 0 ? "" : `; or ${below.at(-1)} cannot reach it`;
    const address = textOf(server), now = clock.now();
    if (now - (this.#answers.get(user) ?? -Infinity) < LATELY) {
      return new MtrayError(
        "refused",
        `${address} ended the connection without an answer: it probably cannot reach the target`,
      );
    }
    if (now - this.#said >= REPEAT) {
      this.#said = now;
      // A clock that is plainly wrong has a warning of its own, and is the reason.
      if (!warnings.beforeRelease()) {
        events.note(
          "warning",
          `${tag}: ${address} ends connections without an answer. Compare the id with the server's, see that ` +
            `the server's alterId is 0, and that its clock and this box's are right to two minutes${hop}`,
        );
      }
    }
    return new MtrayError(
      "refused",
      `${address} ended the connection without an answer: check the id, that the server's alterId is 0, ` +
        `and this box's clock${hop}`,
    );
  }
}
