// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import { relayPackets } from "../../lib/stream/packet_relay.ts";
import { MOST_WAITING, type PacketStream } from "../../lib/stream/types.ts";

const A = { host: "1.1.1.1", port: 53 };

function setUp(idle = 60_000) {
  const [client, near] = packetPair();
  const [far, server] = packetPair();
  const counts = { bytesUp: 0, bytesDown: 0 };
  return { client, server, counts, running: relayPackets(near, far, idle, counts) };
}

Deno.test("datagrams pass both ways with their addresses, and are counted", async () => {
  const { client, server, counts, running } = setUp();
  client.send(new Uint8Array(3), A);
  assertEquals(await server.receive(), { data: new Uint8Array(3), from: A });
  server.send(new Uint8Array(5), { host: "a", port: 1 });
  assertEquals(await client.receive(), { data: new Uint8Array(5), from: { host: "a", port: 1 } });
  client.send(new Uint8Array(), A);
  assertEquals((await server.receive())?.data.length, 0);
  client.close();
  assertEquals([await running, await server.receive()], ["finished", null]);
  assertEquals(counts, { bytesUp: 3, bytesDown: 5 });
});

Deno.test("an end on either side is an end on the other", async () => {
  const { client, server, running } = setUp();
  server.close();
  assertEquals([await running, await client.receive()], ["finished", null]);
});

Deno.test("silence ends a flow", async () => {
  const { client, server, running } = setUp(1);
  assertEquals([await running, await client.receive(), await server.receive()], ["idle", null, null]);
});

Deno.test("a side that breaks is the reason, and ends the other", async () => {
  const [client, near] = packetPair();
  const broken: PacketStream = {
    dropped: 0,
    receive: () => Promise.reject(new Error("it broke")),
    send: () => {},
    close: () => {},
  };
  assertEquals(await relayPackets(near, broken, 60_000, { bytesUp: 0, bytesDown: 0 }), "it broke");
  assertEquals(await client.receive(), null);
});

Deno.test("what was dropped is told", async () => {
  const [client, near] = packetPair();
  const [far, server] = packetPair();
  for (let i = 0; i < MOST_WAITING + 7; i++) client.send(Uint8Array.of(i), A);
  client.close();
  const running = relayPackets(near, far, 60_000, { bytesUp: 0, bytesDown: 0 });
  assertEquals((await server.receive())?.data, Uint8Array.of(7));
  assertEquals(await running, "finished, 7 datagrams dropped");
});
