/** What a request asks for, as it stands inside the sealed header. */
import { fnv1a32 } from "../../crypto/hash.ts";
import { codeOf, describe } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import type { Target } from "../../stream/types.ts";
import { decodeAddress, encodeAddress } from "./address.ts";

/** How the body is encrypted. */
export type Security = "aes-128-gcm" | "chacha20-poly1305" | "none";
export type Command = "tcp" | "udp" | "mux";

/** How the body is cut and dressed. Further bits mean nothing any more. */
export const OPTION = {
  /** Cut into chunks. AES-128-GCM and ChaCha20-Poly1305 always are. */
  chunks: 0x01,
  /** Sizes of chunks are hidden. */
  masking: 0x04,
  /** 0–63 random bytes behind each chunk. */
  padding: 0x08,
  /** Sizes of chunks are sealed. */
  authenticatedLength: 0x10,
} as const;

export interface RequestHeader {
  /** Of the body, 16 bytes each. */
  iv: Uint8Array;
  key: Uint8Array;
  /** The answer must begin with it, 0–255. */
  check: number;
  /** Bits of OPTION, and bits that are ignored. */
  options: number;
  security: Security;
  command: Command;
  /** Absent for mux alone. */
  target?: Target;
}

/** Bytes of the shortest header: mux, without padding. */
export const SHORTEST_HEADER = 42;
/** Bytes of padding at most. */
export const MOST_HEADER_PADDING = 15;

const VERSION = 1;
const IV = 1, KEY = 17, CHECK = 33, OPTIONS = 34, SECURITY = 35, COMMAND = 37, ADDRESS = 38;
const HASH = 4;

const SECURITIES = new Map<number, Security>([[3, "aes-128-gcm"], [4, "chacha20-poly1305"], [5, "none"]]);
const COMMANDS = new Map<number, Command>([[1, "tcp"], [2, "udp"], [3, "mux"]]);
const OLD_SECURITY = 1;

/** @param padding 0–15 random bytes */
export function encodeHeader(header: RequestHeader, padding: Uint8Array): Uint8Array<ArrayBuffer> {
  const fixed = new Uint8Array(ADDRESS);
  fixed[0] = VERSION;
  fixed.set(header.iv, IV);
  fixed.set(header.key, KEY);
  fixed[CHECK] = header.check;
  fixed[OPTIONS] = header.options;
  fixed[SECURITY] = padding.length << 4 | numberOf(SECURITIES, header.security);
  fixed[COMMAND] = numberOf(COMMANDS, header.command);
  const address = header.target === undefined ? new Uint8Array() : encodeAddress(header.target);
  const bytes = concat(fixed, address, padding, new Uint8Array(HASH));
  const end = bytes.length - HASH;
  new DataView(bytes.buffer).setUint32(end, fnv1a32(bytes.subarray(0, end)));
  return bytes;
}

/** @returns what is wrong with it, in words that go on from "the header", or the header */
export function decodeHeader(bytes: Uint8Array): RequestHeader | string {
  if (bytes.length < SHORTEST_HEADER) return `has ${bytes.length} bytes`;
  const end = bytes.length - HASH;
  const hash = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end);
  if (fnv1a32(bytes.subarray(0, end)) !== hash) return "has a wrong checksum";
  if (bytes[0] !== VERSION) return `has version ${bytes[0]}`;
  const padding = bytes[SECURITY] >> 4, number = bytes[SECURITY] & 15;
  const security = SECURITIES.get(number);
  if (security === undefined) {
    return number === OLD_SECURITY
      ? "asks for aes-128-cfb, which is too old: set the client's security to auto"
      : `asks for security ${number}, which nobody knows`;
  }
  const command = COMMANDS.get(bytes[COMMAND]);
  if (command === undefined) return `has command ${bytes[COMMAND]}, which nobody knows`;
  const header: RequestHeader = {
    iv: bytes.slice(IV, KEY),
    key: bytes.slice(KEY, CHECK),
    check: bytes[CHECK],
    options: bytes[OPTIONS],
    security,
    command,
  };
  const left = end - padding - ADDRESS;
  if (command === "mux") return left === 0 ? header : "has a wrong length";
  try {
    const address = decodeAddress(bytes.subarray(0, end), ADDRESS);
    if (address === null || address.used !== left) return "has a wrong length";
    if (address.target.port === 0) return "names port 0";
    return { ...header, target: address.target };
  } catch (error) {
    if (codeOf(error) !== "protocol") throw error;
    return `has no address: ${describe(error)}`;
  }
}

function numberOf<T>(table: Map<number, T>, value: T): number {
  for (const [number, each] of table) if (each === value) return number;
  throw new RangeError(`there is no number for ${value}`);
}
