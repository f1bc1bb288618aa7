import type { ByteStream, timedOut } from "../../stream/types.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import { Incoming, type IncomingOptions } from "./incoming.ts";
import { Outgoing, type OutgoingOptions } from "./outgoing.ts";

/** Both directions of a connection. */
export type Ends = IncomingOptions & OutgoingOptions;

/** The bytes that a VMess connection carries, seen from either side. */
export class VmessStream implements ByteStream {
  readonly halfCloses: boolean;
  readonly #inner: ByteStream;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #reader: ChunkReader | null;
  #closed = false;

  constructor(inner: ByteStream, ends: Ends) {
    this.#inner = inner;
    this.#incoming = new Incoming(inner, ends);
    this.#outgoing = new Outgoing(inner, ends);
    this.#reader = ends.reader;
    this.halfCloses = this.#outgoing.halfCloses;
  }

  ready(): Promise<boolean> {
    this.#outgoing.expectAnswer();
    return this.#incoming.ready();
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    this.#outgoing.expectAnswer();
    return this.#incoming.readyBefore(deadline);
  }

  take(room = 0): Uint8Array {
    const reader = this.#reader;
    if (reader === null) return this.#incoming.take(room);
    if (reader.waiting) return this.#incoming.decode(() => reader.more(room));
    const bytes = this.#incoming.take(room);
    return bytes.length === 0 ? bytes : this.#incoming.decode(() => reader.update(bytes, room));
  }

  write(a: Uint8Array, b?: Uint8Array): Promise<void> | void {
    return this.#outgoing.write(a, b);
  }

  closeWrite(): Promise<void> | void {
    return this.#outgoing.closeWrite();
  }

  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming.close();
    this.#inner.close(reason);
    this.#outgoing.close();
    this.#reader?.close();
  }
}
