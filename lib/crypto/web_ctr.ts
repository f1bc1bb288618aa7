import { MtrayError } from "../errors.ts";
import { Ctr, type Place } from "./ctr.ts";
import { type NodeCipher, nodeCipherAt, updated } from "./node_ctr.ts";
import type { WebAes } from "./web_aes.ts";

/** From so many bytes on, another thread is cheaper in spite of the way there (30 µs on Deno 2.9). */
const LARGE = 16 << 10;

interface Engine {
  /** At the stream's place; null where Web Crypto did the last piece. */
  near: NodeCipher | null;
  /** For Web Crypto; null until it is there. */
  key: CryptoKey | null;
  asked: boolean;
}

/**
 * AES-256-CTR in two ways: small pieces at once by node:crypto, large ones by Web Crypto on another thread. Both are
 * told where they are in the stream, so that they may take turns.
 *
 * Until the key is imported, and Web Crypto has passed its trial, large pieces are done at once as well.
 */
export class WebCtr extends Ctr<Engine> {
  readonly #web: WebAes;

  constructor(key: Uint8Array, iv: Uint8Array, web: WebAes) {
    super(key, iv);
    this.#web = web;
  }

  protected override begin(): Engine {
    return { near: null, key: null, asked: false };
  }

  protected override transform(engine: Engine, bytes: Uint8Array): Uint8Array {
    return updated(engine.near ??= nodeCipherAt(this.place(), this.key()), bytes);
  }

  protected override end(): void {}

  updateSoon(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (bytes.length < LARGE) return this.update(bytes);
    const engine = this.engine();
    if (engine.key === null) {
      if (!engine.asked) this.#ask(engine);
      return this.update(bytes);
    }
    engine.near = null;
    const place = this.place();
    this.moved(bytes.length);
    return this.#far(engine.key, place, bytes);
  }

  async #far(key: CryptoKey, { counter, skip }: Place, bytes: Uint8Array): Promise<Uint8Array> {
    // It begins with a block, the bytes may begin within one. So whatever lies in front of them goes along, and what
    // became of it is left out.
    const blocks = bytes.byteOffset >= skip
      ? new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset - skip, skip + bytes.length)
      : padded(skip, bytes);
    const result = await this.#web.encrypt(key, counter, blocks);
    if (!this.closed) return new Uint8Array(result, skip);
    throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
  }

  async #ask(engine: Engine): Promise<void> {
    engine.asked = true;
    engine.key = await this.#web.key(this.key());
  }
}

function padded(skip: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = new Uint8Array(skip + bytes.length);
  blocks.set(bytes, skip);
  return blocks;
}
