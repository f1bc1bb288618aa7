/**
 * A FakeTLS client's first message: a TLS ClientHello whose `random` proves the secret (facts/mtproto.md 2.3).
 *
 * The shapes are rebuilt from what real clients put on the wire, extension by extension, with RFC 8446's names.
 */
import { createHmac } from "node:crypto";
import { concat, cutAt, random, uint16be, uint24be, uint32le, view } from "./bytes.ts";
import { newX25519PublicKey } from "./x25519_point.ts";

/**
 * - `chrome-2025` about 1,800 bytes: post-quantum key share, GREASE, ECH, shuffled extensions (TDLib and mtcute today)
 * - `chrome-2019` 517 bytes: the same family before that, padded (TDLib until 2025, Telegram Desktop, Android)
 * - `safari-2019` 517 bytes: no GREASE, TLS_CHACHA20 first (Telegram for iOS)
 */
export type HelloShape = "chrome-2025" | "chrome-2019" | "safari-2019";
export const HELLO_SHAPES: readonly HelloShape[] = ["chrome-2025", "chrome-2019", "safari-2019"];

export const X25519 = 0x001d;
export const X25519_MLKEM768 = 0x11ec;

export interface HelloOptions {
  /** The 16 bytes that the proof is made with. */
  secret: Uint8Array;
  /** What SNI names. */
  domain: string;
  shape?: HelloShape;
  /** Unix seconds in the proof; now by default. */
  time?: number;
  /** 32 random bytes by default. */
  sessionId?: Uint8Array;
  /** Cipher suites offered, GREASE aside. */
  ciphers?: readonly number[];
  /** Groups with a key share; none leaves the extension out. */
  keyShares?: readonly number[];
}

export interface ClientHello {
  /** The whole hello in one record, header included. */
  record: Uint8Array;
  /** The proof. */
  random: Uint8Array;
  sessionId: Uint8Array;
  ciphers: readonly number[];
}

/** Where the proof stands in a hello of one record. */
const RANDOM_AT = 11;
const PADDED_LENGTH = 517;

