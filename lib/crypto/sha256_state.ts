import { sha256 } from "@noble/hashes/sha2.js";

/** Bytes of a block and of a digest. */
const BLOCK = 64, DIGEST = 32;

/**
 * SHA-256 between two blocks, as it can be kept and gone on from more than once. The runtimes' own hash has no such
 * thing, and takes 2 µs on Deno to begin; VMess hashes short texts behind the same few blocks, sixty times for a
 * connection.
 */
export class Sha256State {
  readonly #hash;

  /** Before the first block. */
  constructor(hash = sha256.create()) {
    this.#hash = hash;
  }

  /**
   * This state and one block more. This one stays as it is.
   *
   * @param bytes 64
   */
  after(bytes: Uint8Array): Sha256State {
    if (bytes.length !== BLOCK) throw new RangeError(`a block has ${BLOCK} bytes`);
    return new Sha256State(this.#hash.clone().update(bytes));
  }

  /**
   * The digest of this state's blocks and a message behind them. The state stays as it is.
   *
   * @param into 32 bytes, which may be the message itself
   */
  digest(message: Uint8Array, into = new Uint8Array(DIGEST)): Uint8Array {
    this.#hash._cloneInto(spare).update(message).digestInto(into);
    return into;
  }
}

/** What digests are computed in: making one anew costs as much as hashing a short message. */
const spare = sha256.create();
