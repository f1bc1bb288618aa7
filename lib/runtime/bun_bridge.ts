import { MtrayError } from "../errors.ts";
import type { ByteStream } from "../stream/types.ts";
import { dial, listen } from "./bun.ts";
import { BunStream } from "./bun_stream.ts";

/** How long what was written last may take to pass after a close, in milliseconds. */
const LINGER = 1_000;

/** A socket that leads to a stream. */
export interface Bridge {
  socket: BunStream;
  /** Call it once the socket is closed: what it was given still passes, then the stream is closed, too. */
  closed(reason?: unknown): void;
}

/**
 * A connection of this machine to itself, whose other end is joined to a stream. Bun's own TLS engine takes sockets
 * only; what its node:tls makes of other streams loses bytes and knows no brake.
 */
export async function bridgeTo(stream: ByteStream, signal: AbortSignal): Promise<Bridge> {
  const [socket, far] = await socketPair(signal);
  let closing = false;
  const end = (reason?: unknown) => {
    far.close(reason);
    stream.close(reason);
  };
  const up = pump(far, stream).then(() => {
    if (closing) end();
  });
  const down = pump(stream, far);
  Promise.all([up, down]).then(() => end(), (error) => {
    // A socket that was closed in good order takes no more, and that is no news to the stream.
    if (!closing) end(error);
  });
  return {
    socket,
    closed: (reason) => {
      if (reason !== undefined) return end(reason);
      closing = true;
      setTimeout(end, LINGER);
      // Reads to the end and then ends everything, unless that has been already.
      up.then(() => end(), () => end());
    },
  };
}

async function pump(from: ByteStream, to: ByteStream): Promise<void> {
  // A function of its own, so that nothing holds the bytes while this one waits.
  const pass = () => {
    const bytes = from.take();
    if (bytes.length > 0) return to.write(bytes);
  };
  while (await from.ready()) {
    const writing = pass();
    if (writing !== undefined) await writing;
  }
  await to.closeWrite();
}

async function socketPair(signal: AbortSignal): Promise<[BunStream, BunStream]> {
  const accepted: { stream: ByteStream; port: number }[] = [];
  let arrived = () => {};
  const listener = await listen({ host: "127.0.0.1", port: 0 }, ({ stream, remote }) => {
    if (remote.host !== "127.0.0.1") return stream.close();
    accepted.push({ stream, port: remote.port });
    arrived();
  });
  try {
    const near = await dial(listener.address, {}, signal) as BunStream;
    // Whoever else on this machine found the port is not meant.
    const ours = () => accepted.find(({ port }) => port === near.localPort);
    while (ours() === undefined) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        arrived = resolve;
        setTimeout(resolve, LINGER);
      });
      if (near.descriptor === null) throw new MtrayError("closed", "the connection to ourselves was lost");
    }
    const far = ours()!.stream;
    for (const { stream } of accepted) if (stream !== far) stream.close();
    return [near, far as BunStream];
  } finally {
    listener.close();
  }
}
