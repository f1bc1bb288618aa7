import { assertEquals } from "@std/assert";
import { Handshakes } from "../../lib/proxy/handshakes.ts";

const MOST = 100;

Deno.test("when there are too many handshakes the oldest ends, and only that one", () => {
  const ended: number[] = [];
  const handshakes = new Handshakes<number>(MOST, (connection) => ended.push(connection));
  for (let i = 0; i < MOST; i++) handshakes.enter(i);
  assertEquals(ended, []);
  handshakes.enter(-1);
  assertEquals(ended, [0]);
  // Who has left makes room, and is not ended afterwards; leaving twice is harmless.
  handshakes.leave(1);
  handshakes.leave(1);
  handshakes.leave(0);
  handshakes.enter(-2);
  assertEquals(ended, [0]);
  handshakes.enter(-3);
  assertEquals(ended, [0, 2]);
});
