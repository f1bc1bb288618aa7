import { Aes128Block } from "../../crypto/aes_block.ts";
import { crc32 } from "../../crypto/hash.ts";
import { kdf16, SALT } from "./kdf.ts";

/** The first bytes of a request, by which a server tells whose it is and when it was made. */
export const AUTH_ID = 16;
/** How far its time may be off either way, in seconds. */
export const MOST_SKEW = 120;

const RANDOM = 8, CHECK = 12;

/** What `open` works in: it may be called for a thousand users in a row. */
const opened = new Uint8Array(AUTH_ID),
  checked = opened.subarray(0, CHECK),
  view = new DataView(opened.buffer);

/** Makes and reads one user's auth ids. Kept as long as the user: a server tries every user's on each connection. */
export class AuthIds {
  readonly #cipher: Aes128Block;

  /** @param cmdKey 16 bytes */
  constructor(cmdKey: Uint8Array) {
    this.#cipher = new Aes128Block(kdf16(cmdKey, SALT.authId));
  }

  /**
   * @param seconds since 1970
   * @param random 4 bytes
   */
  seal(seconds: number, random: Uint8Array): Uint8Array {
    const plain = new Uint8Array(AUTH_ID);
    const view = new DataView(plain.buffer);
    view.setBigInt64(0, BigInt(seconds));
    plain.set(random.subarray(0, 4), RANDOM);
    view.setUint32(CHECK, crc32(plain.subarray(0, CHECK)));
    return this.#cipher.encrypt(plain);
  }

  /** @returns its time, in seconds since 1970; null when it is not this user's */
  open(wire: Uint8Array): number | null {
    this.#cipher.decrypt(wire, opened);
    if (crc32(checked) !== view.getUint32(CHECK)) return null;
    return Number(view.getBigInt64(0));
  }
}
