/**
 * One direction of a stream cipher.
 *
 * A cipher is freed by `close`, which every relay calls; one that is used afterwards throws, because with a native
 * library the alternative is to write into memory that belongs to somebody else.
 */
export interface Cipher {
  /** False: `update` answers at once. True: it may answer with a promise; calls must then not overlap. */
  readonly asynchronous: boolean;
  /** Transforms the next bytes of the stream, in place where it can. The result may be the argument itself. */
  update(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  close(): void;
}

/** A cipher that always answers at once. */
export interface SyncCipher extends Cipher {
  readonly asynchronous: false;
  update(bytes: Uint8Array): Uint8Array;
}

/** Where ciphers come from. */
export interface CryptoProvider {
  /** What `mtray version --verbose` prints. */
  readonly name: string;
  /** AES-256-CTR with a 128-bit big-endian counter. `key` is 32 bytes, `iv` 16. */
  aes256Ctr(key: Uint8Array, iv: Uint8Array): SyncCipher;
}
