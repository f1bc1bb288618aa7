// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { runtime } from "../../lib/runtime/mod.ts";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import { type BoundPackets, MOST_WAITING, type PacketStream, type Target } from "../../lib/stream/types.ts";
import { codeOfRejection, pattern } from "./streams.ts";

const never = new AbortController().signal;
const loopback = { host: "127.0.0.1", port: 0 };

/** Sends back what comes, to where it came from, until it is closed. */
async function echo(port: BoundPackets): Promise<void> {
  for (let packet; (packet = await port.receive()) !== null;) port.send(packet.data, packet.from);
}

/** Sends until an answer comes: a datagram may be lost, also on loopback. */
async function ask(packets: PacketStream, data: Uint8Array, to: Target) {
  let answered = false;
  const again = (async () => {
    for (let tries = 0; tries < 50 && !answered; tries++) {
      packets.send(data.slice(), to);
      await new Promise((resolve) => setTimeout(resolve, 20 + 10 * tries));
    }
    if (!answered) packets.close();
  })();
  const answer = await packets.receive();
  answered = true;
  await again;
  assert(answer !== null, "no answer came");
  return answer;
}

/** Takes what repetitions of a question may have brought, too. */
async function ask1(packets: PacketStream, data: Uint8Array, to: Target) {
  for (;;) {
    const answer = await ask(packets, data, to);
    if (answer.data.length === data.length && answer.from.port === to.port) return answer;
  }
}

Deno.test("a dialled way reaches IPv4, IPv6 and names, and tells who answered", async () => {
  const four = await runtime.openPackets(loopback);
  const six = await runtime.openPackets({ host: "::1", port: 0 });
  const serving = [echo(four), echo(six)];
  const packets = await runtime.dialPackets(four.address, never);
  assertEquals((await ask1(packets, pattern(700), four.address)).from, four.address);
  assertEquals((await ask1(packets, pattern(1400), six.address)).from, six.address);
  const named = await ask1(packets, pattern(300), { host: "localhost", port: four.address.port });
  assertEquals(named.data, pattern(300));
  assertEquals(named.from, four.address);
  // The name is known by now.
  assertEquals(
    (await ask1(packets, pattern(30), { host: "localhost", port: four.address.port })).data,
    pattern(30),
  );
  packets.close();
  four.close();
  six.close();
  await Promise.all(serving);
});

Deno.test("a way that was dialled to a name or to IPv6 reaches it", async () => {
  const six = await runtime.openPackets({ host: "::1", port: 0 });
  const four = await runtime.openPackets(loopback);
  const serving = [echo(six), echo(four)];
  for (
    const [target, from] of [
      [six.address, six.address],
      [{ host: "localhost", port: four.address.port }, four.address],
    ]
  ) {
    const packets = await runtime.dialPackets(target, never);
    assertEquals((await ask1(packets, pattern(10), target)).from, from);
    packets.close();
  }
  six.close();
  four.close();
  await Promise.all(serving);
});

Deno.test("answers from anywhere are delivered", async () => {
  const asked = await runtime.openPackets(loopback), other = await runtime.openPackets(loopback);
  const packets = await runtime.dialPackets(asked.address, never);
  const question = (async () => {
    const packet = await asked.receive();
    other.send(Uint8Array.of(9), packet!.from);
  })();
  const answer = await ask(packets, Uint8Array.of(1), asked.address);
  assertEquals([[...answer.data], answer.from], [[9], other.address]);
  await question;
  for (const each of [asked, other, packets]) each.close();
});

Deno.test("a port on :: takes both families, and IPv4 addresses look like it", async () => {
  const port = await runtime.openPackets({ host: "::", port: 0 });
  const serving = echo(port);
  for (const host of ["127.0.0.1", "::1"]) {
    const client = await runtime.openPackets({ host, port: 0 });
    assertEquals((await ask1(client, pattern(20), { host, port: port.address.port })).from.host, host);
    client.close();
  }
  port.close();
  await serving;
});

