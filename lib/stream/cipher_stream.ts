import type { Cipher } from "../crypto/types.ts";
import type { ByteStream, timedOut } from "./types.ts";

/** Bytes of what is worth freeing by hand. Smaller results may share their buffer with others (node:buffer's pool). */
const LARGE = 16 << 10;

/** What a stream is wrapped in. A missing cipher leaves its direction alone, at no cost. */
export interface CipherPair {
  reading: Cipher | null;
  writing: Cipher | null;
  /** What a handshake read too far: still encrypted, and the first thing to be taken. */
  first?: Uint8Array;
}

/** Puts ciphers around a stream. The stream owns them from now on and frees them when it is closed. */
export function cipherStream(inner: ByteStream, pair: CipherPair): ByteStream {
  return new CipherStream(inner, pair);
}

/**
 * Where a cipher answers at once, so does the stream. Where it takes its time over a large piece, what is taken is
 * empty, and the next wait is for the cipher instead of for the peer.
 */
class CipherStream implements ByteStream {
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #reading: Cipher | null;
  readonly #writing: Cipher | null;
  #first: Uint8Array | null;
  /** What is being deciphered. */
  #soon: Promise<Uint8Array> | null = null;
  /** Deciphered, to be taken. */
  #clear: Uint8Array | null = null;
  /** What was taken last, where its memory is ours. */
  #taken: Uint8Array | null = null;

  constructor(inner: ByteStream, { reading, writing, first }: CipherPair) {
    this.halfCloses = inner.halfCloses;
    this.#inner = inner;
    this.#reading = reading;
    this.#writing = writing;
    this.#first = first !== undefined && first.length > 0 ? first : null;
  }

  ready(): Promise<boolean> {
    this.#forgetTaken();
    if (this.#first !== null) return Promise.resolve(true);
    return this.#soon === null ? this.#inner.ready() : this.#deciphered(this.#soon);
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    this.#forgetTaken();
    if (this.#first !== null) return Promise.resolve(true);
    // A cipher is done long before any deadline that is worth keeping.
    return this.#soon === null ? this.#inner.readyBefore(deadline) : this.#deciphered(this.#soon);
  }

  take(room = 0): Uint8Array {
    const cipher = this.#reading;
    if (this.#clear !== null) {
      const clear = this.#clear;
      this.#clear = null;
      return this.#handOut(clear, room);
    }
    if (this.#first !== null) {
      const bytes = this.#first;
      this.#first = null;
      return withRoom(cipher === null ? bytes : cipher.update(bytes), room);
    }
    // With room asked for, only a cipher that works in place keeps what lies in front of the bytes.
    const bytes = this.#inner.take(room);
    if (cipher === null) return bytes;
    const clear = transformed(cipher, bytes);
    if (!(clear instanceof Promise)) {
      return clear.buffer === bytes.buffer ? clear : this.#handOut(clear, room);
    }
    // Perhaps nobody comes back for it.
    clear.catch(() => {});
    this.#soon = clear;
    return withRoom(NOTHING, room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    const cipher = this.#writing;
    if (cipher === null) return this.#inner.write(a, b);
    const first = transformed(cipher, a);
    const second = b === undefined ? undefined : transformed(cipher, b);
    if (first instanceof Promise || second instanceof Promise) return this.#writeSoon(first, second);
    const writing = this.#inner.write(first, second);
    if (first.length < LARGE || first.buffer === a.buffer) return writing;
    if (writing !== undefined) return writing.then(() => giveBack(first));
    giveBack(first);
  }

  closeWrite(): Promise<void> | void {
    return this.#inner.closeWrite();
  }

  close(reason?: unknown): void {
    this.#inner.close(reason);
    this.#reading?.close();
    this.#writing?.close();
  }

  async #deciphered(soon: Promise<Uint8Array>): Promise<boolean> {
    this.#clear = await soon;
    this.#soon = null;
    return true;
  }

  async #writeSoon(
    first: Uint8Array | Promise<Uint8Array>,
    second: Uint8Array | Promise<Uint8Array> | undefined,
  ): Promise<void> {
    const [a, b] = await Promise.all([first, second]);
    await this.#inner.write(a, b);
    if (first instanceof Promise) giveBack(a);
    if (second instanceof Promise) giveBack(b!);
  }

  /** What is given away, in memory of ours, until the next wait. */
  #handOut(clear: Uint8Array, room: number): Uint8Array {
    if (room === 0) return this.#taken = clear;
    const copy = withRoom(clear, room);
    giveBack(clear);
    return copy;
  }

  #forgetTaken(): void {
    if (this.#taken === null) return;
    giveBack(this.#taken);
    this.#taken = null;
  }
}

const NOTHING = new Uint8Array();

function transformed(cipher: Cipher, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  return cipher.updateSoon === undefined ? cipher.update(bytes) : cipher.updateSoon(bytes);
}

/**
 * Frees what a cipher made, in a buffer of its own, as soon as nobody may look at it. Left to the garbage collector
 * such buffers pile up, and every one is paid for in page faults: they doubled the price of Web Crypto's work on Deno,
 * and half of the memory of Bun with node:crypto.
 */
function giveBack(bytes: Uint8Array): void {
  if (bytes.length >= LARGE) (bytes.buffer as ArrayBuffer).transfer(0);
}

function withRoom(bytes: Uint8Array, room: number): Uint8Array {
  if (room === 0) return bytes;
  const copy = new Uint8Array(room + bytes.length);
  copy.set(bytes, room);
  return copy.subarray(room);
}
