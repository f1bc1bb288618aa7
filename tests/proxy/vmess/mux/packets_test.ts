// @ts-types="../../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MuxClient } from "../../../../lib/proxy/vmess/mux/client.ts";
import { serveMux } from "../../../../lib/proxy/vmess/mux/server.ts";
import { memoryPair } from "../../../../lib/stream/pair.ts";
import type { PacketStream, Target } from "../../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readSome } from "../../../contract/streams.ts";
import { Both, example, frame, framesOf, Handler, never, outcome, RawPeer, until } from "./support.ts";

const resolver: Target = { host: "192.0.2.53", port: 53 };
const other: Target = { host: "2001:db8:1:2:3:4:5:6", port: 4433 };

/** Sends back what comes, as whoever it was for. */
async function echo(packets: PacketStream): Promise<void> {
  for (let packet; (packet = await packets.receive()) !== null;) packets.send(packet.data, packet.from);
}

/** A client played by the test, our server, and what ends both. */
function rawClient() {
  const [peer, carrier] = memoryPair();
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler));
  return { raw: new RawPeer(peer), peer, handler, served };
}

Deno.test("a flow to one destination: datagrams stay whole, in both directions", async () => {
  const both = new Both({ stream: () => Promise.resolve(), packets: (_, packets) => echo(packets) });
  const packets = await both.client.openPackets(resolver, never);
  for (const length of [0, 1, 1400, 2048]) {
    packets.send(pattern(length), resolver);
    assertEquals(await packets.receive(), { data: pattern(length), from: resolver });
  }
  // Longer ones end the carrier of a V2Ray peer, and plain Mux can name no second address.
  packets.send(pattern(2049), resolver);
  packets.send(pattern(10), other);
  packets.send(pattern(11), resolver);
  assertEquals((await packets.receive())?.data, pattern(11));
  assertEquals(packets.dropped, 2);
  packets.close();
  packets.close();
  assertEquals(await packets.receive(), null);
  packets.send(pattern(1), resolver);
  await both.end();
});

Deno.test("streams and flows share carriers, and flows count as sessions", async () => {
  const handler = new Handler();
  const both = new Both(handler, { client: { concurrency: 2 } });
  const flow = await both.client.openPackets(resolver, never);
  flow.send(pattern(3), resolver);
  await both.connect();
  await both.client.openPackets(resolver, never);
  assertEquals(both.carriers.length, 2);
  const taken = await handler.flows.next();
  assertEquals(taken.target, resolver);
  assertEquals((await taken.stream.receive())?.data, pattern(3));
  taken.done();
  assertEquals(await flow.receive(), null);
  await both.end();
});

Deno.test("what a client of a flow sends to V2Ray", async () => {
  const [carrier, peer] = memoryPair();
  const client = new MuxClient({ open: () => Promise.resolve(carrier) });
  const packets = await client.openPackets(resolver, never);
  assert(
    await peer.readyBefore(performance.now() + 20) !== true,
    "nothing is sent before there is a datagram",
  );
  packets.send(pattern(2), resolver);
  packets.send(pattern(3), resolver);
  packets.close();
  const raw = new RawPeer(peer);
  assertEquals([await raw.next(), await raw.next(), await raw.next()], [
    "new 1 udp 192.0.2.53:53 2 bytes",
    "keep 1 3 bytes",
    "end 1",
  ]);
  const unused = await client.openPackets(resolver, never);
  unused.close();
  client.close();
  assertEquals(await raw.next(), "the carrier's end");
});

Deno.test("XUDP: a carrier of its own, and an address for every datagram, both ways", async () => {
  const both = new Both({ stream: () => Promise.resolve(), packets: (_, packets) => echo(packets) }, {
    client: { xudp: true },
  });
  const one = await both.client.openPackets(resolver, never);
  const two = await both.client.openPackets(other, never);
  assertEquals(both.carriers.length, 2);
  for (const to of [resolver, other, example, resolver]) {
    one.send(pattern(8192, to.port), to);
    assertEquals(await one.receive(), { data: pattern(8192, to.port), from: to });
  }
  one.close();
  two.close();
  assertEquals(await Promise.all(both.served), ["served", "served"]);
  both.client.close();
});

Deno.test("XUDP: what a client sends to Xray and sing", async () => {
  const [carrier, peer] = memoryPair();
  const client = new MuxClient({ open: () => Promise.resolve(carrier), xudp: true });
  const packets = await client.openPackets(resolver, never);
  packets.send(pattern(2), resolver);
  packets.send(pattern(3), other);
  packets.close();
  const wire: Uint8Array[] = [];
  while (await peer.ready()) wire.push(peer.take().slice());
  const [first, second, end] = framesOf(...wire);
  assertEquals([first.head.id, first.head.status, first.head.target, first.data], [
    0,
    "new",
    resolver,
    pattern(2),
  ]);
  // Network, port and IPv4 address, then the GlobalID that means none.
  assertEquals(wire[0].subarray(6 + 8, 6 + 8 + 8), new Uint8Array(8));
  assertEquals(first.head.extended, true);
  assertEquals([second.head.id, second.head.status, second.head.target, second.data], [
    0,
    "keep",
    other,
    pattern(3),
  ]);
  assertEquals(second.head.extended, false);
  assertEquals(end.head.status, "end");
});

