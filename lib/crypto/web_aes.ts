import { nodeCrypto } from "./node_crypto.ts";

/** What is used of Web Crypto. */
export type Subtle = Pick<SubtleCrypto, "importKey" | "encrypt">;

/** Bytes of what it is tried with: as much as a large piece. */
const TRIAL = 32 << 10;

/** Web Crypto's AES-256-CTR, which is believed only after a trial. */
export class WebAes {
  readonly #subtle: Subtle | undefined;
  /** Begun when it is first needed. */
  #right: Promise<boolean> | undefined;

  /** @param subtle the runtime's own by default */
  constructor(subtle?: Subtle) {
    this.#subtle = subtle;
  }

  /**
   * A key to encrypt with; never rejects.
   *
   * @param raw 32 bytes, overwritten
   * @returns null where Web Crypto must not be used: it is not there, or its answers are wrong
   */
  async key(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey | null> {
    try {
      this.#right ??= this.#isRight();
      return await this.#right ? await this.#import(raw) : null;
    } catch {
      return null;
    } finally {
      raw.fill(0);
    }
  }

  /**
   * Bytes in a buffer of their own. The arguments are read before it returns.
   *
   * @param counter 16 bytes, big endian: the first block's
   */
  encrypt(
    key: CryptoKey,
    counter: Uint8Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<ArrayBuffer> {
    return (this.#subtle ?? crypto.subtle).encrypt({ name: "AES-CTR", counter, length: 128 }, key, bytes);
  }

  /**
   * The trial takes a wait, so it is no part of the provider's self-test. Its judge is the cipher for small pieces,
   * which passed that test; the counter overflows in the middle.
   */
  async #isRight(): Promise<boolean> {
    keepLargeBlocks();
    const raw = Uint8Array.from({ length: 32 }, (_, i) => i);
    const counter = new Uint8Array(16).fill(0xff);
    counter[15] -= 100;
    const zeros = new Uint8Array(TRIAL);
    const expected = nodeCrypto().createCipheriv("aes-256-ctr", raw, counter).update(zeros);
    const result = new Uint8Array(await this.encrypt(await this.#import(raw), counter, zeros));
    return result.length === TRIAL && result.every((byte, i) => byte === expected[i]);
  }

  #import(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    return (this.#subtle ?? crypto.subtle).importKey("raw", raw, "AES-CTR", false, ["encrypt"]);
  }
}

/**
 * glibc asks the system for every block over 128 KiB and gives it back as soon as it is free, so that each result would
 * be paid for in page faults: a quarter of an upload's price on Deno. Freeing one larger block makes it keep such
 * blocks for the next ones (M_MMAP_THRESHOLD in mallopt(3)). This one is never written to, and costs nothing.
 */
function keepLargeBlocks(): void {
  new ArrayBuffer(2 << 20).transfer(0);
}
