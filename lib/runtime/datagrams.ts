import type { Socket } from "node:dgram";
import { MtrayError } from "../errors.ts";
import {
  type BoundPackets,
  MOST_WAITING,
  type Packet,
  type PacketStream,
  type Target,
} from "../stream/types.ts";
import { textOf } from "./address.ts";
import { countUdp, uncountUdp } from "./descriptors.ts";
import { nodeDatagrams, nodeNet } from "./node_net.ts";
import { NameCache } from "./name_cache.ts";
import { MOST_WAITING_BYTES, PacketQueue } from "./packet_queue.ts";
import type { Place } from "./types.ts";

/** Binds a UDP socket. Port 0 takes any; the address `::` takes IPv4, too. Rejects with code `start`. */
export async function openPackets(at: Place): Promise<DatagramSocket> {
  const share = at.share !== undefined && canShare;
  try {
    return new DatagramSocket(await bound(share && at.share === "first" ? await triedAlone(at) : at, share));
  } catch (error) {
    if (error instanceof MtrayError) throw error;
    throw new MtrayError("start", `cannot bind UDP ${textOf(at)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Deno takes the option and leaves it at that. */
const canShare = "Bun" in globalThis;

async function bound(at: Target, share: boolean): Promise<UdpSocket> {
  const socket = new UdpSocket(at.host.includes(":") ? 6 : 4, share);
  try {
    await socket.bind(at);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Binds a port alone, which fails where others share it, and lets it go. @returns where it was bound */
async function triedAlone(at: Target): Promise<Target> {
  const socket = await bound(at, false);
  const { port } = socket.address;
  socket.close();
  return { host: at.host, port };
}

/**
 * A way for datagrams to any address, first of all to `target`. Names are resolved by the system. Answers from
 * anywhere are delivered. Rejects with `unreachable` when the target's name has no address or there is no socket.
 */
export async function dialPackets(target: Target, signal: AbortSignal): Promise<PacketStream> {
  signal.throwIfAborted();
  const packets = new DialledPackets();
  try {
    await Promise.race([packets.prepare(target), aborted(signal)]);
    return packets;
  } catch (error) {
    packets.close();
    if (error instanceof MtrayError && error.code !== "timed-out") throw error;
    throw new MtrayError("unreachable", `cannot send datagrams to ${textOf(target)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** A bound UDP socket as a stream of packets. What cannot be sent is dropped, as UDP does. */
export class DatagramSocket implements BoundPackets {
  /** As bound. */
  readonly address: Target;
  readonly #socket: UdpSocket;
  readonly #queue = new PacketQueue();

  constructor(socket: UdpSocket) {
    this.#socket = socket;
    this.address = socket.address;
    socket.received = (packet) => this.#queue.push(packet);
  }

  get dropped(): number {
    return this.#queue.dropped + this.#socket.dropped;
  }

  receive(): Promise<Packet | null> {
    return this.#queue.receive();
  }

  send(data: Uint8Array, to: Target): void {
    this.#socket.send(data, to);
  }

  close(): void {
    this.#queue.close();
    this.#socket.close();
  }
}

/** A socket for each family of addresses, opened when it is first needed. */
class DialledPackets implements PacketStream {
  readonly #sockets = new Map<number, UdpSocket>();
  readonly #queue = new PacketQueue();
  readonly #names = new NameCache();
  /** Datagrams whose target's name is being resolved. */
  #unresolved: { data: Uint8Array; to: Target }[] = [];
  #dropped = 0;
  #closed = false;

  get dropped(): number {
    let sum = this.#dropped + this.#queue.dropped;
    for (const socket of this.#sockets.values()) sum += socket.dropped;
    return sum;
  }

  /** Opens what the first datagram will need. */
  async prepare({ host }: Target): Promise<void> {
    const address = nodeNet().isIP(host) > 0 ? host : await this.#names.resolve(host);
    if (address === null) throw new Error("the name has no address");
    if (!this.#closed) {
      await this.#socketFor(address).bind({ host: unspecified(nodeNet().isIP(address)), port: 0 });
    }
  }

  receive(): Promise<Packet | null> {
    return this.#queue.receive();
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#closed) return;
    if (nodeNet().isIP(to.host) > 0) return this.#sendTo(to.host, data, to.port);
    const known = this.#names.known(to.host);
    if (known !== undefined) {
      if (known === null) this.#dropped++;
      else this.#sendTo(known, data, to.port);
      return;
    }
    const asked = this.#unresolved.some((waiting) => waiting.to.host === to.host);
    this.#unresolved.push({ data, to });
    while (this.#unresolved.length > MOST_WAITING || sizeOf(this.#unresolved) > MOST_WAITING_BYTES) {
      this.#unresolved.shift();
      this.#dropped++;
    }
    if (!asked) this.#names.resolve(to.host).then((address) => this.#resolved(to.host, address));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unresolved = [];
    this.#names.clear();
    this.#queue.close();
    for (const socket of this.#sockets.values()) socket.close();
  }

  #resolved(host: string, address: string | null): void {
    if (this.#closed) return;
    const ready = this.#unresolved.filter(({ to }) => to.host === host);
    this.#unresolved = this.#unresolved.filter(({ to }) => to.host !== host);
    for (const { data, to } of ready) {
      if (address === null) this.#dropped++;
      else this.#sendTo(address, data, to.port);
    }
  }

  #sendTo(host: string, data: Uint8Array, port: number): void {
    let socket: UdpSocket;
    try {
      socket = this.#socketFor(host);
    } catch {
      // Too many are open.
      this.#dropped++;
      return;
    }
    socket.send(data, { host, port });
  }

  #socketFor(address: string): UdpSocket {
    const family = nodeNet().isIP(address);
    let socket = this.#sockets.get(family);
    if (socket === undefined) {
      socket = new UdpSocket(family);
      socket.received = (packet) => this.#queue.push(packet);
      this.#sockets.set(family, socket);
    }
    return socket;
  }
}

/** One socket of the system. A socket that is not bound is bound by its first send. */
class UdpSocket {
  received: (packet: Packet) => void = () => {};
  /** Datagrams that could not be sent. */
  dropped = 0;
  readonly #socket: Socket;
  /** Datagrams that the system has not taken yet. */
  #sending = 0;
  /** Those that wait for the first one to be sent: Deno sends what is begun meanwhile in the wrong order. */
  #behindFirst: { data: Uint8Array; to: Target }[] | null = null;
  #sentOne = false;
  #closed = false;

  /**
   * @param share whether its port may be bound by others who say the same
   * @throws {MtrayError} `refused` when too many are open
   */
  constructor(family: number, share = false) {
    if (!countUdp()) throw new MtrayError("refused", "too many UDP sockets are open");
    this.#socket = nodeDatagrams().createSocket({ type: family === 6 ? "udp6" : "udp4", reusePort: share });
    this.#socket.on("message", (data, from) => {
      this.received({ data: ownBytes(data), from: { host: plain(from.address), port: from.port } });
    });
    // An ICMP answer to an earlier datagram: nothing that a sender of datagrams could do about.
    this.#socket.on("error", () => {});
  }

  get address(): Target {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  bind({ host, port }: Target): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.bind(port, host, () => {
        this.#socket.off("error", reject);
        resolve();
      });
    });
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#closed) return;
    // What the system was handed cannot be taken back, so here it is the newest that goes.
    if (this.#sending >= MOST_WAITING) {
      this.dropped++;
      return;
    }
    this.#sending++;
    if (this.#behindFirst !== null) {
      this.#behindFirst.push({ data, to });
      return;
    }
    if (!this.#sentOne) this.#behindFirst = [];
    this.#give(data, to, true);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    uncountUdp();
    this.#behindFirst = null;
    try {
      this.#socket.close();
    } catch { /* It never opened. */ }
  }

  #give(data: Uint8Array, to: Target, again: boolean): void {
    const failed = (error: unknown) => {
      // Bun reports what an earlier datagram met on the next one, which then was not sent.
      if (
        again && !this.#closed && /ECONNREFUSED|EHOSTUNREACH/.test(String((error as { code?: string }).code))
      ) {
        return this.#give(data, to, false);
      }
      this.dropped++;
      this.#given();
    };
    try {
      this.#socket.send(data, to.port, to.host, (error) => error ? failed(error) : this.#given());
    } catch (error) {
      failed(error);
    }
  }

  #given(): void {
    this.#sending--;
    this.#sentOne = true;
    const behind = this.#behindFirst;
    this.#behindFirst = null;
    for (const { data, to } of behind ?? []) this.#give(data, to, true);
  }
}

/** Deno hands out the beginning of 64 KiB, which must not lie in a queue for the sake of some bytes. */
function ownBytes(data: Uint8Array): Uint8Array {
  return data.buffer.byteLength > 2 * data.length
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.length);
}

/** An IPv4 address stays one when it arrives on a socket that takes both families. */
function plain(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

function unspecified(family: number): string {
  return family === 6 ? "::" : "0.0.0.0";
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}

function reasonOf(error: unknown): string {
  switch ((error as { code?: string }).code) {
    case "EADDRINUSE":
      return "the port is taken by another program";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "EACCES":
      return "the system does not permit it (ports below 1024 need root)";
    case "EMFILE":
    case "ENFILE":
      return "too many open files";
  }
  return error instanceof Error ? error.message : String(error);
}

function sizeOf(datagrams: readonly { data: Uint8Array }[]): number {
  return datagrams.reduce((sum, { data }) => sum + data.length, 0);
}