Deno.test("a name without an address is no way, and harms no other on the same way", async () => {
  const error = await runtime.dialPackets({ host: "nowhere.invalid", port: 53 }, never).catch((error) =>
    error
  );
  assert(error instanceof MtrayError);
  assertEquals([error.code, error.message], [
    "unreachable",
    "cannot send datagrams to nowhere.invalid:53: the name has no address",
  ]);
  const port = await runtime.openPackets(loopback);
  const serving = echo(port);
  const packets = await runtime.dialPackets(port.address, never);
  packets.send(pattern(3), { host: "nowhere.invalid", port: 53 });
  assertEquals((await ask1(packets, pattern(5), port.address)).data, pattern(5));
  packets.close();
  port.close();
  await serving;
});

Deno.test("a way that was given up is none", async () => {
  const controller = new AbortController();
  controller.abort(new MtrayError("stopped", "mtray is stopping"));
  assertEquals(await codeOfRejection(runtime.dialPackets(loopback, controller.signal)), "stopped");
});

Deno.test("datagrams leave in their order, the first ones too", async () => {
  const port = await runtime.openPackets(loopback);
  for (let tries = 0; tries < 20; tries++) {
    const dialled = await runtime.dialPackets(port.address, never);
    const bound = await runtime.openPackets(loopback);
    for (const packets of [dialled, bound]) {
      for (let i = 0; i < 10; i++) packets.send(Uint8Array.of(i, ...new Uint8Array(i * 100)), port.address);
      for (let i = 0; i < 10; i++) assertEquals((await port.receive())?.data[0], i);
      packets.close();
    }
  }
  port.close();
});

Deno.test("nobody's port does not keep datagrams from others", async () => {
  const port = await runtime.openPackets(loopback);
  const gone = await runtime.openPackets(loopback);
  gone.close();
  const serving = echo(port);
  const packets = await runtime.dialPackets(port.address, never);
  for (let i = 0; i < 20; i++) {
    packets.send(pattern(10), gone.address);
    assertEquals((await ask1(packets, pattern(100 + i), port.address)).data, pattern(100 + i));
  }
  packets.close();
  port.close();
  await serving;
});

Deno.test("a UDP port that is taken or not ours is an error with a sentence", async () => {
  const port = await runtime.openPackets(loopback);
  const error = await runtime.openPackets(port.address).catch((error) => error);
  assert(error instanceof MtrayError);
  assertEquals([error.code, error.message], [
    "start",
    `cannot bind UDP 127.0.0.1:${port.address.port}: the port is taken by another program`,
  ]);
  port.close();
  assertEquals(await codeOfRejection(runtime.openPackets({ host: "192.0.2.1", port: 0 })), "start");
  // The port becomes free again, on Deno a turn of the event loop later.
  let again: BoundPackets | undefined;
  for (let tries = 0; again === undefined; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    again = await runtime.openPackets(port.address).catch((error) => {
      if (tries === 100) throw error;
      return undefined;
    });
  }
  again.close();
});

Deno.test("an end wakes who waits; nothing is sent or received afterwards", async () => {
  const bound = await runtime.openPackets(loopback);
  const dialled = await runtime.dialPackets(bound.address, never);
  const [a, b] = packetPair();
  for (const packets of [bound, dialled, a]) {
    const waiting = packets.receive();
    assertEquals(await codeOfRejection(packets.receive()), "protocol");
    packets.close();
    packets.close();
    assertEquals(await waiting, null);
    assertEquals(await packets.receive(), null);
    packets.send(new Uint8Array(3), loopback);
  }
  assertEquals(await b.receive(), null);
});

Deno.test("what a reader leaves waiting is bounded, and the oldest goes", async () => {
  const [a, b] = packetPair();
  for (let i = 0; i < MOST_WAITING + 36; i++) a.send(Uint8Array.of(i), loopback);
  assertEquals(b.dropped, 36);
  for (let i = 36; i < MOST_WAITING + 36; i++) assertEquals((await b.receive())?.data, Uint8Array.of(i));
  // Long ones are bounded by their bytes, but one always fits.
  for (let i = 0; i < MOST_WAITING; i++) a.send(new Uint8Array(60_000).fill(i), loopback);
  a.close();
  const rest: number[] = [];
  for (let packet; (packet = await b.receive()) !== null;) rest.push(packet.data[0]);
  assertEquals(rest, [60, 61, 62, 63]);
});
