/** What stands in front of the programs: connections and datagrams to an echo, each answer compared. */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { concat, equal } from "../telegram/bytes.ts";
import { pattern } from "../telegram/pattern.ts";
import { connectSocket, type Socket } from "../telegram/socket.ts";

/** Of one write. Not a power of two, so that it never fits anybody's chunks. */
const PIECE = 100_003;

/** Sends `length` bytes to an echo and compares what comes back by its SHA-256. Both ways run at the same time. */
export async function echoBytes(port: number, length: number): Promise<void> {
  using socket = await connectSocket(port);
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  const send = async () => {
    for (let at = 0; at < length; at += PIECE) {
      const piece = pattern(at, Math.min(PIECE, length - at));
      sent.update(piece);
      await socket.write(piece);
    }
  };
  const receive = async () => {
    for (let missing = length; missing > 0;) {
      const bytes = await socket.read();
      if (bytes === null) throw new Error(`cannot read ${length} bytes: the stream ended ${missing} early`);
      received.update(bytes);
      missing -= bytes.length;
      if (missing < 0) throw new Error(`cannot read ${length} bytes: ${-missing} more came`);
    }
  };
  await Promise.all([send(), receive()]);
  if (sent.digest("hex") !== received.digest("hex")) {
    throw new Error(`cannot accept ${length} bytes: they came back changed`);
  }
}

/** Opens so many connections to an echo, has each of them say something, and closes none before all are answered. */
export async function echoTogether(port: number, connections: number, length = 20_000): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connectSocket(port)));
  try {
    await Promise.all(sockets.map(async (socket, seed) => {
      const said = pattern(0, length, seed);
      const [heard] = await Promise.all([socket.readExactly(length), socket.write(said)]);
      if (heard === null) throw new Error(`cannot read answer ${seed}: the stream ended before it`);
      if (!equal(heard, said)) throw new Error(`cannot accept answer ${seed}: it differs`);
    }));
  } finally {
    for (const socket of sockets) socket.close();
  }
}

export interface DatagramPlan {
  count: number;
  /** Datagrams that may wait for their answer at the same time. */
  window?: number;
  /** Of the longest datagram; the shortest has one byte. */
  longest?: number;
}

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 5_000;

/** Sends datagrams to an echo from one socket. Each must come back, and nothing else. */
export async function echoDatagrams(port: number, plan: DatagramPlan): Promise<void> {
  const { count, window = 16, longest = 1400 } = plan;
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  // Those without an answer so far. Two short ones may be alike.
  const waiting = new Map<string, number>();
  let [sent, unanswered, answered] = [0, 0, 0];
  const done = Promise.withResolvers<void>();
  const sendOn = () => {
    while (sent < count && unanswered < window) {
      const data = datagram(sent++, longest);
      const key = data.toString("latin1");
      waiting.set(key, (waiting.get(key) ?? 0) + 1);
      unanswered++;
      socket.send(data, port, "127.0.0.1", (error) => error && done.reject(error));
    }
  };
  socket.on("message", (data) => {
    const key = data.toString("latin1");
    const alike = waiting.get(key);
    if (alike === undefined) {
      return done.reject(new Error(`cannot accept a datagram of ${data.length} bytes: nobody sent it`));
    }
    if (alike === 1) waiting.delete(key);
    else waiting.set(key, alike - 1);
    unanswered--;
    if (++answered === count) done.resolve();
    else sendOn();
  });
  let before = -1;
  const watch = setInterval(() => {
    if (before === answered) {
      done.reject(new Error(`cannot get ${count} datagrams back: ${unanswered} missing after ${answered}`));
    }
    before = answered;
  }, ANSWER_MS);
  try {
    sendOn();
    await done.promise;
  } finally {
    clearInterval(watch);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** Every length comes up; the first bytes are the index, as far as there is room for it. */
function datagram(index: number, longest: number) {
  const length = 1 + (index * 631) % longest;
  const data = Buffer.from(pattern(index, length));
  for (let i = 0; i < Math.min(4, length); i++) data[i] = index >>> (8 * i);
  return data;
}

/** Sends a request and its end, and reads the answer to its end. */
export async function ask(port: number, request: Uint8Array): Promise<Uint8Array> {
  using socket = await connectSocket(port);
  await socket.write(request);
  await socket.closeWrite();
  return await readToEnd(socket);
}

/** Sends a byte, its end once the answer has begun to come, and reads the answer to its end. */
export async function askAndFinish(port: number, finished: () => void): Promise<Uint8Array> {
  using socket = await connectSocket(port);
  await socket.write(Uint8Array.of(1));
  const first = await socket.read();
  if (first === null) throw new Error("cannot read an answer: the stream ended before it");
  await socket.closeWrite();
  finished();
  return concat(first, await readToEnd(socket));
}

async function readToEnd(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await socket.read(); bytes !== null; bytes = await socket.read()) parts.push(bytes);
  return concat(...parts);
}
