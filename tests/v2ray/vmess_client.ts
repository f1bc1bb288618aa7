/**
 * What a VMess client sends, made by hand so that every byte of it can be wrong. It shares nothing with lib/, and its
 * output is held against the vectors in vmess_client_test.ts.
 */
import { createCipheriv, createHash } from "node:crypto";
import { concat, fromBigInt, random, uint16be, unhex } from "../telegram/bytes.ts";

export const OPTION = { chunks: 0x01, masking: 0x04, padding: 0x08, authenticatedLength: 0x10 } as const;

/** Of the command section; the security is always AES-128-GCM unless `security` says otherwise. */
export interface Request {
  uuid: string;
  host: string;
  port: number;
  options?: number;
  security?: number;
  command?: number;
  version?: number;
  addressType?: number;
  /** Seconds since 1970. */
  time?: number;
  /** Of the body; random unless given. */
  key?: Uint8Array;
  iv?: Uint8Array;
}

export interface Flight {
  /** What goes out first. */
  header: Uint8Array;
  /** The header before it was sealed, its checksum included. */
  plain: Uint8Array;
  chunks: Chunks;
}

/** Makes the first flight of a connection to an IPv4 address. */
export function open(request: Request): Flight {
  const { key = random(16), iv = random(16) } = request;
  const options = request.options ?? OPTION.chunks | OPTION.masking;
  const plain = withChecksum(concat(
    Uint8Array.of(request.version ?? 1),
    iv,
    key,
    Uint8Array.of(random(1)[0], options, request.security ?? 3, 0, request.command ?? 1),
    uint16be(request.port),
    Uint8Array.of(request.addressType ?? 1, ...request.host.split(".").map(Number)),
  ));
  return { plain, header: seal(plain, request), chunks: new Chunks(key, iv, options) };
}

/** Seals a command section for a user. */
export function seal(
  plain: Uint8Array,
  { uuid, time = Date.now() / 1000 }: { uuid: string; time?: number },
  [idRandom, nonce]: [Uint8Array, Uint8Array] = [random(4), random(8)],
): Uint8Array {
  const user = md5(concat(unhex(uuid.replaceAll("-", "")), utf8("c48619fe-8f02-49e0-b9e9-edf763e17e21")));
  const stamped = concat(fromBigInt(BigInt.asUintN(64, BigInt(Math.floor(time))), 8), idRandom);
  const idKey = kdf(user, [utf8("AES Auth ID Encryption")]).subarray(0, 16);
  const ecb = createCipheriv("aes-128-ecb", idKey, null).setAutoPadding(false);
  const id = new Uint8Array(ecb.update(concat(stamped, uint32be(crc32(stamped)))));
  const part = (name: string, bytes: Uint8Array) => {
    const key = kdf(user, [utf8(`VMess Header AEAD Key${name}`), id, nonce]).subarray(0, 16);
    const iv = kdf(user, [utf8(`VMess Header AEAD Nonce${name}`), id, nonce]).subarray(0, 12);
    return gcm(key, iv, bytes, id);
  };
  return concat(id, part("_Length", uint16be(plain.length)), nonce, part("", plain));
}

/** Adds the checksum that a command section ends with. */
export function withChecksum(section: Uint8Array): Uint8Array {
  return concat(section, uint32be(fnv1a(section)));
}

/** The body of one direction. */
export class Chunks {
  readonly #masks: Uint8Array;
  #used = 0;
  #count = 0;

  constructor(readonly key: Uint8Array, readonly iv: Uint8Array, readonly options: number) {
    this.#masks = new Uint8Array(createHash("shake128", { outputLength: 4096 }).update(iv).digest());
  }

  /** The next chunk; no payload ends the stream. */
  next(payload: Uint8Array): Uint8Array {
    const has = (option: number) => (this.options & option) !== 0;
    const padding = has(OPTION.padding) ? this.#mask() % 64 : 0;
    const counter = uint16be(this.#count++);
    const sealed = gcm(this.key, concat(counter, this.iv.subarray(2, 12)), payload);
    const length = sealed.length + padding;
    return concat(this.#size(length, counter), sealed, new Uint8Array(padding));
  }

  #size(length: number, counter: Uint8Array): Uint8Array {
    if (this.options & OPTION.authenticatedLength) {
      const key = kdf(this.key, [utf8("auth_len")]).subarray(0, 16);
      return gcm(key, concat(counter, this.iv.subarray(2, 12)), uint16be(length - 16));
    }
    return uint16be(this.options & OPTION.masking ? length ^ this.#mask() : length);
  }

  #mask(): number {
    const at = this.#used;
    this.#used += 2;
    return this.#masks[at] << 8 | this.#masks[at + 1];
  }
}

type Hash = (message: Uint8Array) => Uint8Array;

const BLOCK = 64;
const sha256: Hash = (message) => new Uint8Array(createHash("sha256").update(message).digest());

function hmac(hash: Hash, key: Uint8Array): Hash {
  const padded = concat(key.length > BLOCK ? hash(key) : key, new Uint8Array(BLOCK)).subarray(0, BLOCK);
  const [inner, outer] = [0x36, 0x5c].map((pad) => padded.map((byte) => byte ^ pad));
  return (message) => hash(concat(outer, hash(concat(inner, message))));
}

/** V2Ray's derivation: an HMAC whose hash is an HMAC, one for each part of the path; the key is the message. */
export function kdf(key: Uint8Array, path: readonly Uint8Array[]): Uint8Array {
  return path.reduce(hmac, hmac(sha256, utf8("VMess AEAD KDF")))(key);
}

function gcm(key: Uint8Array, iv: Uint8Array, plain: Uint8Array, aad?: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  if (aad) cipher.setAAD(aad);
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function md5(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("md5").update(bytes).digest());
}

function fnv1a(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function uint32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
