/**
 * obfuscated2, both ends, written from facts/mtproto.md 2.1 and from nothing in lib/: a second opinion.
 *
 * The 64-byte header holds the keys of both directions; everything after it is AES-256-CTR.
 */
import { createCipheriv, createHash } from "node:crypto";
import { concat, random, reversed, view } from "./bytes.ts";

export const ABRIDGED = 0xef;
export const INTERMEDIATE = 0xee;
export const PADDED = 0xdd;
export const TAGS: readonly number[] = [ABRIDGED, INTERMEDIATE, PADDED];

/** An AES-256 key (32 bytes) and the first counter block (16 bytes). */
export interface CtrKey {
  key: Uint8Array;
  iv: Uint8Array;
}

/** A running AES-256-CTR keystream. */
export class Keystream {
  readonly #cipher;

  constructor({ key, iv }: CtrKey) {
    this.#cipher = createCipheriv("aes-256-ctr", key, iv);
  }

  /** The next bytes of the stream, encrypted or decrypted (the same thing), as a fresh array. */
  update(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(this.#cipher.update(bytes));
  }
}

/** What either end has once the header has passed. "Up" runs from the one who sent the header. */
export interface Ends {
  tag: number;
  /** Signed data centre id. */
  dc: number;
  /** As it stands on the wire. */
  header: Uint8Array;
  upKey: CtrKey;
  downKey: CtrKey;
  up: Keystream;
  down: Keystream;
}

export interface HeaderOptions {
  tag: number;
  dc: number;
  /** The proxy's 16-byte secret; none when a data centre is dialled. */
  secret?: Uint8Array;
  /** The first 56 bytes instead of random ones. */
  start?: Uint8Array;
  /** The last two bytes instead of random ones. */
  tail?: Uint8Array;
  /** Makes the acceptor encrypt its answers with this key, as a proxy does that adopts its client's downlink key. */
  adopt?: CtrKey;
}

/** Makes the header that opens a connection. `ends.header` is what goes out first. */
export function initiate(options: HeaderOptions): Ends {
  const plain = concat(options.start ?? drawStart(options.adopt), new Uint8Array(8));
  plain.fill(options.tag, 56, 60);
  view(plain).setInt16(60, options.dc, true);
  plain.set(options.tail ?? random(2), 62);
  const keys = derive(plain, options.secret);
  const up = new Keystream(keys.upKey);
  const header = concat(plain.subarray(0, 56), up.update(plain).subarray(56));
  return { tag: options.tag, dc: options.dc, header, ...keys, up, down: new Keystream(keys.downKey) };
}

/** Reads a header as the proxy (with its secret) or a data centre (without) does. Null: no known tag in it. */
export function accept(header: Uint8Array, secret?: Uint8Array): Ends | null {
  const keys = derive(header, secret);
  const up = new Keystream(keys.upKey);
  const plain = up.update(header);
  const tag = plain[56];
  if (!TAGS.includes(tag) || plain.subarray(56, 60).some((byte) => byte !== tag)) return null;
  return { tag, dc: view(plain).getInt16(60, true), header, ...keys, up, down: new Keystream(keys.downKey) };
}

/** Bytes 8–55 of a header that makes the acceptor answer with `downKey`. */
export function keyBytesFor(downKey: CtrKey): Uint8Array {
  return reversed(concat(downKey.key, downKey.iv));
}

/** Both directions' keys. Only bytes 8–55 matter, and those stand on the wire in clear. */
function derive(header: Uint8Array, secret?: Uint8Array): { upKey: CtrKey; downKey: CtrKey } {
  const straight = header.slice(8, 56);
  const backwards = reversed(straight);
  const mix = (key: Uint8Array) =>
    secret ? new Uint8Array(createHash("sha256").update(key).update(secret).digest()) : key;
  return {
    upKey: { key: mix(straight.subarray(0, 32)), iv: straight.subarray(32) },
    downKey: { key: mix(backwards.subarray(0, 32)), iv: backwards.subarray(32) },
  };
}

function drawStart(adopt?: CtrKey): Uint8Array {
  for (;;) {
    const start = random(56);
    if (adopt) start.set(keyBytesFor(adopt), 8);
    if (forbiddenStart(start) === null) return start;
  }
}

/** Words that a first uint32 must not spell, because a middlebox or the server would take them for something else. */
const FORBIDDEN: ReadonlyMap<number, string> = new Map([
  [0x44414548, "HEAD"],
  [0x54534f50, "POST"],
  [0x20544547, "GET"],
  [0x4954504f, "OPTI"],
  [0xdddddddd, "padded intermediate tag"],
  [0xeeeeeeee, "intermediate tag"],
  [0x02010316, "TLS hello"],
]);

/** Which rule of a header's first eight bytes is broken; null when none is. */
export function forbiddenStart(header: Uint8Array): string | null {
  if (header[0] === 0xef) return "abridged tag";
  if (view(header).getUint32(4, true) === 0) return "full transport";
  return FORBIDDEN.get(view(header).getUint32(0, true)) ?? null;
}
