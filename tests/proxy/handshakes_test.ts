import { assertEquals } from "@std/assert";
import { Handshakes } from "../../lib/proxy/handshakes.ts";

const MOST = 100;

Deno.test("when there are too many handshakes the oldest ends, and only that one", () => {
  const handshakes = new Handshakes(MOST);
  const ended: number[] = [];
  const leave = Array.from({ length: MOST }, (_, i) => handshakes.enter(() => ended.push(i)));
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
  const handshakes = new Handshakes(MOST);
  let ended = 0;
  const end = () => ended++;
  for (let i = 0; i < MOST; i++) handshakes.enter(end);
  handshakes.enter(end);
  handshakes.enter(end);
  assertEquals(ended, 2);
});
