/**
 * The client's half of FakeTLS: a TLS 1.3 ClientHello whose `random` proves that its sender knows the secret.
 *
 * Sources: RFC 8446 section 4.1.2; tdlib `td/mtproto/TlsInit.cpp`.
 */
// @ts-types="../../types/std_crypto.d.ts"
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { hmacSha256 } from "../../crypto/hash.ts";
import { concat } from "../../stream/bytes.ts";

const RECORD_HEADER = 5;
/** Content type handshake, and the version that every client writes on its first record. */
const RECORD_START = [0x16, 0x03, 0x01];
/** The most that one record may carry. */
const MOST_IN_RECORD = 16_384;
/** Some clients' helpers cut the hello into many records to get past filters; more than this is nobody's. */
const MOST_RECORDS = 10;
/** All records' bodies together. Today's hellos have up to 2 KB. */
const MOST_IN_ALL = 16_384;

const CLIENT_HELLO = 1;
const SERVER_NAME = 0, KEY_SHARE = 51;
const X25519 = 0x001d;
/** Where `random` stands in the message: behind type, length and version. */
const RANDOM = 6;
const RANDOM_LENGTH = 32;

/** What the first bytes of a connection are, so far. */
export type Gathered =
  | { state: "more" }
  | { state: "other"; reason: "not-a-hello" | "bad-record" | "bad-hello" }
  | { state: "hello"; message: Uint8Array; used: number };

/** Collects one ClientHello out of up to ten records. Pure: call it again with more bytes. */
export function gatherHello(bytes: Uint8Array): Gathered {
  const bodies: Uint8Array[] = [];
  let at = 0, gathered = 0;
  for (let records = 0; records < MOST_RECORDS; records++) {
    for (let i = 0; i < RECORD_START.length; i++) {
      if (at + i >= bytes.length) return { state: "more" };
      if (bytes[at + i] !== RECORD_START[i]) {
        return { state: "other", reason: records === 0 ? "not-a-hello" : "bad-hello" };
      }
    }
    if (bytes.length < at + RECORD_HEADER) return { state: "more" };
    const length = bytes[at + 3] << 8 | bytes[at + 4];
    if (length === 0 || length > MOST_IN_RECORD) return { state: "other", reason: "bad-record" };
    const body = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    if (body.length > 0) bodies.push(body);
    gathered += length;
    const expected = messageLength(bodies);
    if (gathered > MOST_IN_ALL || expected === "other" || (expected !== "more" && gathered > expected)) {
      return { state: "other", reason: "bad-hello" };
    }
    if (body.length < length) return { state: "more" };
    at += RECORD_HEADER + length;
    if (gathered === expected) return { state: "hello", message: concat(...bodies), used: at };
  }
  return { state: "other", reason: "bad-hello" };
}

/** The whole message's length as its first four bytes say it. */
function messageLength(bodies: Uint8Array[]): number | "more" | "other" {
  const start = concat(...bodies.map((body) => body.subarray(0, 4))).subarray(0, 4);
  if (start.length > 0 && start[0] !== CLIENT_HELLO) return "other";
  if (start.length < 4) return "more";
  const length = 4 + (start[1] << 16 | start[2] << 8 | start[3]);
  return length > MOST_IN_ALL ? "other" : length;
}

/** A hello, read but not believed. */
export interface ClientHello {
  random: Uint8Array;
  sessionId: Uint8Array;
  cipherSuites: number[];
  /** In lower case; empty when the client sent none. */
  serverName: string;
  /** Whether the client sent a key share that an x25519 share answers. */
  offersX25519: boolean;
  /** False when it stops making sense somewhere. What was read until then is there: a name says which site. */
  wellFormed: boolean;
}

/** Reads as much of a hello as makes sense. */
export function parseHello(message: Uint8Array): ClientHello {
  const hello: ClientHello = {
    random: new Uint8Array(),
    sessionId: new Uint8Array(),
    cipherSuites: [],
    serverName: "",
    offersX25519: false,
    wellFormed: false,
  };
  try {
    const reader = new Reader(message.subarray(4));
    reader.skip(2);
    hello.random = reader.bytes(RANDOM_LENGTH);
    hello.sessionId = reader.bytes(reader.u8());
    const suites = new Reader(reader.bytes(reader.u16()));
    while (suites.left > 0) hello.cipherSuites.push(suites.u16());
    reader.skip(reader.u8());
    const length = reader.u16();
    // A list that claims more than there is, is read as far as it goes.
    const extensions = new Reader(reader.bytes(Math.min(length, reader.left)));
    while (extensions.left > 0) {
      const type = extensions.u16();
      const body = new Reader(extensions.bytes(extensions.u16()));
      if (type === SERVER_NAME) hello.serverName = readServerName(body);
      if (type === KEY_SHARE) hello.offersX25519 = hasX25519(body);
    }
    hello.wellFormed = reader.left === 0 && length === extensions.all.length;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return hello;
}

function readServerName(body: Reader): string {
  const list = new Reader(body.bytes(body.u16()));
  while (list.left > 0) {
    const type = list.u8();
    const name = list.bytes(list.u16());
    if (type === 0) return String.fromCharCode(...name.subarray(0, 255)).toLowerCase();
  }
  return "";
}

function hasX25519(body: Reader): boolean {
  const shares = new Reader(body.bytes(body.u16()));
  while (shares.left > 0) {
    const group = shares.u16();
    const key = shares.bytes(shares.u16());
    if (group === X25519 && key.length === 32) return true;
  }
  return false;
}

/** What a secret says about a hello. */
export interface Proof {
  /** The client's clock, in seconds since 1970. */
  time: number;
  /**
   * First 16 bytes of the HMAC that we computed. A replay is known by these: the last four bytes of the hello's own
   * `random`, and with them its time, can be changed by anyone.
   */
  digest: Uint8Array;
}

/**
 * The HMAC runs over one record that holds the whole message, with `random` zeroed; the first 28 bytes of `random`
 * are that HMAC, the last four are it XOR the client's time. Null when the secret is another.
 */
export function verifyHello(secret: Uint8Array, message: Uint8Array): Proof | null {
  const header = Uint8Array.of(...RECORD_START, message.length >> 8, message.length & 255);
  const blank = message.slice();
  blank.fill(0, RANDOM, RANDOM + RANDOM_LENGTH);
  const expected = hmacSha256(secret, header, blank);
  const random = message.subarray(RANDOM, RANDOM + RANDOM_LENGTH);
  if (random.length < RANDOM_LENGTH || !timingSafeEqual(expected.subarray(0, 28), random.subarray(0, 28))) {
    return null;
  }
  const time = new DataView(
    Uint8Array.from(random.subarray(28), (byte, i) => byte ^ expected[28 + i]).buffer,
  );
  return { time: time.getUint32(0, true), digest: expected.slice(0, 16) };
}

/** Reads big-endian fields; throws RangeError where the bytes end. */
class Reader {
  #at = 0;
  constructor(readonly all: Uint8Array) {}

  get left(): number {
    return this.all.length - this.#at;
  }

  u8(): number {
    return this.bytes(1)[0];
  }

  u16(): number {
    const [high, low] = this.bytes(2);
    return high << 8 | low;
  }

  skip(length: number): void {
    this.bytes(length);
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw new RangeError("cannot read a ClientHello: it ends too early");
    this.#at += length;
    return this.all.subarray(this.#at - length, this.#at);
  }
}
