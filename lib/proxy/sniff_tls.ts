import { requestedName } from "./requested_host.ts";

const HANDSHAKE_RECORD = 22, CLIENT_HELLO = 1, SERVER_NAME = 0;
/** Of a record in clear, in bytes. */
const LONGEST_RECORD = 1 << 14;

/**
 * Looks for a ClientHello (RFC 8446, 4.1.2), which may lie in several records.
 *
 * @param bytes the first that a client sent, so far
 * @returns its server name, if it has one; "more" while that is open; null when it is no ClientHello
 */
export function sniffTls(bytes: Uint8Array): { domain?: string } | "more" | null {
  const { joined, ended } = handshakeIn(bytes);
  const found = readHello(new Cursor(joined));
  return found === "more" && ended ? null : found;
}

/**
 * What the records hold, without their headers, up to the first that is no handshake: behind its hello a client may
 * send others at once. `ended` tells whether there is one.
 */
function handshakeIn(bytes: Uint8Array): { joined: Uint8Array; ended: boolean } {
  const joined = new Uint8Array(bytes.length);
  let length = 0;
  let ended = false;
  for (let at = 0; at < bytes.length;) {
    const [type, major, minor, high, low] = bytes.subarray(at, at + 5);
    ended = type !== HANDSHAKE_RECORD || (major ?? 3) !== 3 || (minor ?? 0) > 4;
    if (ended || low === undefined) break;
    const size = high << 8 | low;
    ended = size === 0 || size > LONGEST_RECORD;
    if (ended) break;
    const part = bytes.subarray(at + 5, at + 5 + size);
    joined.set(part, length);
    length += part.length;
    at += 5 + size;
  }
  return { joined: joined.subarray(0, length), ended };
}

function readHello(hello: Cursor): { domain?: string } | "more" | null {
  const type = hello.number(1);
  if (type !== CLIENT_HELLO && !hello.short) return null;
  const end = 4 + hello.number(3);
  const major = hello.number(1);
  if (major !== 3 && !hello.short) return null;
  hello.skip(1 + 32);
  hello.skip(hello.number(1));
  hello.skip(hello.number(2));
  hello.skip(hello.number(1));
  // Hellos without extensions are allowed to end here.
  if (!hello.short && hello.at === end) return {};
  const extensions = hello.number(2);
  if (hello.short) return "more";
  if (hello.at + extensions !== end) return null;
  while (hello.at < end) {
    const kind = hello.number(2), length = hello.number(2);
    const next = hello.at + length;
    if (next > end) return null;
    if (hello.short) return "more";
    if (kind === SERVER_NAME) return readName(hello, next);
    hello.skip(length);
  }
  return {};
}

/** The extension of RFC 6066, 3: a list, in which there is one name in practice. */
function readName(hello: Cursor, end: number): { domain?: string } | "more" | null {
  hello.skip(2);
  const type = hello.number(1), length = hello.number(2);
  const name = hello.text(length);
  if (hello.short) return "more";
  if (type !== 0 || hello.at > end) return null;
  const domain = requestedName(name);
  return domain === null ? {} : { domain };
}

/** Reads numbers until there are no more bytes; from then on it is short, and what it reads is 0. */
class Cursor {
  at = 0;
  short = false;

  constructor(readonly bytes: Uint8Array) {}

  number(size: number): number {
    let value = 0;
    for (const byte of this.#next(size)) value = value << 8 | byte;
    return value;
  }

  text(length: number): string {
    return String.fromCharCode(...this.#next(length));
  }

  skip(length: number): void {
    this.#next(length);
  }

  #next(length: number): Uint8Array {
    const from = this.at;
    if (this.short || from + length > this.bytes.length) {
      this.short = true;
      return new Uint8Array();
    }
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }
}
