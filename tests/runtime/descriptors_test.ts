// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  countConnection,
  countIn,
  countUdp,
  mostSockets,
  uncountConnection,
  uncountUdp,
} from "../../lib/runtime/descriptors.ts";

Deno.test("sockets are counted where other threads count theirs, and bounded together", () => {
  const counts = new Int32Array(2);
  countIn(counts);
  assertEquals([countConnection(), countUdp()], [true, true]);
  assertEquals([...counts], [2, 1]);
  // What the others have.
  const most = Math.min(mostSockets(), 1 << 30);
  counts[0] = most - 1;
  assertEquals([countConnection(), countConnection()], [true, false]);
  assertEquals(counts[0], most + 1);
  uncountConnection();
  counts[1] = Math.ceil(most / 2) - 1;
  assertEquals([countUdp(), countUdp()], [true, false]);
  uncountUdp();
  assertEquals([...counts], [most, Math.ceil(most / 2) - 1]);
});