Deno.test("XUDP: what Xray sends, with a GlobalID and padding", async () => {
  const { raw, peer, handler, served } = rawClient();
  const globalId = pattern(8 + 20);
  await raw.send(
    frame(0, "new", { to: resolver, udp: true, globalId, data: pattern(4) }),
    frame(0, "keep", { to: other, udp: true, globalId: new Uint8Array(9), data: pattern(5) }),
    frame(0, "keep", { data: pattern(6) }),
  );
  const { target, stream, done } = await handler.flows.next();
  assertEquals(target, resolver);
  assertEquals(await stream.receive(), { data: pattern(4), from: resolver });
  assertEquals(await stream.receive(), { data: pattern(5), from: other });
  assertEquals(await stream.receive(), { data: pattern(6), from: resolver });
  stream.send(pattern(7), other);
  assertEquals(await raw.next(), "keep 0 udp 2001:db8:1:2:3:4:5:6:4433 7 bytes");
  // It says goodbye by closing its carrier.
  peer.close();
  assertEquals(await stream.receive(), null);
  done();
  assertEquals(await served, "served");
});

Deno.test("answers name their sender only to those who know XUDP", async () => {
  const { raw, peer, handler, served } = rawClient();
  await raw.send(frame(1, "new", { to: resolver, udp: true, data: pattern(1) }));
  const { stream, done } = await handler.flows.next();
  stream.send(pattern(2048), other);
  stream.send(pattern(2049), other);
  assertEquals(await raw.next(), "keep 1 2048 bytes");
  assertEquals(stream.dropped, 1);
  await raw.send(frame(1, "keep", { to: other, udp: true, data: pattern(1) }));
  await stream.receive();
  await stream.receive();
  stream.send(pattern(3), other);
  assertEquals(await raw.next(), "keep 1 udp 2001:db8:1:2:3:4:5:6:4433 3 bytes");
  done();
  assertEquals(await raw.next(), "end 1");
  peer.close();
  assertEquals(await served, "served");
});

Deno.test("a flow that nobody reads drops its oldest datagrams and stops nobody", async () => {
  const { raw, peer, handler, served } = rawClient();
  await raw.send(frame(1, "new", { to: resolver, udp: true }), frame(2, "new", { to: example }));
  const flow = await handler.flows.next(), stream = await handler.streams.next();
  for (let i = 0; i < 200; i++) await raw.send(frame(1, "keep", { data: Uint8Array.of(i) }));
  for (let i = 0; i < 10; i++) await raw.send(frame(1, "keep", { data: new Uint8Array(60_000) }));
  for (let i = 0; i < 70; i++) await raw.send(frame(1, "keep", { data: Uint8Array.of(i) }));
  await raw.send(frame(2, "keep", { data: Uint8Array.of(9) }));
  assertEquals(await readSome(stream.stream, 1), Uint8Array.of(9));
  assertEquals(flow.stream.dropped, 216);
  for (let i = 6; i < 70; i++) assertEquals((await flow.stream.receive())?.data, Uint8Array.of(i));
  flow.done();
  stream.done();
  await raw.next();
  await raw.next();
  peer.close();
  assertEquals(await served, "served");
});

Deno.test("a carrier that is slow drops the oldest datagrams that wait for it", async () => {
  const [carrier, peer] = memoryPair(1);
  const client = new MuxClient({ open: () => Promise.resolve(carrier) });
  const packets = await client.openPackets(resolver, never);
  for (let i = 0; i < 1000; i++) packets.send(Uint8Array.of(i >> 8, i), resolver);
  // The first is on its way; of the others the last 64 are left.
  await until(() => packets.dropped >= 900, "datagrams were dropped");
  packets.close();
  const wire: Uint8Array[] = [];
  while (wire.length < 2) {
    await peer.ready();
    wire.push(peer.take().slice());
  }
  const numbers = framesOf(...wire).filter(({ data }) => data.length === 2)
    .map(({ data }) => data[0] << 8 | data[1]);
  assertEquals(numbers.at(-1), 999);
  assertEquals(numbers.length, 1000 - packets.dropped);
  client.close();
});

Deno.test("an end or an abort of either side ends a flow", async () => {
  const { raw, peer, handler, served } = rawClient();
  await raw.send(
    frame(1, "new", { to: resolver, udp: true, data: pattern(1) }),
    frame(1, "end"),
    frame(2, "new", { to: resolver, udp: true, data: pattern(2) }),
    frame(2, "end", { error: true }),
    frame(3, "new", { to: resolver, udp: true, data: pattern(3) }),
  );
  const [one, two, three] = [
    await handler.flows.next(),
    await handler.flows.next(),
    await handler.flows.next(),
  ];
  assertEquals([(await one.stream.receive())?.data, await one.stream.receive()], [pattern(1), null]);
  assertEquals((await two.stream.receive())?.data, pattern(2));
  assertEquals(await codeOfRejection(two.stream.receive()), "reset");
  one.done();
  two.done();
  three.done(new Error("no way"));
  assertEquals(await raw.next(), "end! 3");
  peer.close();
  assertEquals(await served, "served");
});

Deno.test("a datagram that comes in pieces is put together", async () => {
  const { raw, peer, handler, served } = rawClient();
  const bytes = frame(1, "new", { to: resolver, udp: true, data: pattern(1400) });
  for (let at = 0; at < bytes.length; at += 99) await raw.send(bytes.slice(at, at + 99));
  const { stream, done } = await handler.flows.next();
  assertEquals((await stream.receive())?.data, pattern(1400));
  const waiting = stream.receive();
  assertEquals(await codeOfRejection(stream.receive()), "protocol");
  stream.close();
  assertEquals(await waiting, null);
  done();
  await raw.next();
  peer.close();
  assertEquals(await served, "served");
});
