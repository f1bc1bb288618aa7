/** What a stub data centre can be told to do. */
import { concat } from "./bytes.ts";
import type { Behaviour } from "./data_centre.ts";
import { encodePacket, encodeQuickAck } from "./framing.ts";
import { pattern } from "./pattern.ts";

const CHUNK = 64 * 1024;

/** The quick ack that `echoPackets` sends. */
export const ECHO_TOKEN = 0x81020304;

/** Sends back every payload byte, and finishes when the other side has. */
export const echo: Behaviour = async (connection) => {
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
    await connection.write(bytes);
  }
};

/** Sends back every packet in the same framing, a quick ack before those that ask for one. */
export const echoPackets: Behaviour = async (connection) => {
  for await (const { data, wantsQuickAck } of connection.packets()) {
    // What padding is beyond a multiple of 4 ends here, and the answer gets its own.
    const packet = encodePacket(connection.tag, data.subarray(0, data.length - data.length % 4));
    await connection.write(
      wantsQuickAck ? concat(encodeQuickAck(connection.tag, ECHO_TOKEN), packet) : packet,
    );
  }
};

/** Reads everything and says nothing. */
export const sink: Behaviour = async (connection) => {
  await connection.drain();
};

/** Neither reads nor speaks, until it is closed. */
export const mute: Behaviour = async (connection) => {
  await connection.ended;
};

/** Sends `length` bytes of the pattern as fast as they are taken, then finishes its direction; reads meanwhile. */
export function source(length: number, seed = 0): Behaviour {
  return async (connection) => {
    await Promise.all([connection.drain(), say(connection, length, seed)]);
  };
}

/** Finishes first: sends `length` bytes, then its end, and goes on reading until the client has finished, too. */
export function finishFirst(length: number, seed = 0): Behaviour {
  return async (connection) => {
    await say(connection, length, seed);
    await connection.drain();
  };
}

/** Finishes last: reads until the client has finished, and only then sends `length` bytes of the pattern. */
export function answerAfterEnd(length: number, seed = 0): Behaviour {
  return async (connection) => {
    await connection.drain();
    await say(connection, length, seed);
  };
}

/** Resets the connection once `after` payload bytes have come. The data centre must be `resettable`. */
export function reset(after: number): Behaviour {
  return async (connection) => {
    while (connection.bytesUp < after) if (await connection.read() === null) return;
    connection.socket.reset();
  };
}

async function say(connection: Parameters<Behaviour>[0], length: number, seed: number): Promise<void> {
  for (let sent = 0; sent < length; sent += CHUNK) {
    await connection.write(pattern(sent, Math.min(CHUNK, length - sent), seed));
  }
  await connection.socket.closeWrite();
}
