/**
 * The server's half of MTProto's key exchange (https://core.telegram.org/mtproto/auth_key): from a client that has
 * only an RSA public key to a 2048-bit secret that both ends share.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import { concat, equal, fromBigInt, hex, random, toBigInt, unhex, view, xor } from "./bytes.ts";
import { decryptIge, encryptIge } from "./ige.ts";
import { tl, TlReader } from "./tl.ts";

/** A key that both ends know after the exchange. */
export interface AuthKey {
  /** 256 bytes. */
  key: Uint8Array;
  /** The last 8 bytes of its SHA-1, which messages begin with. */
  id: Uint8Array;
  salt: bigint;
}

/** Telegram's own prime. Clients know it and spare themselves the proof that it is one. */
const DH_PRIME = toBigInt(unhex(
  `c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db
   fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64
   2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41
   0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4
   e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf
   6f4fadf034b10403119cd8e3b92fcc5b`,
));
const GENERATOR = 3n;
/** The two primes whose product the client must factor; the documentation's own example. */
const P = unhex("494c553b");
const Q = unhex("53911073");

const ID = {
  reqPq: 0x60469778,
  reqPqMulti: 0xbe7e8ef1,
  resPq: 0x05162463,
  reqDhParams: 0xd712e4be,
  pqInnerDataDc: 0xa9f55f95,
  pqInnerDataTempDc: 0x56fddf88,
  serverDhParamsOk: 0xd0e8075c,
  serverDhInnerData: 0xb5890dba,
  setClientDhParams: 0xf5045f1f,
  clientDhInnerData: 0x6643b654,
  dhGenOk: 0x3bcbf734,
  dhGenRetry: 0x46dc1fb9,
} as const;

function sha1(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash("sha1").update(concat(...parts)).digest());
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash("sha256").update(concat(...parts)).digest());
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}

/** The stub's RSA key, and the fingerprint that names it on the wire. */
export class RsaKey {
  readonly fingerprint: bigint;
  /** PKCS#1, as clients take it. */
  readonly publicPem: string;
  readonly #n: bigint;
  readonly #d: bigint;

