// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { type Event, Events } from "../../lib/observe/events.ts";
import type { ConnectedPackets, Outbound } from "../../lib/proxy/types.ts";
import { Router } from "../../lib/routing/router.ts";
import type { Session } from "../../lib/session.ts";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import { MOST_WAITING, type PacketStream } from "../../lib/stream/types.ts";
import { sessionLike } from "./session.ts";

const never = new AbortController().signal;

/** An outbound whose far ends a test holds. */
class Far implements Outbound {
  readonly protocol = "test";
  readonly encrypts = false;
  readonly opened: { session: Session; end: PacketStream }[] = [];
  /** How `openPackets` goes. */
  opens: () => Promise<void> = () => Promise.resolve();

  constructor(readonly tag: string) {}

  connect(): Promise<never> {
    return Promise.reject(new Error("not asked for"));
  }

  async openPackets(session: Session): Promise<ConnectedPackets> {
    await this.opens();
    const [near, end] = packetPair();
    this.opened.push({ session, end });
    return { packets: near, via: [this.tag] };
  }
}

const streams: Outbound = {
  tag: "streams",
  protocol: "http",
  encrypts: false,
  connect: () => Promise.reject(new Error("not asked for")),
};

/** Hosts in 10.0.0.0/8 go to b, those that begin with "s" to an outbound of streams, the rest to a. */
function setUp() {
  const events = new Events(), seen: Event[] = [];
  events.listen((event) => seen.push(event));
  const a = new Far("a"), b = new Far("b");
  const asked: string[] = [];
  const router = new Router(({ target }) => {
    asked.push(target.host);
    return target.host.startsWith("10.") ? b : target.host.startsWith("s") ? streams : a;
  }, events);
  return { a, b, asked, router, seen };
}

const at = (host: string) => ({ host, port: 53 });
const udp = (host: string) => sessionLike({ network: "udp", target: at(host) });

Deno.test("each datagram goes where the rules send its target, and answers come from all of them", async () => {
  const { a, b, asked, router } = setUp();
  const { packets, via } = await router.openPackets(udp("1.1.1.1"), never);
  assertEquals(via, ["a"]);
  packets.send(Uint8Array.of(1), at("1.1.1.1"));
  packets.send(Uint8Array.of(2), at("10.0.0.1"));
  packets.send(Uint8Array.of(3), at("10.0.0.1"));
  packets.send(Uint8Array.of(4), at("example.com"));
  assertEquals(await a.opened[0].end.receive(), { data: Uint8Array.of(1), from: at("1.1.1.1") });
  assertEquals(await a.opened[0].end.receive(), { data: Uint8Array.of(4), from: at("example.com") });
  for (const byte of [2, 3]) {
    assertEquals(await b.opened[0].end.receive(), { data: Uint8Array.of(byte), from: at("10.0.0.1") });
  }
  assertEquals([a.opened.length, b.opened.length], [1, 1]);
  assertEquals(b.opened[0].session.target, at("10.0.0.1"));
  // Each target was asked for once.
  assertEquals(asked, ["1.1.1.1", "10.0.0.1", "example.com"]);
  b.opened[0].end.send(Uint8Array.of(5), at("10.0.0.1"));
  a.opened[0].end.send(Uint8Array.of(6), at("9.9.9.9"));
  assertEquals(await packets.receive(), { data: Uint8Array.of(5), from: at("10.0.0.1") });
  assertEquals(await packets.receive(), { data: Uint8Array.of(6), from: at("9.9.9.9") });
  packets.close();
  assertEquals(await a.opened[0].end.receive(), null);
  assertEquals(await b.opened[0].end.receive(), null);
  assertEquals(await packets.receive(), null);
});

