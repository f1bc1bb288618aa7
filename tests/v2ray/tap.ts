/** A wire that can be looked at: a relay between two programs that keeps what they say first. */
import { concat } from "../telegram/bytes.ts";
import { connectSocket, type Socket } from "../telegram/socket.ts";
import { Server } from "./servers.ts";

/** Bytes of one connection that are kept. */
const KEPT = 4096;

/** A connection that passed. */
export class Passage {
  /** The first bytes from the side that connected. */
  up: Uint8Array = new Uint8Array();
}

/** Takes connections and hands them on to a port of this machine, ends and all. */
export class Tap {
  readonly passages: Passage[] = [];
  readonly #far = new Set<Socket>();
  #server: Server | null = null;

  static async start(target: number): Promise<Tap> {
    const tap = new Tap();
    tap.#server = await Server.start((near) => tap.#pass(near, target));
    return tap;
  }

  get port(): number {
    return this.#server!.port;
  }

  async #pass(near: Socket, target: number): Promise<void> {
    const passage = new Passage();
    this.passages.push(passage);
    using far = await connectSocket(target, { patience: Infinity });
    this.#far.add(far);
    const see = (bytes: Uint8Array) => {
      if (passage.up.length < KEPT) passage.up = concat(passage.up, bytes).subarray(0, KEPT);
    };
    const [up, down] = [copy(near, far, see), copy(far, near, () => {})];
    // One direction that breaks ends the other, whose end nobody would see.
    for (const direction of [up, down]) {
      direction.catch(() => [near, far].forEach((socket) => socket.close()));
    }
    await Promise.all([up, down]).finally(() => this.#far.delete(far));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const far of this.#far) far.close();
    await this.#server?.[Symbol.asyncDispose]();
  }
}

async function copy(from: Socket, to: Socket, see: (bytes: Uint8Array) => void): Promise<void> {
  for (let bytes = await from.read(); bytes !== null; bytes = await from.read()) {
    see(bytes);
    await to.write(bytes);
  }
  await to.closeWrite();
}
