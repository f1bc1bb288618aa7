import { codeOf, describe, type ErrorCode } from "../errors.ts";
import type { RefusalReason, SessionOpened } from "../observe/events.ts";
import { textOf } from "../runtime/address.ts";
import type { Session } from "../session.ts";
import type { Target } from "../stream/types.ts";
import type { HandlerContext } from "./types.ts";

/** Tells what becomes of an inbound's clients. */
export class SessionLog {
  readonly #context: HandlerContext & { readonly tag: string };

  constructor(context: HandlerContext & { readonly tag: string }) {
    this.#context = context;
  }

  /** Somebody was not served. */
  refused(
    source: Target,
    reason: RefusalReason,
    detail: string,
    about: { user?: { email: string }; target?: string } = {},
  ): void {
    this.#context.events.emit({
      kind: "refused",
      inboundTag: this.#context.tag,
      source: textOf(source),
      reason,
      detail,
      email: about.user?.email,
      target: about.target,
    });
  }

  /** There is no way out for a session. */
  noWay(session: Session, error: unknown): void {
    const code = codeOf(error);
    if (code === "stopped") return;
    const { source, user } = session;
    this.refused(source, REFUSALS[code] ?? "unreachable", describe(error), {
      user,
      target: targetText(session),
    });
  }

  opened(session: Session, via: string[], adopted: boolean): void {
    this.#context.events.emit({ kind: "session-opened", ...about(session, via), adopted });
  }

  closed(session: Session, via: string[], reason: string): void {
    this.#context.events.emit({
      kind: "session-closed",
      ...about(session, via),
      up: session.bytesUp,
      down: session.bytesDown,
      milliseconds: Math.round(this.#context.clock.now() - session.openedAt),
      reason,
    });
  }
}

/** What both events about a session say. Made anew for each: sessions are many, and live long. */
function about(session: Session, via: string[]): Omit<SessionOpened, "kind" | "adopted"> {
  return {
    id: session.id,
    inboundTag: session.inboundTag,
    source: textOf(session.source),
    target: targetText(session),
    email: session.user?.email ?? "",
    via,
  };
}

const REFUSALS: Partial<Record<ErrorCode, RefusalReason>> = {
  "blocked": "blocked",
  "unknown-data-centre": "unknown-data-centre",
};

/** As V2Ray writes it in an access log. */
function targetText({ network, target }: Session): string {
  return `${network}:${textOf(target)}`;
}