Deno.test("a first target without a way out is an error", async () => {
  const { b, router } = setUp();
  const unsupported = (await assertRejects(
    () => router.openPackets(udp("some.where"), never),
    MtrayError,
  )) as MtrayError;
  assertEquals([unsupported.code, unsupported.message], [
    "unsupported",
    "cannot send datagrams: outbound streams (http) carries streams only",
  ]);
  b.opens = () => Promise.reject(new MtrayError("blocked", "blocked by the outbound b"));
  await assertRejects(
    () => router.openPackets(udp("10.0.0.1"), never),
    MtrayError,
    "blocked by the outbound b",
  );
});

Deno.test("later targets without a way out are dropped, and the log is told once", async () => {
  const { a, b, router, seen } = setUp();
  b.opens = () => Promise.reject(new MtrayError("blocked", "blocked by the outbound b"));
  const { packets } = await router.openPackets(udp("1.1.1.1"), never);
  for (let i = 0; i < 10; i++) {
    for (const host of ["10.0.0.1", `10.0.0.${i}`, "some.where"]) packets.send(Uint8Array.of(i), at(host));
    packets.send(Uint8Array.of(i), at("1.1.1.1"));
    assertEquals((await a.opened[0].end.receive())?.data, Uint8Array.of(i));
  }
  assertEquals(packets.dropped, 30);
  assertEquals(b.opened.length, 0);
  const told = seen.map((event) => event.kind === "refused" ? [event.reason, event.target] : [event.kind]);
  assertEquals(told.sort(), [["blocked", "udp:10.0.0.1:53"], ["unreachable", "udp:some.where:53"]]);
  packets.close();
});

Deno.test("datagrams wait for a way out that takes its time, the newest ones", async () => {
  const { b, router } = setUp();
  const gate = Promise.withResolvers<void>();
  b.opens = () => gate.promise;
  const { packets } = await router.openPackets(udp("1.1.1.1"), never);
  for (let i = 0; i < MOST_WAITING + 10; i++) packets.send(Uint8Array.of(i), at("10.0.0.1"));
  gate.resolve();
  while (b.opened.length === 0) await gate.promise;
  for (let i = 10; i < MOST_WAITING + 10; i++) {
    assertEquals((await b.opened[0].end.receive())?.data, Uint8Array.of(i));
  }
  assertEquals(packets.dropped, 10);
  packets.close();
});

Deno.test("a way that opens after the flow's end is closed", async () => {
  const { b, router } = setUp();
  const gate = Promise.withResolvers<void>();
  b.opens = () => gate.promise;
  const { packets } = await router.openPackets(udp("1.1.1.1"), never);
  packets.send(Uint8Array.of(1), at("10.0.0.1"));
  packets.close();
  packets.close();
  gate.resolve();
  while (b.opened.length === 0) await gate.promise;
  assertEquals(await b.opened[0].end.receive(), null);
});

Deno.test("the flow ends with the last of its ways; one that ended before is opened again", async () => {
  const { a, b, router } = setUp();
  const { packets } = await router.openPackets(udp("1.1.1.1"), never);
  packets.send(Uint8Array.of(1), at("10.0.0.1"));
  while (b.opened.length === 0) await Promise.resolve();
  const waiting = packets.receive();
  a.opened[0].end.close();
  // An answer from the other shows that the flow goes on.
  b.opened[0].end.send(Uint8Array.of(2), at("10.0.0.1"));
  assertEquals((await waiting)?.data, Uint8Array.of(2));
  for (let tries = 0; a.opened.length === 1 && tries < 1000; tries++) {
    packets.send(Uint8Array.of(3), at("1.1.1.1"));
    await Promise.resolve();
  }
  assertEquals(a.opened.length, 2);
  const end = packets.receive();
  a.opened[1].end.close();
  b.opened[0].end.close();
  assertEquals(await end, null);
});

Deno.test("targets without end do not fill the memory", async () => {
  const { a, asked, router } = setUp();
  const { packets } = await router.openPackets(udp("1.1.1.1"), never);
  for (let i = 0; i < 5000; i++) packets.send(Uint8Array.of(1), at(`1.1.${i >> 8}.${i & 255}`));
  assert(asked.length >= 4999);
  assertEquals(a.opened.length, 1);
  packets.close();
});
