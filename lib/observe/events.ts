/**
 * What happens, in one typed stream. The code that moves bytes only emits; logs and counters listen.
 *
 * Addresses are text ("192.168.1.5:40000"). No event ever carries a secret.
 */
export type Event =
  | { kind: "listening"; inboundTag: string; protocol: string; address: string }
  | { kind: "stopped-listening"; inboundTag: string; address: string }
  | SessionOpened
  | SessionClosed
  | Refused
  | Fronted
  | { kind: "fronting-ended"; inboundTag: string; source: string; site: string; up: number; down: number }
  | ClockDiffers
  | Note;

/** A client's session has its way out. */
export interface SessionOpened {
  kind: "session-opened";
  id: number;
  inboundTag: string;
  source: string;
  /** "tcp:149.154.167.51:443", as V2Ray writes it in an access log. */
  target: string;
  email: string;
  /** Tags of the hops, first hop first. */
  via: string[];
  /** For MTProto: the data centre encrypts its downlink with the client's own key. */
  adopted: boolean;
}

/** The same session is over. */
export interface SessionClosed {
  kind: "session-closed";
  id: number;
  inboundTag: string;
  source: string;
  target: string;
  email: string;
  via: string[];
  /** Payload bytes from the client. */
  up: number;
  /** Payload bytes to the client. */
  down: number;
  /** How long it lived. */
  milliseconds: number;
  /** "finished", or what went wrong. */
  reason: string;
}

/** Why somebody was not served. */
export type RefusalReason =
  | "handshake-timeout"
  | "no-user"
  | "bad-header"
  | "replay"
  | "handshake-limit"
  | "fronting-limit"
  | "site-unreachable"
  | "no-route"
  | "unknown-data-centre"
  | "unreachable"
  | "blocked";

export interface Refused {
  kind: "refused";
  inboundTag: string;
  source: string;
  reason: RefusalReason;
  /** A sentence for people. */
  detail: string;
  email?: string;
  target?: string;
}

/** Why a stranger was shown the site. */
export type FrontingReason =
  | "not-a-hello"
  | "bad-record"
  | "http"
  | "bad-hello"
  | "wrong-name"
  | "wrong-secret"
  | "no-common-cipher"
  | "stale"
  | "replay"
  | "silent";

/** A stranger was handed over to the site. */
export interface Fronted {
  kind: "fronted";
  inboundTag: string;
  source: string;
  reason: FrontingReason;
  /** "host:port" */
  site: string;
  detail: string;
}

/** A client with a valid secret, whose clock and ours disagree. */
export interface ClockDiffers {
  kind: "clock-differs";
  inboundTag: string;
  source: string;
  /** Client's time minus ours. */
  seconds: number;
}

/** Anything else worth a line. */
export interface Note {
  kind: "note";
  level: "debug" | "info" | "warning" | "error";
  text: string;
}

export type EventListener = (event: Event) => void;

/** Hands events to whoever listens. A listener that throws must not break a connection. */
export class Events {
  readonly #listeners = new Set<EventListener>();

  /** @returns a function that ends the subscription */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        console.error("a listener of events failed:", error);
      }
    }
  }

  note(level: Note["level"], text: string): void {
    this.emit({ kind: "note", level, text });
  }
}
