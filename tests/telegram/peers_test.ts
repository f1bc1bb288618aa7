/** The peers against fixed vectors and against each other, without mtray: what they say of mtray rests on this. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHmac } from "node:crypto";
import { answerAfterEnd, echo, ECHO_TOKEN, echoPackets, finishFirst, reset, source } from "./behaviours.ts";
import { concat, equal, hex, random, uint16be, unhex } from "./bytes.ts";
import { buildClientHello, HELLO_SHAPES, restampHello, signHello, splitIntoRecords } from "./client_hello.ts";
import { DataCentre } from "./data_centre.ts";
import { writeApart } from "./fake_tls.ts";
import { encodePacket, encodeQuickAck, type Frame, FrameReader, withoutPadding } from "./framing.ts";
import { runClient } from "./mtcute_client.ts";
import { MtprotoServer } from "./mtproto_server.ts";
import { ABRIDGED, accept, forbiddenStart, initiate, PADDED, TAGS } from "./obfuscated2.ts";
import { pattern, PatternCheck } from "./pattern.ts";
import { parseProxyLink } from "./proxy_link.ts";
import { readServerAnswer } from "./server_answer.ts";
import { Site } from "./site.ts";
import { connectSocket, PeerReset } from "./socket.ts";
import { isX25519PublicKey, newX25519PublicKey } from "./x25519_point.ts";

const SECRET = unhex("000102030405060708090a0b0c0d0e0f");

Deno.test("obfuscated2: the fixed vector of facts/mtproto.md, both ends", () => {
  const start = Uint8Array.from({ length: 56 }, (_, i) => 7 * i + 1);
  const tail = Uint8Array.of(7 * 62 + 1, 7 * 63 + 1);
  const client = initiate({ tag: PADDED, dc: 2, secret: SECRET, start, tail });
  assertEquals(hex(client.upKey.key), "b384f0908a469c08d3504e086403d910b051c75011fa187ee11caf9e6af38138");
  assertEquals(hex(client.header.subarray(56)), "57db92e73f902e16");
  assertEquals(hex(client.downKey.key), "939d1082965bca2f9d6f2ca8d0b64639b11b05f35b4deab802d9cc2bba714b1f");
  assertEquals(hex(client.downKey.iv), "a29b948d867f78716a635c554e474039");
  const proxy = accept(client.header, SECRET);
  assert(proxy);
  assertEquals([proxy.tag, proxy.dc], [PADDED, 2]);
  assertEquals(hex(client.up.update(new Uint8Array(16))), "e5f31a766433c5a9f2d2a2894d539692");
  assertEquals(hex(proxy.up.update(unhex("e5f31a766433c5a9f2d2a2894d539692"))), "00".repeat(16));
  assertEquals(hex(proxy.down.update(new Uint8Array(16))), "bdcbcc1c8d9e4a37043b92103e207aed");
  assertEquals(accept(client.header, random(16)), null);
});

Deno.test("obfuscated2: forbidden starts are named", () => {
  const start = (text: string) => forbiddenStart(concat(unhex(text), new Uint8Array(8)));
  assertEquals(start("efffffff01020304"), "abridged tag");
  assertEquals(start("0102030400000000"), "full transport");
  assertEquals(start("4845414401020304"), "HEAD");
  assertEquals(start("1603010201020304"), "TLS hello");
  assertEquals(start("dddddddd01020304"), "padded intermediate tag");
  assertEquals(start("dddddddf01020304"), null);
});

Deno.test("FakeTLS hello: the fixed vector, and the shapes' lengths", () => {
  const sessionId = Uint8Array.from({ length: 32 }, (_, i) => i);
  const head = concat(unhex("1603010200 010001fc0303"), new Uint8Array(32), unhex("20"), sessionId);
  const unsigned = concat(head, new Uint8Array(517 - head.length));
  const expected = "72d06617e225c78f9ca6280a0dfbf1e48e4b1de6144acf0dffd82e16ffb28e40";
  assertEquals(hex(signHello(unsigned, SECRET, 1_700_000_000).subarray(11, 43)), expected);
  const earlier = signHello(unsigned, SECRET, 1_600_000_000);
  assert(
    equal(restampHello(earlier, 1_600_000_000, 1_700_000_000), signHello(unsigned, SECRET, 1_700_000_000)),
  );
  for (const shape of HELLO_SHAPES) {
    const { record } = buildClientHello({ secret: SECRET, domain: "www.example.org", shape });
    if (shape === "chrome-2025") {
      assert(record.length >= 1700 && record.length <= 1850, `${record.length} bytes`);
    } else assertEquals(record.length, 517);
  }
});

Deno.test("FakeTLS hello: records joined again are the same hello", () => {
  const { record } = buildClientHello({ secret: SECRET, domain: "www.example.org" });
  const split = splitIntoRecords(record, [1, 5, 700]);
  assertEquals(split.length, record.length + 15);
  assertEquals(hex(split.subarray(0, 6)), "160301000101");
  assert(equal(splitIntoRecords(record, []), record));
});

/** The answer of facts/mtproto.md 2.4. */
function makeAnswer(
  clientRandom: Uint8Array,
  sessionId: Uint8Array,
  publicKey: Uint8Array,
  flight: Uint8Array,
) {
  const answer = concat(
    unhex("160303007a 020000760303"),
    new Uint8Array(32),
    unhex("20"),
    sessionId,
    unhex("1301 00 002e 002b00020304 00330024001d0020"),
    publicKey,
    unhex("140303000101 170303"),
    uint16be(flight.length),
    flight,
  );
  answer.set(createHmac("sha256", SECRET).update(clientRandom).update(answer).digest(), 11);
  return answer;
}

