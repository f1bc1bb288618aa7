import { MuxClient, type MuxOptions } from "../../../../lib/proxy/vmess/mux/client.ts";
import {
  encodeDestination,
  FrameReader,
  headLength,
  type ReadHead,
  type Status,
  writeHead,
} from "../../../../lib/proxy/vmess/mux/frame.ts";
import { type MuxHandler, serveMux, type ServeOptions } from "../../../../lib/proxy/vmess/mux/server.ts";
import { concat } from "../../../../lib/stream/bytes.ts";
import { memoryPair } from "../../../../lib/stream/pair.ts";
import { type ByteStream, type PacketStream, type Target, timedOut } from "../../../../lib/stream/types.ts";

export const never = new AbortController().signal;
export const example: Target = { host: "example.com", port: 443 };

/** Things that come later or are there already, in order. */
export class Later<T> {
  readonly #ready: T[] = [];
  readonly #wanted: ((value: T) => void)[] = [];

  put(value: T): void {
    const wanted = this.#wanted.shift();
    if (wanted !== undefined) wanted(value);
    else this.#ready.push(value);
  }

  next(): Promise<T> {
    const value = this.#ready.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  get size(): number {
    return this.#ready.length;
  }
}

/** A session that the server was given. It lasts until `done`, or until the test's end. */
export interface Taken<Stream> {
  target: Target;
  stream: Stream;
  done(error?: unknown): void;
}

/** A handler that hands what it is given to the test. */
export class Handler implements MuxHandler {
  readonly streams = new Later<Taken<ByteStream>>();
  readonly flows = new Later<Taken<PacketStream>>();

  stream(target: Target, stream: ByteStream): Promise<void> {
    return this.#give(this.streams, target, stream);
  }

  packets(target: Target, stream: PacketStream): Promise<void> {
    return this.#give(this.flows, target, stream);
  }

  #give<S>(to: Later<Taken<S>>, target: Target, stream: S): Promise<void> {
    return new Promise((resolve, reject) => {
      to.put({ target, stream, done: (error) => error === undefined ? resolve() : reject(error) });
    });
  }
}

/** A client and a server of ours, with as many carriers in memory between them as the client asks for. */
export class Both {
  readonly handler: MuxHandler;
  readonly client: MuxClient;
  /** The client's ends of the carriers. */
  readonly carriers: ByteStream[] = [];
  readonly served: Promise<string>[] = [];

  constructor(
    handler: MuxHandler,
    { client, server, capacity }: { client?: Partial<MuxOptions>; server?: ServeOptions; capacity?: number } =
      {},
  ) {
    this.handler = handler;
    this.client = new MuxClient({
      open: () => {
        const [a, b] = memoryPair(capacity);
        this.carriers.push(a);
        this.served.push(outcome(serveMux(b, handler, server)));
        return Promise.resolve(a);
      },
      ...client,
    });
  }

  connect(target = example): Promise<ByteStream> {
    return this.client.connect(target, never);
  }

  async end(): Promise<void> {
    this.client.close();
    await Promise.all(this.served);
  }
}

/** "served", or the code of the error. */
export async function outcome(promise: Promise<void>): Promise<string> {
  try {
    await promise;
    return "served";
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

/** One frame on the wire. */
export function frame(
  id: number,
  status: Status,
  { data, to, udp, globalId, error }: {
    data?: Uint8Array;
    to?: Target;
    udp?: boolean;
    globalId?: Uint8Array;
    error?: boolean;
  } = {},
): Uint8Array {
  const destination = to === undefined ? null : encodeDestination(udp ? "udp" : "tcp", to, globalId);
  const head = new Uint8Array(headLength(destination, data !== undefined));
  writeHead(head, { id, status, error: error === true, dataLength: data?.length ?? null }, destination);
  return concat(head, data ?? new Uint8Array());
}

/** A whole frame, as read. */
export interface Got {
  head: ReadHead;
  data: Uint8Array;
}

/** Everything that pieces of bytes hold. */
export function framesOf(...pieces: Uint8Array[]): Got[] {
  const reader = new FrameReader();
  const got: Got[] = [];
  for (const bytes of pieces) {
    reader.feed(bytes);
    for (let piece; (piece = reader.next()) !== null;) {
      const data = piece.data?.slice() ?? new Uint8Array();
      if (piece.first) got.push({ head: piece.head, data });
      else got[got.length - 1].data = concat(got[got.length - 1].data, data);
    }
  }
  return got;
}

/** The other end of a carrier, played by the test frame by frame. */
export class RawPeer {
  readonly #reader = new FrameReader();

  constructor(readonly stream: ByteStream) {}

  /** "end 1", "end! 1", "keep 1 5 bytes", "new 1 tcp example.com:443 none": the next whole frame in short. */
  async next(): Promise<string> {
    let length = 0;
    for (;;) {
      for (let piece; (piece = this.#reader.next()) !== null;) {
        length += piece.data?.length ?? 0;
        if (piece.left === 0) return inShort(piece.head, length);
      }
      const more = await this.stream.readyBefore(performance.now() + 10_000);
      if (more === timedOut) throw new Error("no frame came within ten seconds");
      if (!more) return "the carrier's end";
      this.#reader.feed(this.stream.take());
    }
  }

  async send(...frames: Uint8Array[]): Promise<void> {
    await this.stream.write(concat(...frames));
  }
}

function inShort({ id, status, error, network, target, dataLength }: ReadHead, length: number): string {
  return [
    status + (error ? "!" : ""),
    id,
    ...(target === undefined ? [] : [network, `${target.host}:${target.port}`]),
    ...(dataLength === null ? [] : [`${length} bytes`]),
  ].join(" ");
}

/** Waits until it is so, for at most ten seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i === 2000) throw new Error(`it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
