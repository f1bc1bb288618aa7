import { assertEquals } from "@std/assert";
import { Handshakes, MOST_HANDSHAKES } from "../../../lib/proxy/mtproto/handshakes.ts";

Deno.test("when there are too many handshakes the oldest ends, and only that one", () => {
  const handshakes = new Handshakes();
  const ended: number[] = [];
  const leave = Array.from({ length: MOST_HANDSHAKES }, (_, i) => handshakes.enter(() => ended.push(i)));
  assertEquals(ended, []);
  handshakes.enter(() => ended.push(-1));
  assertEquals(ended, [0]);
  // Who has left makes room, and is not ended afterwards; leaving twice is harmless.
  leave[1]();
  leave[1]();
  leave[0]();
  handshakes.enter(() => ended.push(-2));
  assertEquals(ended, [0]);
  handshakes.enter(() => ended.push(-3));
  assertEquals(ended, [0, 2]);
});

Deno.test("the same end given twice is two handshakes", () => {
  const handshakes = new Handshakes();
  let ended = 0;
  const end = () => ended++;
  for (let i = 0; i < MOST_HANDSHAKES; i++) handshakes.enter(end);
  handshakes.enter(end);
  handshakes.enter(end);
  assertEquals(ended, 2);
});
