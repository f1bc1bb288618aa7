// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { createMemory } from "../../lib/shared/memory.ts";
import { Crew, routersOf } from "../../lib/workers/crew.ts";

Deno.test("as many routers as the config says, or as there are cores", () => {
  assertEquals(routersOf({ workers: 1 }), 1);
  assertEquals(routersOf({ workers: 7 }), 7);
  const cores = routersOf({ workers: "auto" });
  assert(cores === Math.min(64, navigator.hardwareConcurrency) && cores >= 1, `${cores}`);
});

Deno.test("one router needs no thread, and memory that nobody shares", async () => {
  const memory = createMemory(1);
  assertEquals([memory.counters.buffer, memory.digests.buffer].map((each) => each instanceof ArrayBuffer), [
    true,
    true,
  ]);
  const crew = new Crew([], memory);
  assertEquals(await crew.prepared(), []);
  await crew.listen([]);
  await crew.stop();
});

Deno.test("memory of several routers is shared", () => {
  const { routers, counters, digests } = createMemory(3);
  assertEquals(routers, 3);
  for (const { buffer } of [counters, digests]) assert(buffer instanceof SharedArrayBuffer);
  assert([...counters, ...digests].every((word) => word === 0));
});
