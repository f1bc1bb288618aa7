import { MtrayError } from "../errors.ts";
import { every } from "../runtime/waiting.ts";
import type { Cipher } from "./types.ts";

/** Bytes. */
const KEY = 32, IV = 16, BLOCK = 16;

/**
 * How often silent ciphers are looked for, in milliseconds: one that was silent between two looks is parked. So it is
 * after 1–2 s of silence. To make it again takes as long as to encrypt a few kilobytes.
 */
const LOOK = 1_000;

/** Where in a stream its next byte is. */
export interface Place {
  /** Of its block. */
  counter: Uint8Array<ArrayBuffer>;
  /** Bytes of the block that are used up, 0–15. */
  skip: number;
}

/** Ciphers that hold something a silent connection need not have. */
const awake = new Set<Parkable>();
let stopLooking = () => {};

abstract class Parkable {
  /** Since somebody looked. */
  protected used = true;

  /** Lets go of what can be made again. */
  protected abstract park(): void;

  protected woke(): void {
    if (awake.size === 0) stopLooking = every(LOOK, () => Parkable.look());
    awake.add(this);
  }

  protected parked(): void {
    if (awake.delete(this) && awake.size === 0) stopLooking();
  }

  /** Parks those that nobody used since the last look. */
  static look(): void {
    for (const cipher of awake) {
      if (cipher.used) cipher.used = false;
      else cipher.park();
    }
  }
}

/**
 * AES-256-CTR with a 128-bit big-endian counter, whatever computes it.
 *
 * What computes it is made when the first byte comes, and a cipher that is silent lets go of it, and keeps its key, IV
 * and offset. A forgotten one is parked as well: no memory of a native library is ever lost.
 */
export abstract class Ctr<Engine> extends Parkable implements Cipher {
  /** Key and IV, packed; null once freed. */
  #secret: number[] | null;
  #engine: Engine | null = null;
  /** Bytes of the stream that are done. */
  #offset = 0;

  /** @throws {RangeError} A native library would read beyond what is too short. */
  constructor(key: Uint8Array, iv: Uint8Array) {
    super();
    if (key.length !== KEY || iv.length !== IV) {
      throw new RangeError(`AES-256-CTR takes a key of ${KEY} and an IV of ${IV} bytes`);
    }
    this.#secret = packed(key, iv);
  }

  /** What goes on from `place()`. */
  protected abstract begin(): Engine;
  protected abstract transform(engine: Engine, bytes: Uint8Array): Uint8Array;
  protected abstract end(engine: Engine): void;

  update(bytes: Uint8Array): Uint8Array {
    const result = this.transform(this.engine(), bytes);
    this.moved(bytes.length);
    return result;
  }

  close(): void {
    this.#secret?.fill(0);
    this.#secret = null;
    this.park();
  }

  protected get closed(): boolean {
    return this.#secret === null;
  }

  /**
   * What computes the next bytes.
   *
   * @throws {MtrayError} `closed`
   */
  protected engine(): Engine {
    return this.#engine ?? this.#wake();
  }

  /** A copy of the key; whoever asks overwrites it when it is used up. */
  protected key(): Uint8Array<ArrayBuffer> {
    return unpacked(this.#open(), 0, KEY);
  }

  protected place(): Place {
    const skip = this.#offset % BLOCK;
    const counter = unpacked(this.#open(), KEY, KEY + IV);
    moveOn(counter, (this.#offset - skip) / BLOCK);
    return { counter, skip };
  }

  /** Says that so many bytes are done. */
  protected moved(length: number): void {
    this.#offset += length;
    this.used = true;
  }

  protected override park(): void {
    const engine = this.#engine;
    if (engine === null) return;
    this.#engine = null;
    this.parked();
    this.end(engine);
  }

  #wake(): Engine {
    this.#open();
    const engine = this.#engine = this.begin();
    this.woke();
    return engine;
  }

  #open(): number[] {
    if (this.#secret === null) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    return this.#secret;
  }
}

/** Parks every cipher that was not used since the last call. Otherwise done by a timer. */
export function parkSilentCiphers(): void {
  Parkable.look();
}

const words = new Int32Array((KEY + IV) / 4);
const bytes = new Uint8Array(words.buffer);

/** As numbers: on V8 an array of bytes costs 500 more than what it holds, which is more than all the rest of a cipher. */
function packed(key: Uint8Array, iv: Uint8Array): number[] {
  bytes.set(key);
  bytes.set(iv, KEY);
  const w = words;
  // Not Array.from, which leaves room for as many again.
  const all = [w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11]];
  bytes.fill(0);
  return all;
}

function unpacked(all: number[], from: number, to: number): Uint8Array<ArrayBuffer> {
  words.set(all);
  const part = bytes.slice(from, to);
  bytes.fill(0);
  return part;
}

/** Moves a counter on by so many blocks; it overflows as a number of 128 bits. */
function moveOn(counter: Uint8Array, blocks: number): void {
  for (let i = BLOCK - 1, carry = blocks; i >= 0 && carry > 0; i--) {
    carry += counter[i];
    counter[i] = carry % 256;
    carry = Math.floor(carry / 256);
  }
}
