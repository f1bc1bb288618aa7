import type { Target } from "./stream/types.ts";

/** Whoever authenticated on an inbound. */
export interface User {
  /** Empty when the config gives none. */
  email: string;
  /** Index into `policy.levels`. */
  level: number;
}

/** An AES-256-CTR key (32 bytes) and initial counter (16 bytes). */
export interface CtrKey {
  key: Uint8Array;
  iv: Uint8Array;
}

/** What an MTProto client said in its obfuscated2 header. */
export interface MtprotoHeader {
  /** The framing, as its tag byte repeated four times on the wire: 0xef, 0xee or 0xdd. */
  tag: number;
  /** Signed data centre id; negative asks for its media servers, 10000 and more for the test centres. */
  dc: number;
  /** The key that the client decrypts its downlink with, for an outbound that can have the data centre use it. */
  offer?: CtrKey;
}

/** All that passes from an inbound to an outbound. */
export interface Session {
  /** Counts up from 1 in a process. */
  id: number;
  inboundTag: string;
  user?: User;
  source: Target;
  local: Target;
  network: "tcp" | "udp";
  target: Target;
  sniffed?: { protocol: string; domain?: string };
  mtproto?: MtprotoHeader;
  /** It must not share a connection with others, as it would in a multiplexer. */
  alone?: boolean;
  /** Payload from the client, grown as it passes. */
  bytesUp: number;
  /** Payload to the client, grown as it passes. */
  bytesDown: number;
  /** Milliseconds of the monotonic clock. */
  openedAt: number;
}

/**
 * The session that a chained hop or the way to a site is given: a target of its own, and nothing of the client or
 * of the protocol that runs inside.
 */
export function childSession(target: Target, network: "tcp" | "udp" = "tcp", alone = false): Session {
  const nowhere = { host: "0.0.0.0", port: 0 };
  return {
    id: 0,
    inboundTag: "",
    source: nowhere,
    local: nowhere,
    network,
    target,
    alone,
    bytesUp: 0,
    bytesDown: 0,
    openedAt: 0,
  };
}