function reading(bytes: Uint8Array) {
  let at = 0;
  return (length: number) => Promise.resolve(bytes.subarray(at, at += length));
}

Deno.test("FakeTLS answer: the fixed vector passes, and with any one byte changed it does not", async () => {
  const clientRandom = unhex("72d06617e225c78f9ca6280a0dfbf1e48e4b1de6144acf0dffd82e16ffb28e40");
  const sessionId = Uint8Array.from({ length: 32 }, (_, i) => i);
  const hello = { record: new Uint8Array(), random: clientRandom, sessionId, ciphers: [0x1301] };
  const publicKey = new Uint8Array(32).fill(0x42);
  const answer = makeAnswer(clientRandom, sessionId, publicKey, new Uint8Array(1000).fill(0xaa));
  const digest = "3a49d85e605dfdf4afe9c2a20bcf667c6e315d9812f847f72ba1135292c6d664";
  assertEquals(hex(answer.subarray(11, 43)), digest);
  assertEquals((await readServerAnswer(reading(answer), hello, SECRET)).flight, 1000);
  for (let at = 0; at < answer.length; at++) {
    const changed = answer.slice();
    changed[at] ^= 1;
    await assertRejects(() => readServerAnswer(reading(changed), hello, SECRET), Error, "cannot accept");
  }
});

Deno.test("FakeTLS answer: a share on the twist is refused though the digest is right", async () => {
  const hello = buildClientHello({ secret: SECRET, domain: "www.example.org" });
  let twisted = random(32);
  while (twisted[31] &= 0x7f, isX25519PublicKey(twisted)) twisted = random(32);
  const check = (key: Uint8Array) => {
    return readServerAnswer(
      reading(makeAnswer(hello.random, hello.sessionId, key, random(500))),
      hello,
      SECRET,
    );
  };
  assertEquals((await check(newX25519PublicKey())).cipher, 0x1301);
  await assertRejects(() => check(twisted), Error, "no point");
});

/** Packets of every length that is written differently, with and without the wish for a quick ack. */
const LENGTHS = [4, 8, 4 * 0x7e, 4 * 0x7f, 4 * 0x80, 70_000];

Deno.test("framing: all packets come back, whole and byte by byte", () => {
  for (const tag of TAGS) {
    const packets = LENGTHS.slice(0, 5).map((length, i) => ({
      payload: random(length),
      quickAck: i % 2 === 0,
    }));
    const wire = concat(...packets.map(({ payload, quickAck }) => encodePacket(tag, payload, { quickAck })));
    for (const step of [wire.length, 1]) {
      const reader = new FrameReader(tag, "client");
      const got: Frame[] = [];
      for (let at = 0; at < wire.length; at += step) {
        reader.push(wire.subarray(at, at + step));
        for (let frame = reader.next(); frame; frame = reader.next()) got.push(frame);
      }
      assertEquals(
        got.map((frame) =>
          frame.kind === "packet" && [hex(withoutPadding(tag, frame.data)), frame.wantsQuickAck]
        ),
        packets.map(({ payload, quickAck }) => [hex(payload), quickAck]),
      );
      assertEquals(reader.pending, 0);
    }
  }
});

Deno.test("framing: known bytes", () => {
  assertEquals(hex(encodePacket(ABRIDGED, unhex("01020304"))), "0101020304");
  assertEquals(hex(encodePacket(ABRIDGED, unhex("01020304"), { quickAck: true })), "8101020304");
  assertEquals(hex(encodePacket(ABRIDGED, new Uint8Array(0x7f * 4)).subarray(0, 4)), "7f7f0000");
  assertEquals(hex(encodePacket(0xee, unhex("01020304"), { quickAck: true })), "0400008001020304");
  assertEquals(hex(encodeQuickAck(0xee, ECHO_TOKEN)), "04030281");
  assertEquals(hex(encodeQuickAck(ABRIDGED, ECHO_TOKEN)), "81020304");
});

Deno.test("links: the three kinds, hexadecimal and base64url", () => {
  const read = (secret: string) => parseProxyLink(`tg://proxy?server=h&port=443&secret=${secret}`).secret;
  assertEquals(read(hex(SECRET)), { kind: "classic", bytes: SECRET });
  assertEquals(read(`dd${hex(SECRET)}`), { kind: "dd", bytes: SECRET });
  const faked = { kind: "ee", bytes: SECRET, domain: "a.org" } as const;
  assertEquals(read(`ee${hex(SECRET)}${hex(new TextEncoder().encode("a.org"))}`), faked);
  assertEquals(read("7gABAgMEBQYHCAkKCwwNDg9hLm9yZw"), faked);
});

