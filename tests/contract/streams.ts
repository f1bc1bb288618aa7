import { runtime } from "../../lib/runtime/mod.ts";
import { concat } from "../../lib/stream/bytes.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import type { ByteStream } from "../../lib/stream/types.ts";

/** Two ends of one connection. */
export interface Pair {
  a: ByteStream;
  b: ByteStream;
  /** Ends whatever the pair stands on. */
  end(): void;
}

/** Everything that must keep the promises of `ByteStream`. */
export interface Kind {
  name: string;
  /** Whether its streams can end one direction alone; yes where nothing is said. */
  halfCloses?: boolean;
  /** What the system's buffers between the two ends may take, in MB; 20 where nothing is said. */
  holds?: number;
  open(): Promise<Pair>;
}

const never = new AbortController().signal;

export const memory: Kind = {
  name: "memory",
  open() {
    const [a, b] = memoryPair();
    return Promise.resolve({ a, b, end: () => {} });
  },
};

/** A connection over loopback: `a` dialled, `b` was accepted. */
export const tcp: Kind = {
  name: "tcp",
  async open() {
    const accepted = Promise.withResolvers<ByteStream>();
    const listener = await runtime.listen(
      { host: "127.0.0.1", port: 0 },
      ({ stream }) => accepted.resolve(stream),
    );
    const a = await runtime.dial(listener.address, {}, never);
    const b = await accepted.promise;
    return {
      a,
      b,
      end: () => {
        a.close();
        b.close();
        listener.close();
      },
    };
  },
};

/** The same, seen from the side that was dialled. */
export const accepted: Kind = {
  name: "tcp, accepted end first",
  async open() {
    const { a, b, end } = await tcp.open();
    return { a: b, b: a, end };
  },
};

/** Reads to the end. For handshakes and tests; a relay does not copy. */
export async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  while (await stream.ready()) pieces.push(stream.take().slice());
  return concat(...pieces);
}

/** Reads so many bytes, or fewer where the stream ends before. */
export async function readSome(stream: ByteStream, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let got = 0; got < length;) {
    if (!await stream.ready()) break;
    const piece = stream.take().slice();
    pieces.push(piece);
    got += piece.length;
  }
  return concat(...pieces);
}

/** Bytes that tell where they are, so that a swap or a repetition is noticed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = seed * 2654435761 >>> 0; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** The code of what a promise rejects with; "none" where it does not. */
export async function codeOfRejection(promise: Promise<unknown> | unknown): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}