  private constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { n, e, d } = privateKey.export({ format: "jwk" });
    const bytes = (text = "") => new Uint8Array(Uint8Array.fromBase64(text, { alphabet: "base64url" }));
    this.publicPem = publicKey.export({ type: "pkcs1", format: "pem" }).toString();
    this.fingerprint = view(sha1(tl.string(bytes(n)), tl.string(bytes(e)))).getBigUint64(12, true);
    this.#n = toBigInt(bytes(n));
    this.#d = toBigInt(bytes(d));
  }

  static generate(): RsaKey {
    // mtcute compares fingerprints as text without leading zeros.
    for (;;) {
      const key = new RsaKey();
      if (key.fingerprint >> 60n !== 0n) return key;
    }
  }

  /** Undoes RSA_PAD. Returns 192 bytes: the data and random padding. */
  decrypt(encrypted: Uint8Array): Uint8Array {
    const padded = fromBigInt(power(toBigInt(encrypted), this.#d, this.#n), 256);
    const body = padded.subarray(32);
    const key = xor(padded.subarray(0, 32), sha256(body));
    const opened = decryptIge(body, key, new Uint8Array(32));
    const data = opened.slice(0, 192).reverse();
    if (!equal(sha256(key, data), opened.subarray(192))) {
      throw new Error("cannot read RSA_PAD: its hash is wrong");
    }
    return data;
  }
}

/** One client's exchange. Feed it the client's unencrypted messages in order. */
export class AuthExchange {
  readonly #serverNonce = random(16);
  #nonce: Uint8Array = new Uint8Array();
  #newNonce: Uint8Array = new Uint8Array();
  #secret = 0n;
  #temporaryKey: Uint8Array = new Uint8Array();
  #temporaryIv: Uint8Array = new Uint8Array();

  /** @param established is called with the key that came out */
  constructor(readonly rsa: RsaKey, readonly established: (key: AuthKey) => void) {}

  /** The answer to one message, both without their headers. */
  answer(message: Uint8Array): Uint8Array {
    const reader = new TlReader(message);
    const constructor = reader.uint();
    if (constructor === ID.reqPqMulti || constructor === ID.reqPq) return this.#begin(reader);
    if (constructor === ID.reqDhParams) return this.#offer(reader);
    if (constructor === ID.setClientDhParams) return this.#finish(reader);
    throw new Error(`cannot exchange keys: ${constructor.toString(16)} is no step of it`);
  }

  #begin(reader: TlReader): Uint8Array {
    this.#nonce = reader.raw(16).slice();
    const pq = fromBigInt(toBigInt(P) * toBigInt(Q));
    const fingerprints = tl.vector([tl.long(this.rsa.fingerprint)]);
    return tl.object(ID.resPq, this.#nonce, this.#serverNonce, tl.string(pq), fingerprints);
  }

  #offer(reader: TlReader): Uint8Array {
    this.#expectNonces(reader);
    if (!equal(reader.string(), P) || !equal(reader.string(), Q)) {
      throw new Error("cannot exchange keys: wrong factors");
    }
    if (reader.long() !== this.rsa.fingerprint) {
      throw new Error("cannot exchange keys: another RSA key is meant");
    }
    const inner = new TlReader(this.rsa.decrypt(reader.string()));
    const constructor = inner.uint();
    if (constructor !== ID.pqInnerDataDc && constructor !== ID.pqInnerDataTempDc) {
      throw new Error(`cannot exchange keys: inner data ${constructor.toString(16)} is not known`);
    }
    [inner.string(), inner.string(), inner.string()];
    this.#expectNonces(inner);
    this.#newNonce = inner.raw(32).slice();
    this.#deriveTemporaryKey();
    return tl.object(ID.serverDhParamsOk, this.#nonce, this.#serverNonce, tl.string(this.#dhInnerData()));
  }

  #deriveTemporaryKey(): void {
    const a = sha1(this.#newNonce, this.#serverNonce);
    const b = sha1(this.#serverNonce, this.#newNonce);
    const c = sha1(this.#newNonce, this.#newNonce);
    this.#temporaryKey = concat(a, b.subarray(0, 12));
    this.#temporaryIv = concat(b.subarray(12), c, this.#newNonce.subarray(0, 4));
  }

  #dhInnerData(): Uint8Array {
    // 256 bits are short for a secret exponent, and quick: this server keeps nothing secret.
    this.#secret = toBigInt(random(32)) | 1n << 255n;
    const inner = tl.object(
      ID.serverDhInnerData,
      this.#nonce,
      this.#serverNonce,
      tl.uint(Number(GENERATOR)),
      tl.string(fromBigInt(DH_PRIME)),
      tl.string(fromBigInt(power(GENERATOR, this.#secret, DH_PRIME), 256)),
      tl.uint(Math.floor(Date.now() / 1000)),
    );
    const hashed = concat(sha1(inner), inner);
    const padded = concat(hashed, random((16 - hashed.length % 16) % 16));
    return encryptIge(padded, this.#temporaryKey, this.#temporaryIv);
  }

  #finish(reader: TlReader): Uint8Array {
    this.#expectNonces(reader);
    const opened = decryptIge(reader.string(), this.#temporaryKey, this.#temporaryIv);
    const inner = new TlReader(opened.subarray(20));
    inner.expect(ID.clientDhInnerData);
    this.#expectNonces(inner);
    inner.long();
    const theirs = toBigInt(inner.string());
    const length = opened.length - 20 - inner.left;
    if (!equal(sha1(opened.subarray(20, 20 + length)), opened.subarray(0, 20))) {
      throw new Error("cannot exchange keys: the hash of the client's share is wrong");
    }
    const key = fromBigInt(power(theirs, this.#secret, DH_PRIME), 256);
    // Some clients drop a leading zero and then compute with another key, one time in 256.
    const retry = key[0] === 0;
    const proof = sha1(this.#newNonce, Uint8Array.of(retry ? 2 : 1), sha1(key).subarray(0, 8)).subarray(4);
    if (!retry) {
      const salt = view(xor(this.#newNonce.subarray(0, 8), this.#serverNonce)).getBigUint64(0, true);
      this.established({ key, id: sha1(key).slice(12), salt });
    }
    return tl.object(retry ? ID.dhGenRetry : ID.dhGenOk, this.#nonce, this.#serverNonce, proof);
  }

  #expectNonces(reader: TlReader): void {
    const nonce = reader.raw(16);
    if (!equal(nonce, this.#nonce) || !equal(reader.raw(16), this.#serverNonce)) {
      throw new Error(`cannot exchange keys: nonce ${hex(nonce)} is not of this exchange`);
    }
  }
}