/** A proxy's side of a connection to the stub, in one object. */
async function dial(
  centre: DataCentre,
  options: { tag?: number; adopt?: { key: Uint8Array; iv: Uint8Array } } = {},
) {
  const ends = initiate({ tag: options.tag ?? 0xee, dc: -2, adopt: options.adopt });
  const socket = await connectSocket(centre.port);
  await socket.write(ends.header);
  return {
    ends,
    socket,
    write: (bytes: Uint8Array) => socket.write(ends.up.update(bytes)),
    read: async () => {
      const bytes = await socket.read();
      return bytes && ends.down.update(bytes);
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

Deno.test("data centre: echo, and what it saw of the connection", async () => {
  const centre = await DataCentre.start(echo);
  const adopted = { key: random(32), iv: random(16) };
  {
    using proxy = await dial(centre, { adopt: adopted });
    await proxy.write(unhex("c0ffee"));
    assertEquals(hex(await proxy.read() ?? new Uint8Array()), "c0ffee");
    const seen = await centre.connection(0);
    assertEquals([seen.tag, seen.dc, seen.forbidden, seen.bytesUp], [0xee, -2, null, 3]);
    assertEquals([seen.adopts(adopted), seen.adopts({ ...adopted, iv: random(16) })], [true, false]);
    assertEquals(hex(proxy.ends.downKey.key), hex(adopted.key));
    await proxy.socket.closeWrite();
    assertEquals(await proxy.read(), null);
    assertEquals(await seen.ended, "fin");
  }
  await centre.close();
});

Deno.test("data centre: packets in every framing, with a quick ack where one is asked for", async () => {
  const centre = await DataCentre.start(echoPackets);
  for (const tag of TAGS) {
    using proxy = await dial(centre, { tag });
    const reader = new FrameReader(tag, "server");
    for (const [i, length] of LENGTHS.entries()) {
      const payload = random(length);
      await proxy.write(encodePacket(tag, payload, { quickAck: i % 2 === 0 }));
      const expected = i % 2 === 0 ? ["quick ack", "packet"] : ["packet"];
      while (expected.length > 0) {
        const frame = reader.next();
        if (frame === null) {
          reader.push(await proxy.read() ?? new Uint8Array());
          continue;
        }
        assertEquals(frame.kind, expected.shift());
        if (frame.kind === "quick ack") assertEquals(frame.token, ECHO_TOKEN);
        else assert(equal(withoutPadding(tag, frame.data), payload));
      }
    }
  }
  await centre.close();
});

Deno.test("data centre: half-closes from either side lose nothing", async () => {
  const length = 3_000_000;
  for (const behaviour of [source(length), finishFirst(length), answerAfterEnd(length)]) {
    const centre = await DataCentre.start(behaviour);
    {
      using proxy = await dial(centre);
      await proxy.write(pattern(0, 1000));
      await proxy.socket.closeWrite();
      const check = new PatternCheck();
      for (let bytes = await proxy.read(); bytes; bytes = await proxy.read()) check.push(bytes);
      assertEquals(check.length, length);
      assertEquals((await centre.connection(0)).bytesUp, 1000);
    }
    await centre.close();
  }
});

Deno.test("data centre: a reset arrives as one, and one of the proxy's is told from a finish", async () => {
  const centre = await DataCentre.start(reset(10), { resettable: true });
  {
    using proxy = await dial(centre);
    await proxy.write(random(10));
    await assertRejects(() => proxy.read(), PeerReset);
  }
  await centre.close();
  const other = await DataCentre.start(echo);
  {
    const socket = await connectSocket(other.port, { resettable: true });
    await socket.write(initiate({ tag: PADDED, dc: 2 }).header);
    const seen = await other.connection(0);
    socket.reset();
    assertEquals(await seen.ended, "reset");
  }
  await other.close();
});

Deno.test("pieces written apart are read apart", async () => {
  const sizes: number[] = [];
  const site = await Site.start(async ({ socket }) => {
    for (let bytes = await socket.read(); bytes; bytes = await socket.read()) sizes.push(bytes.length);
  });
  {
    using socket = await connectSocket(site.port);
    await writeApart(socket, Array.from({ length: 200 }, () => Uint8Array.of(1)));
    await socket.closeWrite();
    assertEquals(await socket.read(), null);
  }
  await site.close();
  assertEquals(sizes, new Array(200).fill(1));
});

Deno.test("a real client makes a key with the stub and moves a megabyte each way", async () => {
  const server = new MtprotoServer();
  const centre = await DataCentre.start(server.serve);
  const { up, down } = await runClient({ directPort: centre.port }, server);
  assertEquals([up, down], [1 << 20, 1 << 20]);
  assertEquals([server.keysMade, server.rpc.unknown], [1, []]);
  await centre.close();
});
