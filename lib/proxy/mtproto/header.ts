/**
 * obfuscated2: the 64 bytes that open every connection to Telegram, and the keys that follow from them.
 *
 * Sources: tdlib `td/mtproto/TcpTransport.cpp`; facts and vectors checked against V2Ray 4.34 and mtcute.
 */
import { sha256 } from "../../crypto/hash.ts";
import type { Cipher, CryptoProvider } from "../../crypto/types.ts";
import type { CtrKey } from "../../session.ts";
import type { Random } from "../types.ts";

export const HEADER_LENGTH = 64;

/** Framings, as the byte that stands four times at offset 56. */
export const ABRIDGED = 0xef, INTERMEDIATE = 0xee, PADDED = 0xdd;

const KEY = 8, IV = 40, TAG = 56, DC = 60;

/** First words (little endian) that no header may begin with: they would look like HTTP, TLS or another framing. */
const FORBIDDEN = new Set([
  0x44414548, // HEAD
  0x54534f50, // POST
  0x20544547, // GET
  0x4954504f, // OPTI
  0xdddddddd,
  0xeeeeeeee,
  0x02010316, // a TLS record
]);

/** Both directions, named by the side that sent the header. */
export interface HeaderKeys {
  /** From the side that sent the header. */
  forward: CtrKey;
  /** To the side that sent the header. */
  backward: CtrKey;
}

/**
 * @param header 64 bytes, of which 8–55 count
 * @param secret 16 bytes for client and proxy; none between proxy and data centre
 */
export function keysOf(header: Uint8Array, secret?: Uint8Array): HeaderKeys {
  return { forward: forwardKey(header, secret), backward: backwardKey(header, secret) };
}

function forwardKey(header: Uint8Array, secret?: Uint8Array): CtrKey {
  return keyOf(header.slice(KEY, IV), header.slice(IV, TAG), secret);
}

function backwardKey(header: Uint8Array, secret?: Uint8Array): CtrKey {
  const reversed = header.slice(KEY, TAG).reverse();
  return keyOf(reversed.slice(0, 32), reversed.slice(32), secret);
}

function keyOf(key: Uint8Array, iv: Uint8Array, secret: Uint8Array | undefined): CtrKey {
  return { key: secret === undefined ? key : sha256(key, secret), iv };
}

/** A client's header that a secret opened. */
export interface OpenedHeader {
  tag: number;
  /** Signed. */
  dc: number;
  /** Decrypts what comes after the header. */
  reading: Cipher;
  /** Encrypts what goes to the client. */
  downlink: CtrKey;
}

/** Null when the secret is not the client's: then the tag is noise. A chance of 3 in 2³² remains. */
export function openHeader(
  wire: Uint8Array,
  secret: Uint8Array,
  crypto: CryptoProvider,
): OpenedHeader | null {
  const forward = forwardKey(wire, secret);
  const reading = crypto.aes256Ctr(forward.key, forward.iv);
  const clear = reading.update(wire.slice(0, HEADER_LENGTH));
  const tag = clear[TAG];
  const known = tag === ABRIDGED || tag === INTERMEDIATE || tag === PADDED;
  if (!known || clear[TAG + 1] !== tag || clear[TAG + 2] !== tag || clear[TAG + 3] !== tag) {
    reading.close();
    return null;
  }
  const dc = new DataView(clear.buffer, clear.byteOffset).getInt16(DC, true);
  return { tag, dc, reading, downlink: backwardKey(wire, secret) };
}

/** What tells a header from every other: bytes 8–55, for the rest of it can be changed without the secret. 16 bytes. */
export function headerDigest(wire: Uint8Array): Uint8Array {
  return sha256(DIGEST_LABEL, wire.subarray(KEY, TAG)).subarray(0, 16);
}

const DIGEST_LABEL = new TextEncoder().encode("obfuscated2 header");

/** A header for a data centre. */
export interface MadeHeader {
  wire: Uint8Array;
  /** Encrypts what comes after the header. */
  writing: Cipher;
  /** Decrypts what the data centre sends. */
  downlink: CtrKey;
}

/**
 * @param options.adopt the data centre will encrypt with this very key: its header holds the key backwards
 */
export function makeHeader(
  options: { tag: number; dc: number; random: Random; crypto: CryptoProvider; adopt?: CtrKey },
): MadeHeader {
  const header = allowedStart(options.random);
  if (options.adopt !== undefined) {
    header.set(options.adopt.iv.slice().reverse(), KEY);
    header.set(options.adopt.key.slice().reverse(), KEY + 16);
  }
  header.fill(options.tag, TAG, DC);
  new DataView(header.buffer).setInt16(DC, options.dc, true);
  const { forward, backward } = keysOf(header);
  const writing = options.crypto.aes256Ctr(forward.key, forward.iv);
  const encrypted = writing.update(header.slice());
  const wire = header;
  wire.set(encrypted.subarray(TAG), TAG);
  return { wire, writing, downlink: backward };
}

/** 64 random bytes whose first eight are no other protocol's. */
function allowedStart(random: Random): Uint8Array<ArrayBuffer> {
  for (;;) {
    const header = Uint8Array.from(random(HEADER_LENGTH));
    const view = new DataView(header.buffer);
    const allowed = header[0] !== ABRIDGED && !FORBIDDEN.has(view.getUint32(0, true)) &&
      view.getUint32(4, true) !== 0;
    if (allowed) return header;
  }
}
