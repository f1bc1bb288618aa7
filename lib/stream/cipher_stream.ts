import type { Cipher, SyncCipher } from "../crypto/types.ts";
import type { ByteStream, timedOut } from "./types.ts";

/** What a stream is wrapped in. A missing cipher leaves its direction alone, at no cost. */
export interface CipherPair {
  reading: Cipher | null;
  writing: Cipher | null;
  /** What a handshake read too far: still encrypted, and the first thing to be taken. */
  first?: Uint8Array;
}

/** Puts ciphers around a stream. The stream owns them from now on and frees them when it is closed. */
export function cipherStream(inner: ByteStream, pair: CipherPair): ByteStream {
  return pair.reading?.asynchronous || pair.writing?.asynchronous
    ? new WaitingCipherStream(inner, pair)
    : new CipherStream(inner, pair);
}

abstract class Ciphered {
  readonly halfCloses: boolean;
  protected first: Uint8Array | null;

  constructor(protected readonly inner: ByteStream, protected readonly pair: CipherPair) {
    this.halfCloses = inner.halfCloses;
    this.first = pair.first !== undefined && pair.first.length > 0 ? pair.first : null;
  }

  closeWrite(): Promise<void> | void {
    return this.inner.closeWrite();
  }

  close(reason?: unknown): void {
    this.inner.close(reason);
    this.pair.reading?.close();
    this.pair.writing?.close();
  }
}

class CipherStream extends Ciphered implements ByteStream {
  readonly #reading: SyncCipher | null;
  readonly #writing: SyncCipher | null;

  constructor(inner: ByteStream, pair: CipherPair) {
    super(inner, pair);
    this.#reading = pair.reading as SyncCipher | null;
    this.#writing = pair.writing as SyncCipher | null;
  }

  ready(): Promise<boolean> {
    return this.first !== null ? Promise.resolve(true) : this.inner.ready();
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    return this.first !== null ? Promise.resolve(true) : this.inner.readyBefore(deadline);
  }

  take(room = 0): Uint8Array {
    if (this.first !== null) {
      const bytes = this.first;
      this.first = null;
      return withRoom(this.#reading === null ? bytes : this.#reading.update(bytes), room);
    }
    // With room asked for, only a cipher that works in place keeps what lies in front of the bytes.
    const bytes = this.inner.take(room);
    if (this.#reading === null) return bytes;
    const clear = this.#reading.update(bytes);
    return clear.buffer === bytes.buffer ? clear : withRoom(clear, room);
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    const cipher = this.#writing;
    if (cipher === null) return this.inner.write(a, b);
    const first = cipher.update(a);
    return b === undefined ? this.inner.write(first) : this.inner.write(first, cipher.update(b));
  }
}

/** The same where a cipher answers with promises: the work is done in `ready` and before `write`. */
class WaitingCipherStream extends Ciphered implements ByteStream {
  #clear: Uint8Array | null = null;

  async ready(): Promise<boolean> {
    if (this.first === null && !await this.inner.ready()) return false;
    await this.#decipher();
    return true;
  }

  async readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    if (this.first === null) {
      const more = await this.inner.readyBefore(deadline);
      if (more !== true) return more;
    }
    await this.#decipher();
    return true;
  }

  take(room = 0): Uint8Array {
    const bytes = this.#clear ?? new Uint8Array();
    this.#clear = null;
    return withRoom(bytes, room);
  }

  async write(a: Uint8Array, b?: Uint8Array): Promise<void> {
    const cipher = this.pair.writing;
    if (cipher === null) return this.inner.write(a, b);
    const first = await cipher.update(a);
    await this.inner.write(first, b === undefined ? undefined : await cipher.update(b));
  }

  async #decipher(): Promise<void> {
    const bytes = this.first ?? this.inner.take();
    this.first = null;
    this.#clear = this.pair.reading === null ? bytes : await this.pair.reading.update(bytes);
  }
}

function withRoom(bytes: Uint8Array, room: number): Uint8Array {
  if (room === 0) return bytes;
  const copy = new Uint8Array(room + bytes.length);
  copy.set(bytes, room);
  return copy.subarray(room);
}