const CHROME_CIPHERS = [
  [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8],
  [0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
].flat();
const SAFARI_CIPHERS = [
  [0x1303, 0x1301, 0x1302, 0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, 0xcca9, 0xc030, 0xc02f, 0xc028],
  [0xc027, 0xc014, 0xc013, 0xcca8, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a],
].flat();

export function buildClientHello(options: HelloOptions): ClientHello {
  const shape = options.shape ?? "chrome-2025";
  const greased = shape !== "safari-2019";
  const ciphers = options.ciphers ?? (greased ? CHROME_CIPHERS : SAFARI_CIPHERS);
  const sessionId = options.sessionId ?? random(32);
  const grease = newGrease();
  const head = concat(
    uint16be(0x0303),
    new Uint8Array(32),
    Uint8Array.of(sessionId.length),
    sessionId,
    sized16(...(greased ? [grease(0)] : []), ...ciphers.map(uint16be)),
    Uint8Array.of(1, 0),
  );
  const extensions = extensionsOf(shape, options.domain, options.keyShares, grease);
  // 11 = record header, handshake header and the length of the extensions.
  const missing = PADDED_LENGTH - 11 - head.length - extensions.length;
  const padding = shape !== "chrome-2025" && missing >= 4
    ? extension(21, new Uint8Array(missing - 4))
    : new Uint8Array();
  const body = concat(head, sized16(extensions, padding));
  const message = concat(Uint8Array.of(1), uint24be(body.length), body);
  const unsigned = concat(Uint8Array.of(0x16, 3, 1), uint16be(message.length), message);
  const record = signHello(unsigned, options.secret, options.time);
  return { record, random: record.slice(RANDOM_AT, RANDOM_AT + 32), sessionId, ciphers };
}

/**
 * Writes the proof into a hello of one record.
 *
 * @param time unix seconds; now by default
 */
export function signHello(
  record: Uint8Array,
  secret: Uint8Array,
  time = Math.floor(Date.now() / 1000),
): Uint8Array {
  const signed = record.slice();
  signed.fill(0, RANDOM_AT, RANDOM_AT + 32);
  const proof = new Uint8Array(createHmac("sha256", secret).update(signed).digest());
  uint32le(time).forEach((byte, i) => proof[28 + i] ^= byte);
  signed.set(proof, RANDOM_AT);
  return signed;
}

/**
 * A recorded hello with another time in it, which anybody can make without the secret: the time lies over the last
 * four bytes of the proof.
 *
 * @param from unix seconds that it was made with
 * @param to unix seconds that it shall show
 */
export function restampHello(record: Uint8Array, from: number, to: number): Uint8Array {
  const restamped = record.slice();
  uint32le(from ^ to).forEach((byte, i) => restamped[RANDOM_AT + 28 + i] ^= byte);
  return restamped;
}

/**
 * The same hello in several records, each with the header `16 03 01`, as tools that hide the SNI send it. The proof
 * stays right, because it is over the joined bodies.
 *
 * @param cuts offsets into the body (the bytes after the 5-byte header) where a new record begins
 */
export function splitIntoRecords(record: Uint8Array, cuts: readonly number[]): Uint8Array {
  const parts = cutAt(record.subarray(5), cuts);
  return concat(...parts.flatMap((part) => [Uint8Array.of(0x16, 3, 1), uint16be(part.length), part]));
}

/** Offsets that split a body of that length into `count` parts of about one size. */
export function evenCuts(length: number, count: number): number[] {
  return Array.from({ length: count - 1 }, (_, i) => Math.floor(length * (i + 1) / count));
}

function sized8(...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(Uint8Array.of(body.length), body);
}

function sized16(...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(uint16be(body.length), body);
}

function extension(type: number, ...parts: Uint8Array[]): Uint8Array {
  return concat(uint16be(type), sized16(...parts));
}

type Grease = (slot: number) => Uint8Array;

/** RFC 8701 values, one per slot, neighbours different. */
function newGrease(): Grease {
  const values = random(8).map((byte) => byte & 0xf0 | 0x0a);
  for (let i = 1; i < values.length; i++) if (values[i] === values[i - 1]) values[i] ^= 0x10;
  return (slot) => Uint8Array.of(values[slot], values[slot]);
}

function extensionsOf(
  shape: HelloShape,
  domain: string,
  keyShares: readonly number[] | undefined,
  grease: Grease,
): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const post = shape === "chrome-2025";
  const greased = shape !== "safari-2019";
  const greaseIn = (slot: number) => greased ? [grease(slot)] : [];
  const groups = [...(post ? [X25519_MLKEM768] : []), X25519, 0x0017, 0x0018, ...(greased ? [] : [0x0019])];
  const shares = keyShares ?? (post ? [X25519_MLKEM768, X25519] : [X25519]);
  const signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
  const middle = [
    extension(0, sized16(Uint8Array.of(0), sized16(text(domain)))), // server_name
    extension(23), // extended_master_secret
    extension(0xff01, Uint8Array.of(0)), // renegotiation_info
    extension(10, sized16(...greaseIn(4), ...groups.map(uint16be))), // supported_groups
    extension(11, Uint8Array.of(1, 0)), // ec_point_formats
    ...(greased ? [extension(35)] : []), // session_ticket
    extension(16, sized16(sized8(text("h2")), sized8(text("http/1.1")))), // ALPN
    extension(5, Uint8Array.of(1, 0, 0, 0, 0)), // status_request
    extension(13, sized16(...signatures.map(uint16be))), // signature_algorithms
    extension(18), // signed_certificate_timestamp
    ...(shares.length > 0
      ? [extension(51, sized16(...greaseShare(greased, grease), ...shares.map(keyShare)))]
      : []),
    extension(45, Uint8Array.of(1, 1)), // psk_key_exchange_modes
    extension(43, sized8(...greaseIn(6), uint16be(0x0304), uint16be(0x0303))), // supported_versions
    ...(greased ? [extension(27, Uint8Array.of(2, 0, 2))] : []), // compress_certificate
    ...(post ? [alps(), greaseEch()] : []),
  ];
  if (!greased) return concat(...middle);
  const order = post ? shuffled(middle) : middle;
  return concat(concat(grease(2), uint16be(0)), ...order, concat(grease(3), uint16be(1), Uint8Array.of(0)));
}

/** application_settings: the settings are for HTTP/2. */
function alps(): Uint8Array {
  return extension(0x44cd, sized16(sized8(new TextEncoder().encode("h2"))));
}

/** encrypted_client_hello of a client that has no key for the site. */
function greaseEch(): Uint8Array {
  const payload = random(144 + 32 * (random(1)[0] % 4));
  return extension(0xfe0d, Uint8Array.of(0, 0, 1, 0, 1), random(1), sized16(random(32)), sized16(payload));
}

function greaseShare(greased: boolean, grease: Grease): Uint8Array[] {
  return greased ? [concat(grease(4), sized16(Uint8Array.of(0)))] : [];
}

function keyShare(group: number): Uint8Array {
  const key = group === X25519_MLKEM768
    ? concat(mlKem768Key(), newX25519PublicKey())
    : group === X25519
    ? newX25519PublicKey()
    : random(65);
  return concat(uint16be(group), sized16(key));
}

/** The form of an ML-KEM-768 encapsulation key: 768 numbers below 3329, twelve bits each, and a 32-byte seed. */
function mlKem768Key(): Uint8Array {
  const key = random(1184);
  const numbers = view(random(768 * 4));
  for (let i = 0; i < 384; i++) {
    const a = numbers.getUint32(8 * i) % 3329;
    const b = numbers.getUint32(8 * i + 4) % 3329;
    key.set([a & 0xff, a >> 8 | (b & 0x0f) << 4, b >> 4], 3 * i);
  }
  return key;
}

function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = view(random(4)).getUint32(0) % (i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}
