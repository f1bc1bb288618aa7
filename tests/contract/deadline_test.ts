import { assertEquals } from "@std/assert";
import { timedOut } from "../../lib/stream/types.ts";
import { tcp } from "./streams.ts";

Deno.test("a deadline that has passed counts also when bytes are there, and they stay", async () => {
  const { a, b, end } = await tcp.open();
  try {
    await a.write(Uint8Array.of(1, 2, 3));
    assertEquals(await b.ready(), true);
    assertEquals([...b.take()], [1, 2, 3]);
    await a.write(Uint8Array.of(4));
    assertEquals(await b.readyBefore(performance.now() - 1), timedOut);
    assertEquals(await b.readyBefore(performance.now() + 10_000), true);
    assertEquals([...b.take()], [4]);
  } finally {
    end();
  }
});
