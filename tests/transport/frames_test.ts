// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../lib/errors.ts";
import { concat, toHex } from "../../lib/stream/bytes.ts";
import {
  applyMask,
  BINARY,
  CLOSE,
  type Control,
  frameHead,
  FrameReader,
  PING,
  PONG,
} from "../../lib/transport/websocket/frames.ts";
import { eachSplit, hex } from "../support.ts";

const HELLO = "48656c6c6f";

/** What a reader makes of bytes in pieces. */
function readAll(
  pieces: Uint8Array[],
  masked = false,
): { payload: string; controls: string[]; between: boolean } {
  const reader = new FrameReader(masked);
  const controls: string[] = [];
  const got = pieces.map((piece) =>
    reader.read(piece.slice(), ({ opcode, payload }: Control) => controls.push(`${opcode} ${toHex(payload)}`))
      .slice()
  );
  return { payload: toHex(concat(...got)), controls, between: reader.between };
}

Deno.test("the examples of RFC 6455, section 5.7, wherever they are cut", () => {
  const cases: [string, boolean, string, string[]][] = [
    ["810548656c6c6f", false, HELLO, []],
    ["818537fa213d7f9f4d5158", true, HELLO, []],
    ["010348656c80026c6f", false, HELLO, []],
    ["890548656c6c6f", false, "", [`${PING} ${HELLO}`]],
    ["8a8537fa213d7f9f4d5158", true, "", [`${PONG} ${HELLO}`]],
    ["827e0100" + "ab".repeat(256), false, "ab".repeat(256), []],
    // A control frame between two fragments.
    ["0103" + "48656c" + "8900" + "80026c6f", false, HELLO, [`${PING} `]],
    // Empty frames, and several in one piece.
    ["8200" + "820148" + "8200" + "820165" + "82036c6c6f" + "8200", false, HELLO, []],
    ["820548656c6c6f" + "880203e8" + "ffffff", false, HELLO, [`${CLOSE} 03e8`]],
  ];
  for (const [frames, masked, payload, controls] of cases) {
    eachSplit(hex(frames), (pieces) => {
      // What comes behind a closing frame is nobody's business, and is not asked for.
      const end = frames.indexOf("880203e8");
      const meant = end < 0 ? pieces : cutAt(pieces, end / 2 + 4);
      const got = readAll(meant, masked);
      assertEquals(got, { payload, controls, between: true }, frames);
    });
  }
});

Deno.test("65,536 bytes take a length of eight", () => {
  const frame = concat(hex("827f0000000000010000"), new Uint8Array(65_536).fill(7));
  for (const cut of [1, 2, 3, 9, 10, 11, 40_000, 65_545]) {
    assertEquals(readAll([frame.slice(0, cut), frame.slice(cut)]).payload, "07".repeat(65_536));
  }
  assertEquals(toHex(frameHead(BINARY, 65_536, null)), "827f0000000000010000");
  assertEquals(toHex(frameHead(BINARY, 2 ** 32 + 5, null)), "827f0000000100000005");
});

Deno.test("heads", () => {
  assertEquals(toHex(frameHead(1, 5, null)), "8105");
  assertEquals(toHex(frameHead(1, 5, hex("37fa213d"))), "818537fa213d");
  assertEquals(toHex(frameHead(BINARY, 125, null)), "827d");
  assertEquals(toHex(frameHead(BINARY, 126, null)), "827e007e");
  assertEquals(toHex(frameHead(BINARY, 65_535, null)), "827effff");
});

Deno.test("what breaks the rules is refused", () => {
  const cases: [string, boolean, RegExp][] = [
    ["c200", false, /extension/],
    ["8300", false, /unknown kind 3/],
    ["8b00", false, /unknown kind 11/],
    ["8200", true, /not masked/],
    ["8280", false, /that is masked/],
    ["0900", false, /control frame/],
    ["897e0080", false, /control frame/],
    ["8000", false, /inside another/],
    ["01000100", false, /inside another/],
    ["827fffffffffffffffff", false, /more bytes/],
  ];
  for (const [frames, masked, why] of cases) {
    const error = assertThrows(() => readAll([hex(frames)], masked), MtrayError) as MtrayError;
    assertEquals(error.code, "protocol");
    assert(why.test(error.message), error.message);
  }
});

Deno.test("masking is its own inverse, at every alignment and offset", () => {
  const key = hex("37fa213d");
  for (let start = 0; start < 9; start++) {
    for (let length = 0; length < 20; length++) {
      for (let offset = 0; offset < 5; offset++) {
        const buffer = new Uint8Array(40).fill(0x55);
        const view = buffer.subarray(start, start + length);
        view.forEach((_, i) => view[i] = i * 7);
        applyMask(view, key, offset);
        view.forEach((byte, i) => assertEquals(byte, ((i * 7) ^ key[(offset + i) & 3]) & 255));
        buffer.subarray(0, start).forEach((byte) => assertEquals(byte, 0x55));
        buffer.subarray(start + length).forEach((byte) => assertEquals(byte, 0x55));
      }
    }
  }
});

Deno.test("any messages, in any fragments, cut anywhere, come out as they went in", () => {
  const frame = fc.record({
    payload: fc.uint8Array({ maxLength: 300 }),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat(400), { maxLength: 20 }),
      fc.boolean(),
      (frames, cuts, masked) => {
        const wire: Uint8Array[] = [];
        for (const { payload, mask, ping } of frames) {
          const key = masked ? mask : null;
          if (ping) wire.push(frameHead(PING, 0, key));
          const bytes = payload.slice();
          if (key !== null) applyMask(bytes, key, 0);
          wire.push(frameHead(BINARY, bytes.length, key), bytes);
        }
        const pieces: Uint8Array[] = [];
        let rest: Uint8Array = concat(...wire);
        for (const cut of cuts) {
          pieces.push(rest.slice(0, cut));
          rest = rest.subarray(cut);
        }
        pieces.push(rest.slice());
        const got = readAll(pieces, masked);
        assertEquals(got.payload, toHex(concat(...frames.map(({ payload }) => payload))));
        assertEquals(got.controls.length, frames.filter(({ ping }) => ping).length);
      },
    ),
  );
});

function cutAt(pieces: Uint8Array[], length: number): Uint8Array[] {
  let left = length;
  return pieces.map((piece) => {
    const part = piece.subarray(0, Math.max(0, left));
    left -= piece.length;
    return part;
  }).filter((piece) => piece.length > 0);
}
