import type { Duplex } from "node:stream";
import type { ByteStream } from "../stream/types.ts";
import { late } from "./late.ts";

const streams = late<typeof import("node:stream")>("node:stream");

/**
 * Lets ciphertext through while somebody has use for it. node:tls has no such brake on Deno: a paused TLSSocket goes
 * on reading what it stands on.
 */
export class Gate {
  #shut = false;
  #waiting: (() => void) | null = null;

  shut(): void {
    this.#shut = true;
  }

  open(): void {
    this.#shut = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  /** Calls back at once, or when the gate opens. */
  pass(go: () => void): void {
    if (this.#shut) this.#waiting = go;
    else go();
  }
}

/** Without an error the stream ended as it should. */
export type Failed = (direction: "reading" | "writing", error?: unknown) => void;

/**
 * A stream of ours in the shape that node:tls takes.
 *
 * @param options.first what was read of the stream already
 * @param options.failed is told why the stream broke, before node:tls is. Where nothing can be sent any more
 * node:tls is not told at all: it would give up reading, too, and something may still be on its way.
 */
export function asDuplex(
  stream: ByteStream,
  { first, gate, failed }: { first?: Uint8Array; gate: Gate; failed: Failed },
): Duplex {
  let left = first !== undefined && first.length > 0 ? first : null;
  const duplex: Duplex = new (streams().Duplex)({
    allowHalfOpen: true,
    read() {
      pull();
    },
    write(chunk: Uint8Array, _encoding, done) {
      settle(() => stream.write(chunk), done);
    },
    final(done) {
      settle(() => stream.closeWrite(), done);
    },
    destroy(error, done) {
      stream.close(error ?? undefined);
      done(error);
    },
  });
  const settle = (start: () => Promise<void> | void, done: () => void) => {
    const failing = (error: unknown) => {
      failed("writing", error);
      done();
    };
    try {
      const settling = start();
      if (settling === undefined) done();
      else settling.then(done, failing);
    } catch (error) {
      failing(error);
    }
  };
  const pull = () => gate.pass(read);
  const read = () => {
    if (left !== null) {
      const bytes = left;
      left = null;
      return void duplex.push(bytes);
    }
    stream.ready().then((more) => {
      if (!more) {
        failed("reading");
        return void duplex.push(null);
      }
      const bytes = stream.take();
      // Nothing pushed means nobody asks again.
      if (bytes.length === 0) return pull();
      // Copied: the view is ours only until the next ready().
      duplex.push(Uint8Array.from(bytes));
    }).catch((error) => {
      failed("reading", error);
      duplex.destroy(error);
    });
  };
  return duplex;
}
