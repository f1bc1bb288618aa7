import { MtrayError } from "../../errors.ts";
import { concat } from "../../stream/bytes.ts";
import type { ByteStream } from "../../stream/types.ts";
import type { ChunkWriter } from "./chunk_writer.ts";
import { FrameBuffer } from "./frame_buffers.ts";

export interface OutgoingOptions {
  /** Null: the body is a bare stream. */
  writer: ChunkWriter | null;
  /** What our bytes begin with. It goes together with the first of them, or with the end. */
  header: Uint8Array;
  /** How long the header waits for them once `expectAnswer` was called, in milliseconds; for ever if it is not there. */
  patience?: number;
  /**
   * Ends the inner stream's direction, too, behind the chunk that ends ours. sing-box's clients take nothing else for
   * an end. A client does without: a relay in front of its server may take the end for everybody's, and cut the answer.
   */
  endsInner?: boolean;
  /** Leaves out the chunk that ends the stream: the peer is never told. */
  endless?: boolean;
}

/** Chunks in one write of the inner stream: with more of them the same costs as much, and a slow peer more memory. */
const CHUNKS_AT_ONCE = 9;

/** The direction of a connection that goes to the peer. */
export class Outgoing {
  /** Whether `closeWrite` reaches the peer. */
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #writer: ChunkWriter | null;
  readonly #endless: boolean;
  readonly #endsInner: boolean;
  readonly #patience: number | undefined;
  readonly #frame = new FrameBuffer();
  #header: Uint8Array | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The header on its way alone. */
  #alone: Promise<void> | null = null;
  #finished = false;
  #closed = false;

  constructor(
    inner: ByteStream,
    { writer, header, patience, endless = false, endsInner = false }: OutgoingOptions,
  ) {
    this.#inner = inner;
    this.#writer = writer;
    this.#header = header;
    this.#patience = patience;
    this.#endless = endless;
    this.#endsInner = endsInner || writer === null;
    this.halfCloses = writer === null ? inner.halfCloses : !endless;
  }

  /** The peer is listened to: the header must not wait for ever. */
  expectAnswer(): void {
    if (this.#header === null || this.#patience === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#sendAlone(), this.#patience);
  }

  /** As `write` of ByteStream. Nothing at all is sent for no bytes, since that would be an end. */
  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    if (this.#closed) return Promise.reject(new MtrayError("closed", "the stream was closed"));
    if (a.length === 0 && (b === undefined || b.length === 0)) return;
    return this.#alone === null ? this.#write(a, b) : this.#alone.then(() => this.#write(a, b));
  }

  /** As `closeWrite` of ByteStream. */
  closeWrite(): Promise<void> | void {
    if (this.#finished || this.#closed) return;
    this.#finished = true;
    return this.#alone === null ? this.#end() : this.#alone.then(() => this.#end());
  }

  close(): void {
    this.#closed = true;
    this.#takeHeader();
    this.#writer?.close();
  }

  #write(a: Uint8Array, b: Uint8Array | undefined): Promise<void> | void {
    const writer = this.#writer;
    if (writer === null) return this.#writeBare(a, b);
    const most = CHUNKS_AT_ONCE * writer.most, length = a.length + (b?.length ?? 0);
    if (length > most) return this.#writePieces(most, a, b);
    const header = this.#takeHeader();
    const at = header?.length ?? 0;
    const frame = this.#frame.take(at + writer.wireLength(length));
    if (header !== null) frame.set(header);
    const writing = this.#inner.write(frame.subarray(0, writer.put(a, b, frame, at)));
    return writing === undefined ? this.#frame.release() : writing.then(this.#written, this.#unwritten);
  }

  readonly #written = () => this.#frame.release();

  readonly #unwritten = (error: unknown): never => {
    // Somebody may still read the buffer: it is left to the garbage collector.
    this.#frame.discard();
    throw error;
  };

  #writeBare(a: Uint8Array, b: Uint8Array | undefined): Promise<void> | void {
    const header = this.#takeHeader();
    if (header === null) return this.#inner.write(a, b);
    return this.#inner.write(b === undefined ? concat(header, a) : concat(header, a, b));
  }

  async #writePieces(most: number, ...parts: (Uint8Array | undefined)[]): Promise<void> {
    for (const part of parts) {
      if (part === undefined) continue;
      for (let from = 0; from < part.length; from += most) {
        await this.write(part.subarray(from, from + most));
      }
    }
  }

  async #end(): Promise<void> {
    const header = this.#takeHeader() ?? new Uint8Array();
    const end = this.#writer === null || this.#endless ? new Uint8Array() : this.#writer.end();
    if (header.length + end.length > 0) await this.#inner.write(concat(header, end));
    if (this.#endsInner) await this.#inner.closeWrite();
  }

  #sendAlone(): void {
    const header = this.#takeHeader();
    if (header === null || this.#closed) return;
    const writing = this.#inner.write(header);
    if (writing === undefined) return;
    this.#alone = writing.then(() => {
      this.#alone = null;
    });
    // Whoever reads or writes next sees the same break.
    this.#alone.catch(() => {});
  }

  /** Whoever gets the header sends it. */
  #takeHeader(): Uint8Array | null {
    const header = this.#header;
    this.#header = null;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    return header;
  }
}
