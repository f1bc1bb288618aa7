/**
 * One direction of a stream cipher.
 *
 * A cipher is freed by `close`, which every relay calls; one that is used afterwards throws, because with a native
 * library the alternative is to write into memory that belongs to somebody else.
 */
export interface Cipher {
  /**
   * Transforms the next bytes of the stream at once, in place where it can: the result is the argument itself, or
   * bytes in a buffer of their own.
   *
   * @throws {MtrayError} `closed`, once it is freed
   */
  update(bytes: Uint8Array): Uint8Array;
  /**
   * There where a large piece is cheaper on another thread: then it answers with a promise, and otherwise as `update`
   * does. It reads the bytes before it returns. A call of either need not wait for an earlier promise; the results
   * belong in the order of the calls. The promise rejects with `closed` when the cipher is freed before it is done.
   */
  updateSoon?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  close(): void;
}

/** Ciphers that also tell whether their text was tampered with. Nonces are 12 bytes, tags 16. */
export type AeadAlgorithm = "aes-128-gcm" | "chacha20-poly1305";

/** Bytes of a nonce. */
export const NONCE = 12;
/** Bytes that a sealed text is longer by. */
export const TAG = 16;
/** Bytes of a key. */
export const AEAD_KEY: Readonly<Record<AeadAlgorithm, number>> = {
  "aes-128-gcm": 16,
  "chacha20-poly1305": 32,
};

/** A place in a buffer. */
export interface Place {
  bytes: Uint8Array;
  /** Where it begins. */
  at: number;
}

/** A part of a buffer. */
export interface Part extends Place {
  length: number;
}

/** Encrypts whole messages with one key. Answers at once. After `close`, which frees it, it throws `closed`. */
export interface Sealer {
  /**
   * Writes the encrypted text and its tag.
   *
   * @param nonce 12 bytes, never twice with one key
   * @param into text.length + 16 bytes. The text may be its beginning, exactly, or must not overlap it.
   * @param additional is covered by the tag and not encrypted
   * @throws {RangeError} when a length is wrong
   */
  seal(nonce: Uint8Array, text: Uint8Array, into: Uint8Array, additional?: Uint8Array): void;
  /**
   * The same for a part of a buffer, without additional data. 16 bytes more are written. The text may begin at the
   * same place, exactly, or must not overlap what is written.
   *
   * @throws {RangeError} when anything lies outside a buffer
   */
  sealPart(nonce: Uint8Array, text: Part, into: Place): void;
  close(): void;
}

/** Decrypts what a Sealer made. Answers at once. After `close`, which frees it, it throws `closed`. */
export interface Opener {
  /**
   * Writes the text.
   *
   * @param sealed encrypted text and tag, at least 16 bytes
   * @param into sealed.length - 16 bytes. It may be the beginning of `sealed`, exactly, or must not overlap it.
   * @returns false when the tag does not fit; what then stands in `into` is worthless, and `sealed` too if it overlaps
   * @throws {RangeError} when a length is wrong
   */
  open(nonce: Uint8Array, sealed: Uint8Array, into: Uint8Array, additional?: Uint8Array): boolean;
  /**
   * The same for a part of a buffer, without additional data. 16 bytes fewer are written. The sealed text may begin at
   * the same place, exactly, or must not overlap what is written.
   *
   * @throws {RangeError} when anything lies outside a buffer
   */
  openPart(nonce: Uint8Array, sealed: Part, into: Place): boolean;
  close(): void;
}

/** Where ciphers come from. */
export interface CryptoProvider {
  /** What `mtray version --verbose` prints. */
  readonly name: string;
  /** Whether its AES-128-GCM uses the processor's own AES where there is one. A table, not a measurement. */
  readonly fastAes128Gcm: boolean;
  /** AES-256-CTR with a 128-bit big-endian counter. `key` is 32 bytes, `iv` 16. */
  aes256Ctr(key: Uint8Array, iv: Uint8Array): Cipher;
  /** @param key as many bytes as AEAD_KEY says */
  sealer(algorithm: AeadAlgorithm, key: Uint8Array): Sealer;
  /** @param key as many bytes as AEAD_KEY says */
  opener(algorithm: AeadAlgorithm, key: Uint8Array): Opener;
}
