// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { MtrayError } from "../../../lib/errors.ts";
import { clientPackets } from "../../../lib/proxy/vmess/client_stream.ts";
import type { RequestHeader } from "../../../lib/proxy/vmess/header.ts";
import { serverPackets } from "../../../lib/proxy/vmess/server_stream.ts";
import { memoryPair } from "../../../lib/stream/pair.ts";
import { type ByteStream, MOST_WAITING, type PacketStream } from "../../../lib/stream/types.ts";
import { pattern } from "../../contract/streams.ts";
import { acceptHeader, clientRequest, crypto, someRequest } from "./kinds.ts";

const target = { host: "192.0.2.1", port: 53 };
const means = { crypto, random: randomBytes };

const CHUNKED: Partial<RequestHeader>[] = [
  { security: "aes-128-gcm", options: 0x0d },
  { security: "aes-128-gcm", options: 0x1d },
  { security: "chacha20-poly1305", options: 0x01 },
  { security: "none", options: 0x05 },
  { security: "none", options: 0x0d },
  { security: "none", options: 0x01 },
];

/** A client's end and a server's, once the first datagram has brought the header. */
async function pair(about: Partial<RequestHeader>, first: Uint8Array) {
  const [near, far] = memoryPair(1 << 20);
  const request = clientRequest(someRequest({ ...about, command: "udp", target }));
  const client = clientPackets(near, target, request);
  client.send(first, target);
  const { header, rest } = await acceptHeader(far);
  assertEquals([header.command, header.target], ["udp", target]);
  return { client, server: serverPackets(far, header, rest, means), far };
}

async function receive(packets: PacketStream): Promise<Uint8Array> {
  const packet = await packets.receive();
  assert(packet !== null);
  assertEquals(packet.from, target);
  return packet.data;
}

for (const about of CHUNKED) {
  const options = about.options!.toString(16).padStart(2, "0");
  Deno.test(`${about.security} 0x${options}: datagrams keep their ends, both ways`, async () => {
    const { client, server } = await pair(about, pattern(1));
    assertEquals(await receive(server), pattern(1));
    for (const length of [2, 3, 40, 512, 1400, 2048, 9000, 20_000, 65_000]) {
      for (const [from, to] of [[client, server], [server, client]]) {
        from.send(pattern(length, length), target);
        assertEquals(await receive(to), pattern(length, length));
      }
    }
    for (let i = 1; i <= 50; i++) client.send(pattern(i), target);
    for (let i = 1; i <= 50; i++) assertEquals(await receive(server), pattern(i));
    client.close();
    server.close();
    assertEquals([client.dropped, server.dropped], [0, 0]);
  });
}

Deno.test("what was received belongs to whoever received it", async () => {
  const { client, server } = await pair(CHUNKED[0], pattern(10));
  for (let i = 2; i <= 5; i++) client.send(pattern(10, i), target);
  const got = [];
  for (let i = 1; i <= 5; i++) got.push(await receive(server));
  assertEquals(got, [1, 2, 3, 4, 5].map((seed) => pattern(10, seed)));
  client.close();
  server.close();
});

Deno.test("without chunks what comes at once is a datagram", async () => {
  const { client, server } = await pair({ security: "none", options: 0 }, pattern(30));
  assertEquals(await receive(server), pattern(30));
  server.send(pattern(40), target);
  assertEquals(await receive(client), pattern(40));
  client.close();
  server.close();
});

Deno.test("the header goes alone when nothing is sent", async () => {
  const [near, far] = memoryPair();
  const client = clientPackets(near, target, clientRequest(someRequest({ command: "udp", target })));
  const receiving = client.receive();
  const { header, rest } = await acceptHeader(far);
  const server = serverPackets(far, header, rest, means);
  server.send(pattern(9), target);
  assertEquals((await receiving)?.data, pattern(9));
  client.close();
  server.close();
});

Deno.test("nothing and too much are no datagrams, and end nothing", async () => {
  for (const about of CHUNKED) {
    const { client, server } = await pair(about, pattern(1));
    client.send(new Uint8Array(), target);
    client.send(new Uint8Array(65_536), target);
    client.send(pattern(2), target);
    assertEquals(await receive(server), pattern(1));
    assertEquals(await receive(server), pattern(2));
    assertEquals(client.dropped, 2);
    client.close();
    server.close();
  }
});

Deno.test("where the way is slow the oldest datagrams go, and are counted", async () => {
  // Each datagram is as much as the way holds.
  const [near, far] = memoryPair(1);
  const client = clientPackets(near, target, clientRequest(someRequest({ command: "udp", target })));
  const sent = 200;
  for (let i = 1; i <= sent; i++) client.send(pattern(100, i), target);
  const dropped = client.dropped;
  assert(dropped >= sent - MOST_WAITING - 2 && dropped < sent, String(dropped));
  const { header, rest } = await acceptHeader(far);
  const server = serverPackets(far, header, rest, means);
  const got: Uint8Array[] = [];
  for (let i = 0; i < sent - dropped; i++) got.push(await receive(server));
  assertEquals(got.at(-1), pattern(100, sent));
  assertEquals(got.at(-MOST_WAITING), pattern(100, sent - MOST_WAITING + 1));
  assertEquals(client.dropped, dropped);
  client.close();
  server.close();
});

Deno.test("an end of either side is an end of the other", async () => {
  for (const swap of [false, true]) {
    const { client, server } = await pair(CHUNKED[0], pattern(1));
    await receive(server);
    const [one, other] = swap ? [server, client] : [client, server];
    server.send(pattern(3), target);
    assertEquals(await receive(client), pattern(3));
    const waiting = [one.receive(), other.receive()];
    one.close();
    one.close();
    assertEquals(await Promise.all(waiting), [null, null]);
    one.send(pattern(4), target);
    assertEquals(await one.receive(), null);
    other.close();
  }
});

Deno.test("a connection that breaks is told, also before there was any answer", async () => {
  const breaks: [(far: ByteStream) => unknown, string][] = [
    [(far) => far.write(randomBytes(100)), "protocol"],
    [(far) => far.closeWrite(), "refused"],
    [(far) => far.close(new Error("x")), "refused"],
  ];
  for (const [breaking, code] of breaks) {
    const { client, far } = await pair(CHUNKED[0], pattern(1));
    await breaking(far);
    const error = await assertRejects(() => client.receive(), MtrayError) as MtrayError;
    assertEquals(error.code, code);
    client.close();
  }
});

Deno.test("nobody receives twice at a time", async () => {
  const { client, server } = await pair(CHUNKED[0], pattern(1));
  const waiting = client.receive();
  await assertRejects(() => client.receive(), MtrayError, "twice");
  client.close();
  assertEquals(await waiting, null);
  server.close();
});
