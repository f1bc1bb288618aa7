// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { MOST_WAITING_BYTES } from "../../lib/runtime/packet_queue.ts";
import { PacketFan } from "../../lib/stream/packet_fan.ts";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import type { PacketStream, Target } from "../../lib/stream/types.ts";
import { codeOfRejection } from "../contract/streams.ts";

const never = new AbortController().signal;
const at = (port: number): Target => ({ host: "192.0.2.1", port });

/** Ways of which each far end is kept, by port. */
function network() {
  const far = new Map<number, PacketStream[]>();
  const dial = (target: Target): Promise<PacketStream> => {
    if (target.port === 9) return Promise.reject(new MtrayError("refused", "nobody is there"));
    const [near, end] = packetPair();
    far.set(target.port, [...far.get(target.port) ?? [], end]);
    return Promise.resolve(near);
  };
  return { far, dial };
}

Deno.test("each target has a way of its own, and answers come from all of them", async () => {
  const { far, dial } = network();
  const fan = await PacketFan.open(at(1), dial, never);
  fan.send(Uint8Array.of(1), at(1));
  fan.send(Uint8Array.of(2), at(2));
  fan.send(Uint8Array.of(3), at(1));
  const receive = async (port: number) => (await far.get(port)![0].receive())!.data[0];
  assertEquals([await receive(1), await receive(1)], [1, 3]);
  assertEquals([far.get(1)!.length, far.get(2)!.length], [1, 1]);
  assertEquals(await receive(2), 2);
  far.get(2)![0].send(Uint8Array.of(4), at(2));
  const answer = await fan.receive();
  assertEquals([answer?.data[0], answer?.from], [4, at(2)]);
  fan.close();
  assertEquals([await fan.receive(), await far.get(1)![0].receive()], [null, null]);
});

Deno.test("the first target's failure is everybody's; a later one's loses its datagrams and no more", async () => {
  const { far, dial } = network();
  assertEquals(await codeOfRejection(PacketFan.open(at(9), dial, never)), "refused");
  const fan = await PacketFan.open(at(1), dial, never);
  fan.send(Uint8Array.of(1), at(9));
  fan.send(Uint8Array.of(2), at(1));
  assertEquals((await far.get(1)![0].receive())?.data[0], 2);
  assertEquals(fan.dropped, 1);
  fan.close();
});

Deno.test("a way that its far end closes is opened again", async () => {
  const { far, dial } = network();
  const fan = await PacketFan.open(at(1), dial, never);
  far.get(1)![0].close();
  // Its end is noticed before the next datagram is sent.
  await new Promise((resolve) => setTimeout(resolve));
  fan.send(Uint8Array.of(1), at(1));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals((await far.get(1)![1].receive())?.data[0], 1);
  fan.close();
});

Deno.test("of too many targets the one that was used longest ago goes", async () => {
  const { far, dial } = network();
  const fan = await PacketFan.open(at(1000), dial, never);
  for (let port = 1001; port < 1064; port++) fan.send(Uint8Array.of(1), at(port));
  // The ways are open from here on.
  await new Promise((resolve) => setTimeout(resolve));
  fan.send(Uint8Array.of(1), at(1000));
  fan.send(Uint8Array.of(1), at(2000));
  assertEquals((await far.get(1001)![0].receive())?.data[0], 1);
  assertEquals(await far.get(1001)![0].receive(), null);
  assertEquals((await far.get(1000)![0].receive())?.data[0], 1);
  fan.close();
});

Deno.test("a target whose ways end without an answer is left alone for a while", async () => {
  let dials = 0;
  const dial = (): Promise<PacketStream> => {
    dials++;
    const [near, far] = packetPair();
    if (dials > 1) far.close();
    return Promise.resolve(near);
  };
  const fan = await PacketFan.open(at(1), dial, never);
  for (let i = 0; i < 50; i++) {
    fan.send(Uint8Array.of(1), at(2));
    await new Promise((resolve) => setTimeout(resolve));
  }
  // One for the first target, and two for the one that sends everybody away.
  assertEquals(dials, 3);
  fan.close();
});

Deno.test("what waits for ways that do not open is bounded in bytes, over all of them", async () => {
  const dial = (target: Target): Promise<PacketStream> =>
    target.port === 1 ? Promise.resolve(packetPair()[0]) : new Promise(() => {});
  const fan = await PacketFan.open(at(1), dial, never);
  const length = 60_000, count = 200;
  for (let i = 0; i < count; i++) fan.send(new Uint8Array(length), at(2 + i % 50));
  assertEquals(count - fan.dropped, Math.floor(MOST_WAITING_BYTES / length));
  fan.close();
});
