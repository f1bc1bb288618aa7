/** What stands around an inbound or an outbound in a test: no sockets, and the other ends in the test's hands. */
import { cryptoProvider } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { type Event, Events } from "../../lib/observe/events.ts";
import {
  type Connected,
  type ConnectedPackets,
  type Inbound,
  type InboundContext,
  noMux,
  type Outbound,
  type OutboundContext,
} from "../../lib/proxy/types.ts";
import { PacketQueue } from "../../lib/runtime/packet_queue.ts";
import type { Session } from "../../lib/session.ts";
import { Preferences } from "../../lib/shared/preferences.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import type {
  BoundPackets,
  ByteStream,
  DialOptions,
  Packet,
  PacketStream,
  Target,
} from "../../lib/stream/types.ts";
import { readSome } from "../contract/streams.ts";

export const never = new AbortController().signal;
export const clock = { now: () => performance.now(), wall: () => Date.now() };
export const SOURCE = { host: "192.168.1.5", port: 40_000 };
export const LOCAL = { host: "192.168.1.1", port: 1080 };

/** Things that come one after the other, awaited in the same order. */
export class Arrivals<T> {
  readonly all: T[] = [];
  #seen = 0;
  #wake: (() => void) | null = null;

  add(item: T): void {
    this.all.push(item);
    this.#wake?.();
  }

  async next(): Promise<T> {
    while (this.all.length <= this.#seen) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.all[this.#seen++];
  }
}

/** A router whose connections end in the test. */
export class FakeRouter implements Outbound {
  readonly tag = "router";
  readonly protocol = "router";
  readonly encrypts = false;
  readonly opened = new Arrivals<{ session: Session; end: ByteStream }>();
  readonly openedPackets = new Arrivals<{ session: Session; end: PacketStream }>();
  /** What goes wrong, or how long it takes. */
  before: (session: Session) => Promise<void> = () => Promise.resolve();

  async connect(session: Session): Promise<Connected> {
    await this.before(session);
    const [stream, end] = memoryPair();
    this.opened.add({ session, end });
    return { stream, adopted: false, via: ["out"] };
  }

  async openPackets(session: Session): Promise<ConnectedPackets> {
    await this.before(session);
    const [packets, end] = packetPair();
    this.openedPackets.add({ session, end });
    return { packets, via: ["out"] };
  }
}

/** A UDP port that nobody bound. */
export class FakePort implements BoundPackets {
  readonly dropped = 0;
  readonly #incoming = new PacketQueue();
  readonly #outgoing = new PacketQueue();
  closed = false;

  constructor(readonly address: Target) {}

  arrive(data: Uint8Array, from: Target): void {
    this.#incoming.push({ data, from });
  }

  /** What was sent next, and to whom; null once the port is closed. */
  async sent(): Promise<{ data: Uint8Array; to: Target } | null> {
    const packet = await this.#outgoing.receive();
    return packet && { data: packet.data, to: packet.from };
  }

  receive(): Promise<Packet | null> {
    return this.#incoming.receive();
  }

  send(data: Uint8Array, to: Target): void {
    this.#outgoing.push({ data, from: to });
  }

  close(): void {
    this.closed = true;
    this.#incoming.close();
    this.#outgoing.end();
  }
}

const handlers = {
  clock,
  random: randomBytes,
  crypto: cryptoProvider(),
  digests: { add: () => true, has: () => false },
  policy: () => ({ handshake: 60_000, connIdle: 60_000, uplinkOnly: 60_000, downlinkOnly: 60_000 }),
  warnings: { beforeRelease: () => false, differs: () => {} },
};

/** The surroundings of an inbound. */
export function inboundWorld(given: Partial<InboundContext> = {}) {
  const router = new FakeRouter();
  const ports: FakePort[] = [];
  const events = new Events(), seen: Event[] = [];
  events.listen((event) => seen.push(event));
  let ids = 0;
  const context: InboundContext = {
    ...handlers,
    events,
    tag: "in",
    router,
    lastSeen: { get: () => undefined, set: () => {} },
    nextSessionId: () => ++ids,
    mostHandshakes: 100,
    dial: () => () => Promise.reject(new Error("not asked for")),
    openPackets: (at) => {
      const port = new FakePort({ host: at.host, port: 50_000 + ports.length });
      ports.push(port);
      return Promise.resolve(port);
    },
    ...given,
  };
  return { context, router, ports, seen, refusals: () => refusalsOf(seen) };
}

function refusalsOf(events: Event[]): string[] {
  return events.flatMap((event) => event.kind === "refused" ? [`${event.reason}: ${event.detail}`] : []);
}

/** A client of an inbound. `over` settles when the inbound has done with it. */
export function comeTo(inbound: Inbound): { client: ByteStream; over: Promise<void> } {
  const [client, stream] = memoryPair();
  return { client, over: inbound.accept({ stream, remote: SOURCE, local: LOCAL }) };
}

/** The surroundings of an outbound: what it dials, and the ends of that. */
export function outboundWorld(given: Partial<OutboundContext> = {}) {
  const dialled = new Arrivals<{ target: Target; options: DialOptions; end: ByteStream }>();
  const dialledPackets = new Arrivals<{ target: Target; end: PacketStream }>();
  const context: OutboundContext = {
    ...handlers,
    events: new Events(),
    tag: "out",
    preferences: new Preferences(clock),
    dial: (target, options) => {
      const [near, end] = memoryPair();
      dialled.add({ target, options, end });
      return Promise.resolve(near);
    },
    dialPackets: (target) => {
      const [near, end] = packetPair();
      dialledPackets.add({ target, end });
      return Promise.resolve(near);
    },
    encrypts: false,
    chained: false,
    below: ["hop"],
    mux: noMux,
    ...given,
  };
  return { context, dialled, dialledPackets };
}

/** Whether exactly these bytes come next. */
export async function expectBytes(stream: ByteStream, expected: Uint8Array): Promise<void> {
  const got = await readSome(stream, expected.length);
  if (got.length !== expected.length || got.some((byte, i) => byte !== expected[i])) {
    throw new Error(`cannot accept ${show(got)}: expected ${show(expected)}`);
  }
}

function show(bytes: Uint8Array): string {
  return Array.from(
    bytes,
    (byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  )
    .join("");
}

/** The bytes of ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
