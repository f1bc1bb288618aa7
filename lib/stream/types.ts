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

/** One datagram and where it came from. */
export interface Packet {
  data: Uint8Array;
  from: Target;
}

/** Datagrams. May drop, never splits or joins. */
export interface PacketStream {
  /** Null after `close`. One at a time. */
  receive(): Promise<Packet | null>;
  send(data: Uint8Array, to: Target): void;
  close(): void;
}

/** What a dial may be told about the socket. */
export interface DialOptions {
  /** Local address to send from. */
  from?: string;
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
