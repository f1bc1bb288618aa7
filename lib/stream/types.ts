/** What `readyBefore` answers when the deadline came first. */
export const timedOut = Symbol("timed out");

/** Where to, or from where. `host` is an IPv4 or IPv6 address without brackets, or a domain name. */
export interface Target {
  host: string;
  /** 1–65535 */
  port: number;
}

/**
 * A connection, seen as two directions that end separately.
 *
 * Bytes never travel inside a promise: a promise that has waited long is old, and what it was resolved with stays
 * in memory until a full garbage collection. So reading is two steps, a wait and a synchronous take, and a
 * wrapper is synchronous too: its `take` transforms the inner `take`, its `write` the inner `write`.
 */
export interface ByteStream {
  /** Waits. True: `take` has bytes. False: the peer finished sending. Rejects when the stream broke. One at a time. */
  ready(): Promise<boolean>;

  /**
   * The same with a deadline, in milliseconds of the monotonic clock (`performance.now()`). After `timedOut` nothing
   * is lost: the next call goes on with the same wait.
   */
  readyBefore(deadline: number): Promise<boolean | typeof timedOut>;

  /**
   * What came, at once; call it once per `ready()` that said true. The view may be read and overwritten until the
   * caller's next `ready()`. It may be empty (a wrapper got half a record): wait again.
   *
   * @param room writable bytes that must lie in front of the view, at most ROOM; a stream that cannot promise
   * that copies.
   */
  take(room?: number): Uint8Array;

  /**
   * Sends `a`, then `b`, as one write. Both are lent to the stream until the result settles, and the stream may
   * overwrite them (ciphers work in place). Nothing returned means settled. One at a time, and none after
   * `closeWrite`.
   */
  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void;

  /** Tells the peer that no more will come; reading goes on. Where a stream cannot half-close, it only flushes. */
  closeWrite(): Promise<void> | void;

  /** Whether `closeWrite` reaches the peer. */
  readonly halfCloses: boolean;

  /**
   * Ends both directions. With a reason it is an abort: the peer sees a reset where the system can send one. Bytes
   * and an end that were already received stay readable. Calling it again is harmless.
   */
  close(reason?: unknown): void;
}

/** The most `room` that may be asked of `take`, in bytes. */
export const ROOM = 64;

/** One datagram. */
export interface Packet {
  /** Belongs to whoever received it. */
  data: Uint8Array;
  /** Whoever sent it. On a stream that leads to a client it is whoever the client sends it to. */
  from: Target;
}

/** Datagrams. May drop, never splits or joins. */
export interface PacketStream {
  /** Null after an end from either side. Rejects when the stream broke. One at a time. */
  receive(): Promise<Packet | null>;
  /**
   * On a stream that leads to a client, `to` is whoever sent the answer. `data` is the stream's own from now on. At
   * most MOST_WAITING datagrams wait for a slow way; the oldest is dropped for a new one.
   */
  send(data: Uint8Array, to: Target): void;
  close(): void;
  /** Datagrams that were dropped here, in either direction. */
  readonly dropped: number;
}

/** A bound UDP port. */
export interface BoundPackets extends PacketStream {
  /** As bound: port 0 has become a real one. */
  readonly address: Target;
}

/** Datagrams that may wait for a slow reader or a slow way out, in each direction. */
export const MOST_WAITING = 64;

/** Opens a way for datagrams, first of all to `target`. Rejects as `Dial` does. */
export type DialPackets = (target: Target, signal: AbortSignal) => Promise<PacketStream>;

/** What a dial may be told beside the target. */
export interface DialOptions {
  /** The stream must not share a connection with others, as it would in a multiplexer. */
  alone?: boolean;
  /** For the lowest dial: when the system asks a silent peer whether it is still there. */
  keepAlive?: KeepAlive;
}

/** In seconds; what is left out is the system's. */
export interface KeepAlive {
  /** Silence before the first question. */
  idle?: number;
  /** Between questions. */
  interval?: number;
}

/** Connects to a target. Rejects with `unreachable`, `refused` or `stopped`. */
export type Dial = (target: Target, options: DialOptions, signal: AbortSignal) => Promise<ByteStream>;

/** A connection that a listener took in. */
export interface Accepted {
  stream: ByteStream;
  remote: Target;
  local: Target;
  /** Where a transparently redirected connection was going. */
  originalTarget?: () => Target | null;
}
