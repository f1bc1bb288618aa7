// @ts-types="../../../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../../lib/errors.ts";
import { FrameReader, type Status } from "../../../../lib/proxy/vmess/mux/frame.ts";
import { concat, toHex } from "../../../../lib/stream/bytes.ts";
import { eachSplit, hex } from "../../../support.ts";
import { example, frame, framesOf } from "./support.ts";

const hello = new TextEncoder().encode("hello");
const golden = "0014000101010101bb020b6578616d706c652e636f6d000568656c6c6f";

Deno.test("a new session with data, as V2Ray sends it", () => {
  assertEquals(toHex(frame(1, "new", { to: example, data: hello })), golden);
  const [{ head, data }] = framesOf(hex(golden));
  assertEquals(head, {
    id: 1,
    status: "new",
    error: false,
    network: "tcp",
    target: example,
    dataLength: 5,
    extended: false,
  });
  assertEquals(data, hello);
});

Deno.test("the frames that have no address", () => {
  assertEquals(toHex(frame(0x0203, "keep", { data: hello })), "0004020302010005" + toHex(hello));
  assertEquals(toHex(frame(7, "end")), "000400070300");
  assertEquals(toHex(frame(7, "end", { error: true })), "000400070302");
});

Deno.test("frames are the same wherever they are cut", () => {
  const globalId = hex("0102030405060708");
  const wire = concat(
    frame(0, "new", { udp: true, to: { host: "192.0.2.1", port: 53 }, globalId, data: hello }),
    frame(0, "keep", { udp: true, to: { host: "2001:db8:1:2:3:4:5:6", port: 65535 }, data: hello.slice(1) }),
    frame(65535, "new", { to: example }),
    frame(65535, "keep", { data: new Uint8Array() }),
    frame(9, "keep-alive", { data: hello }),
    frame(65535, "end", { error: true }),
  );
  const whole = framesOf(wire);
  assertEquals(whole.map(({ head, data }) => `${head.status} ${head.target?.host} ${data.length}`), [
    "new 192.0.2.1 5",
    "keep 2001:db8:1:2:3:4:5:6 4",
    "new example.com 0",
    "keep undefined 0",
    "keep-alive undefined 5",
    "end undefined 0",
  ]);
  assertEquals(whole.map(({ head }) => head.extended), [true, false, false, false, false, false]);
  assertEquals(whole[2].head.dataLength, null);
  assertEquals(whole[3].head.dataLength, 0);
  eachSplit(wire, (pieces) => assertEquals(framesOf(...pieces), whole));
});

Deno.test("any frames, cut anywhere, come out as they went in", () => {
  const someFrame = fc.record({
    id: fc.nat(65535),
    status: fc.constantFrom<Status>("new", "keep", "end", "keep-alive"),
    error: fc.boolean(),
    data: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
    udp: fc.boolean(),
    port: fc.nat(65535),
    host: fc.constantFrom(
      "example.com",
      "192.0.2.7",
      "2001:db8:1:2:3:4:5:6",
      Array(4).fill("a".repeat(60)).join("."),
    ),
  });
  fc.assert(fc.property(fc.array(someFrame, { maxLength: 8 }), fc.array(fc.nat(2000)), (frames, cuts) => {
    const wire = concat(...frames.map(({ id, status, host, port, udp, error, data }) => {
      return frame(id, status, { error, data, ...(status === "new" && { to: { host, port }, udp }) });
    }));
    const edges = [0, ...cuts.filter((cut) => cut < wire.length).sort((a, b) => a - b), wire.length];
    const got = framesOf(...edges.slice(1).map((edge, i) => wire.slice(edges[i], edge)));
    assertEquals(
      got.map(({ head, data }) => ({ ...head, data })),
      frames.map(({ id, status, error, data, udp, host, port }) => ({
        id,
        status,
        error,
        dataLength: data?.length ?? null,
        extended: false,
        ...(status === "new" && { network: udp ? "udp" as const : "tcp" as const, target: { host, port } }),
        data: data ?? new Uint8Array(),
      })),
    );
  }));
});

Deno.test("padding behind the options and behind an address is skipped", () => {
  const padded = hex("000a 0001 02 01 000000000000 0005".replaceAll(" ", "") + toHex(hello));
  assertEquals(framesOf(padded).map(({ head, data }) => [head.target, data]), [[undefined, hello]]);
  const afterAddress = hex("0012 0000 02 01 02 0035 01 c0000201 000000000000 0005".replaceAll(" ", ""));
  const [{ head, data }] = framesOf(concat(afterAddress, hello));
  assertEquals([head.target, data], [{ host: "192.0.2.1", port: 53 }, hello]);
});

Deno.test("a frame of the greatest size", () => {
  const data = new Uint8Array(65_535).fill(7);
  const [got] = framesOf(frame(1, "keep", { data }));
  assertEquals(got.data, data);
  const longest = concat(hex("0200" + "0001" + "02" + "00"), new Uint8Array(508));
  assertEquals(framesOf(longest).length, 1);
});

for (
  const [what, bytes] of [
    ["a description of 513 bytes", "0201"],
    ["a description of 3 bytes", "0003"],
    ["no known status", "000400010500"],
    ["status 0", "000400010000"],
    ["no known network", "000c000101000301bb01c0000201"],
    ["an address that is cut off", "000a000101000101bb01c000"],
    ["a new session without an address", "000400010100"],
    ["an unknown kind of address", "000c000101000101bb07c0000201"],
  ]
) {
  Deno.test(`not a frame: ${what}`, () => {
    const error = assertThrows(() => framesOf(hex(bytes)), MtrayError) as MtrayError;
    assertEquals(error.code, "protocol");
  });
}

Deno.test("any bytes are read or refused, and never anything else", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      framesOf(bytes);
    } catch (error) {
      assertEquals((error as MtrayError).code, "protocol");
    }
  }));
});

Deno.test("data that is there in one piece is not copied", () => {
  const wire = frame(1, "keep", { data: hello });
  const reader = new FrameReader();
  reader.feed(wire);
  assertEquals(reader.next()?.data?.buffer === wire.buffer, true);
  assertEquals(reader.inside, false);
  reader.feed(wire.subarray(0, 3));
  assertEquals(reader.next(), null);
  assertEquals(reader.inside, true);
});
