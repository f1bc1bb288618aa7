// @ts-types="../../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteQueue } from "../../../../lib/proxy/vmess/mux/byte_queue.ts";
import { PacketQueue } from "../../../../lib/proxy/vmess/mux/packet_queue.ts";
import { ROOM } from "../../../../lib/stream/types.ts";

Deno.test("bytes leave the queue in the order they came, whatever is taken between", () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.constant("take" as const), fc.nat(9000))), (steps) => {
    const queue = new ByteQueue();
    const given: number[] = [], got: number[] = [];
    for (const step of steps) {
      if (step === "take") got.push(...queue.take());
      else {
        const bytes = Uint8Array.from({ length: step % 700 }, (_, i) => given.length + i & 255);
        given.push(...bytes);
        queue.push(bytes);
        bytes.fill(0);
      }
      assertEquals(queue.length, given.length - got.length);
    }
    while (queue.length > 0) got.push(...queue.take());
    assertEquals(got, given);
  }));
});

Deno.test("what was taken is the taker's own, and so is the room in front", () => {
  const queue = new ByteQueue();
  queue.push(Uint8Array.of(1));
  queue.push(Uint8Array.of(2, 3));
  const first = queue.take();
  assertEquals([...first], [1]);
  queue.push(Uint8Array.of(4));
  new Uint8Array(first.buffer, first.byteOffset - ROOM, ROOM + first.length).fill(0xff);
  const rest: number[] = [];
  while (queue.length > 0) rest.push(...queue.take());
  assertEquals(rest, [2, 3, 4]);
});

Deno.test("many small pieces cost little more than what they hold", () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 100_000; i++) queue.push(Uint8Array.of(i));
  const buffers = new Set<ArrayBufferLike>();
  while (queue.length > 0) buffers.add(queue.take().buffer);
  const held = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  assert(held < 250_000, `${held} bytes in ${buffers.size} blocks`);
});

Deno.test("of too many datagrams, and of too many bytes of them, the oldest go", () => {
  const queue = new PacketQueue<{ data: Uint8Array }>();
  for (let i = 0; i < 70; i++) queue.push({ data: Uint8Array.of(i) });
  assertEquals([queue.dropped, queue.first?.data[0]], [6, 6]);
  for (let i = 0; i < 5; i++) queue.push({ data: new Uint8Array(60_000).fill(i) });
  assertEquals([queue.first?.data.length, queue.first?.data[0]], [60_000, 1]);
  for (let i = 1; i < 5; i++) assertEquals(queue.shift()?.data[0], i);
  assertEquals([queue.shift(), queue.dropped], [undefined, 71]);
});
