// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { randomBytes } from "../../../lib/crypto/random.ts";
import { codeOf, MtrayError } from "../../../lib/errors.ts";
import { clientStream } from "../../../lib/proxy/vmess/client_stream.ts";
import type { RequestHeader } from "../../../lib/proxy/vmess/header.ts";
import { responseKeys, sealResponse } from "../../../lib/proxy/vmess/response.ts";
import { serverStream } from "../../../lib/proxy/vmess/server_stream.ts";
import { concat, toHex } from "../../../lib/stream/bytes.ts";
import { memoryPair } from "../../../lib/stream/pair.ts";
import { type ByteStream, timedOut } from "../../../lib/stream/types.ts";
import { pattern, readAll, readSome } from "../../contract/streams.ts";
import { acceptHeader, clientRequest, connected, crypto, someRequest } from "./kinds.ts";

const text = (words: string) => new TextEncoder().encode(words);
const words = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const means = { crypto, random: randomBytes };
const later = () => performance.now() + 10_000;

const CHUNKED: Partial<RequestHeader>[] = [
  { security: "aes-128-gcm", options: 0x0d },
  { security: "chacha20-poly1305", options: 0x1d },
  { security: "none", options: 0x05 },
];
const ZERO: Partial<RequestHeader> = { security: "none", options: 0 };

/** A stream whose writes and half-close are told. */
function watched(inner: ByteStream): { stream: ByteStream; seen: string[]; lengths: number[] } {
  const seen: string[] = [], lengths: number[] = [];
  const stream: ByteStream = {
    halfCloses: inner.halfCloses,
    ready: () => inner.ready(),
    readyBefore: (deadline) => inner.readyBefore(deadline),
    take: (room) => inner.take(room),
    write(a, b) {
      seen.push("write");
      lengths.push(a.length + (b?.length ?? 0));
      return inner.write(a, b);
    },
    closeWrite() {
      seen.push("closeWrite");
      return inner.closeWrite();
    },
    close(reason) {
      seen.push(reason === undefined ? "close" : "abort");
      inner.close(reason);
    },
  };
  return { stream, seen, lengths };
}

/** A client over memory, and what its server sees of it. */
function client(about: Partial<RequestHeader> = {}, { terminates = true } = {}) {
  const [near, far] = memoryPair(1 << 20);
  const header = someRequest(about);
  const request = clientRequest(header, { terminates });
  const { stream, seen, lengths } = watched(near);
  return { stream: clientStream(stream, request), far, header, request, seen, lengths };
}

async function codeOfReady(stream: ByteStream): Promise<string> {
  try {
    for (;;) {
      if (!await stream.ready()) return "end";
      stream.take();
    }
  } catch (error) {
    return codeOf(error);
  }
}

Deno.test("the first write takes the header along", async () => {
  for (const about of [...CHUNKED, ZERO]) {
    const { stream, far, seen } = client(about);
    await stream.write(text("hel"), text("lo"));
    assertEquals(seen, ["write"]);
    const { header, rest } = await acceptHeader(far);
    await stream.closeWrite();
    assertEquals(words(await readAll(serverStream(far, header, rest, means))), "hello");
    stream.close();
    far.close();
  }
});

Deno.test("a large first write goes in large pieces, the header with the first of them", async () => {
  const { stream, far, seen, lengths, request } = client();
  const writing = stream.write(pattern(300_000));
  const { header, rest } = await acceptHeader(far);
  const server = serverStream(far, header, rest, means);
  assertEquals(await readSome(server, 300_000), pattern(300_000));
  await writing;
  assertEquals(seen.length, 3);
  assert(lengths.every((length) => length <= 9 * 16_384 + request.wire.length), String(lengths));
  stream.close();
  server.close();
});

Deno.test("the header goes alone once somebody has listened for a tenth of a second", async () => {
  for (const about of [...CHUNKED, ZERO]) {
    const { stream, far, seen, lengths, request } = client(about);
    const started = performance.now();
    const waiting = stream.ready();
    assertEquals(seen, []);
    const { header, rest } = await acceptHeader(far);
    assert(performance.now() - started > 90);
    assertEquals([seen, lengths, rest.length], [["write"], [request.wire.length], 0]);
    const server = serverStream(far, header, rest, means);
    await server.write(text("answer"));
    assertEquals(await waiting, true);
    assertEquals(words(stream.take()), "answer");
    await stream.write(text("question"));
    assertEquals(words(await readSome(server, 8)), "question");
    stream.close();
    server.close();
  }
});

Deno.test("what is written while the header is on its way alone comes behind it", async () => {
  const [near, far] = memoryPair(1);
  const stream = clientStream(near, clientRequest(someRequest()));
  await near.write(text("x"));
  // The way is full: the header is on it from here until somebody reads.
  assertEquals(await stream.readyBefore(performance.now() + 150), timedOut);
  const finishing = (async () => {
    await stream.write(text("hello"));
    await stream.closeWrite();
  })();
  assertEquals(words(await readSome(far, 1)), "x");
  const { header, rest } = await acceptHeader(far);
  const server = serverStream(far, header, rest, means);
  assertEquals(words(await readAll(server)), "hello");
  await finishing;
  stream.close();
  server.close();
});

Deno.test("an end takes the header along, and does not close the connection below", async () => {
  for (const about of CHUNKED) {
    const { stream, far, seen } = client(about);
    assertEquals(stream.halfCloses, true);
    await stream.closeWrite();
    await stream.closeWrite();
    assertEquals(seen, ["write"]);
    const { header, rest } = await acceptHeader(far);
    const server = serverStream(far, header, rest, means);
    assertEquals((await readAll(server)).length, 0);
    await server.write(text("still here"));
    await server.closeWrite();
    assertEquals(words(await readAll(stream)), "still here");
    stream.close();
    server.close();
  }
});

Deno.test("zero: bytes as they are behind the headers, and ends of the connection itself", async () => {
  const { stream, far, header, seen, request } = client(ZERO);
  await stream.closeWrite();
  assertEquals(seen, ["write", "closeWrite"]);
  assertEquals(await readAll(far), request.wire);
  const answer = sealResponse(responseKeys(header), header.check, crypto);
  await far.write(concat(answer, text("as it is")));
  await far.closeWrite();
  assertEquals(words(await readAll(stream)), "as it is");
  stream.close();
});

Deno.test("without a termination signal an end is only a flush", async () => {
  const { stream, far, seen } = client(CHUNKED[0], { terminates: false });
  assertEquals(stream.halfCloses, false);
  await stream.write(text("hello"));
  await stream.closeWrite();
  assertEquals(seen, ["write"]);
  const { header, rest } = await acceptHeader(far);
  const server = serverStream(far, header, rest, means);
  assertEquals(words(await readSome(server, 5)), "hello");
  assertEquals(await server.readyBefore(performance.now() + 20), timedOut);
  stream.close();
  assertEquals(await server.ready(), false);
  const other = client(CHUNKED[0], { terminates: false });
  await other.stream.closeWrite();
  assertEquals(other.lengths, [other.request.wire.length]);
  other.stream.close();
});

Deno.test("the answer's header goes with the first data, or with the end, and not before", async () => {
  for (const about of CHUNKED) {
    for (const data of ["", "answer"]) {
      const header = someRequest(about);
      const [near, far] = memoryPair();
      const stream = clientStream(near, clientRequest(header));
      const { stream: below, seen } = watched(far);
      const server = serverStream(below, header, new Uint8Array(), means);
      assertEquals(await server.readyBefore(performance.now() + 150), timedOut);
      await server.write(text(data));
      assertEquals(seen.length, data === "" ? 0 : 1);
      await server.closeWrite();
      // The chunk that ends the answer, and the end of the connection's direction, which sing-box waits for.
      const last = ["write", "closeWrite"];
      assertEquals(seen, data === "" ? last : ["write", ...last]);
      assertEquals(words(await readAll(stream)), data);
      stream.close();
      server.close();
    }
  }
});

Deno.test("writing nothing sends nothing, and ends nothing", async () => {
  for (const about of [...CHUNKED, ZERO]) {
    const { client, server } = await connected(someRequest(about));
    for (const [from, to] of [[client, server], [server, client]]) {
      await from.write(new Uint8Array());
      await from.write(new Uint8Array(), new Uint8Array());
      await from.write(text("a"));
      await from.write(new Uint8Array(), text("b"));
      await from.write(text("c"), new Uint8Array());
      assertEquals(words(await readSome(to, 3)), "abc");
    }
    client.close();
    server.close();
  }
});

Deno.test("a server that ends the connection without any answer has refused", async () => {
  for (
    const finish of [
      (far: ByteStream) => void far.closeWrite(),
      (far: ByteStream) => far.close(new Error("x")),
    ]
  ) {
    const { stream, far } = client();
    await stream.write(text("hello"));
    finish(far);
    for (let i = 0; i < 3; i++) {
      const error = await assertRejects(() => stream.ready(), MtrayError, "no answer at all") as MtrayError;
      assertEquals(error.code, "refused");
    }
    stream.close();
  }
  const { stream, far } = client();
  await far.closeWrite();
  await assertRejects(() => stream.readyBefore(later()), MtrayError, "no answer at all");
  stream.close();
});

Deno.test("when we end it ourselves nobody has refused", async () => {
  const { stream } = client();
  const waiting = codeOfReady(stream);
  stream.close(new Error("not wanted any more"));
  assertEquals(await waiting, "closed");
});

Deno.test("an end is an end where a chunk may end, and an error anywhere else", async () => {
  for (const about of CHUNKED) {
    const header = someRequest(about);
    const recorded: Uint8Array[] = [];
    const [near, far] = memoryPair();
    const server = serverStream(near, header, new Uint8Array(), means);
    await server.write(text("hello"));
    recorded.push(await readSome(far, 1));
    await server.write(text("world"));
    recorded.push(await readSome(far, 1));
    const wire = concat(...recorded);
    for (let cut = 1; cut <= wire.length; cut++) {
      const [below, peer] = memoryPair();
      const stream = clientStream(below, clientRequest(header));
      await peer.write(wire.slice(0, cut));
      await peer.closeWrite();
      const whole = cut === 38 || cut === recorded[0].length || cut === wire.length;
      assertEquals(await codeOfReady(stream), whole ? "end" : "closed", `${about.security} ${cut}`);
      stream.close();
    }
    server.close();
  }
});

Deno.test("an answer that was changed anywhere ends the connection, and nothing behind it is shown", async () => {
  const header = someRequest();
  const [near, far] = memoryPair();
  const server = serverStream(near, header, new Uint8Array(), means);
  await server.write(text("hello"));
  await server.write(text("world"));
  const wire = concat(await readSome(far, 1), await readSome(far, 1));
  // The header, and the first chunk but for its size and padding.
  const places = [...Array(38).keys(), ...Array.from({ length: 21 }, (_, i) => 40 + i)];
  for (const place of places) {
    const changed = wire.slice();
    changed[place] ^= 0x10;
    const [below, peer] = memoryPair();
    const stream = clientStream(below, clientRequest(header));
    await peer.write(changed);
    assertEquals(await codeOfReady(stream), "protocol", String(place));
    // And it stays so.
    assertEquals(await codeOfReady(stream), "protocol");
    stream.close();
    peer.close();
  }
  server.close();
});

Deno.test("an answer to another request is refused", async () => {
  const { stream, far, header } = client();
  await far.write(sealResponse(responseKeys(header), header.check ^ 1, crypto));
  assertEquals(await codeOfReady(stream), "protocol");
  stream.close();
});

Deno.test("bytes that came behind the header are the first to be taken, with room in front", async () => {
  for (const about of [...CHUNKED, ZERO]) {
    const { stream, far } = client(about);
    await stream.write(text("hello"));
    const { header, rest } = await acceptHeader(far);
    const server = serverStream(far, header, rest, means);
    assertEquals(await server.readyBefore(performance.now() + 1000), true);
    const bytes = server.take(64);
    assertEquals(words(bytes), "hello");
    new Uint8Array(bytes.buffer, bytes.byteOffset - 64, 64).fill(0xff);
    assertEquals(words(bytes), "hello");
    stream.close();
    server.close();
  }
});

Deno.test("much that came at once is taken in parts, each after a wait, also when the stream was closed in between", async () => {
  for (const closes of [false, true]) {
    for (const about of CHUNKED) {
      const header = someRequest(about), whole = pattern(700_000);
      const [near, far] = memoryPair(1 << 20);
      const server = serverStream(near, header, new Uint8Array(), means);
      await server.write(whole.slice());
      await server.closeWrite();
      const wire = await readAll(far);
      const [below, peer] = memoryPair(1 << 20);
      const stream = clientStream(below, clientRequest(header));
      // Cut inside a chunk: its text has to be put together with the others somewhere else.
      await peer.write(wire.slice(0, 1000));
      assertEquals(await stream.ready(), true);
      assertEquals(stream.take().length, 0);
      await peer.write(wire.slice(1000));
      const parts: Uint8Array[] = [];
      while (await (parts.length % 2 === 0 ? stream.ready() : stream.readyBefore(later()))) {
        const room = parts.length === 0 ? 0 : 64;
        const part = stream.take(room);
        if (room > 0) new Uint8Array(part.buffer, part.byteOffset - room, room).fill(0xff);
        parts.push(part.slice());
        // The taker may overwrite it: nothing of the rest may lie there.
        part.fill(0xee);
        if (closes && parts.length === 1) stream.close();
      }
      assert(parts.length > 1, String(parts.length));
      assertEquals(toHex(concat(...parts)) === toHex(whole), true);
      stream.close();
      server.close();
    }
  }
});

Deno.test("closing is done once, keeps what was received, and ends writing", async () => {
  for (const about of [...CHUNKED, ZERO]) {
    const header = someRequest(about);
    const [near, far] = memoryPair();
    const { stream: below, seen } = watched(near);
    const stream = clientStream(below, clientRequest(header));
    const server = serverStream(far, header, new Uint8Array(), means);
    await server.write(text("hello"));
    await server.closeWrite();
    stream.close();
    stream.close(new Error("again"));
    assertEquals(seen, ["close"]);
    assertEquals(words(await readAll(stream)), "hello");
    await assertRejects(async () => await stream.write(text("x")), MtrayError, "closed");
    await stream.closeWrite();
    server.close();
  }
});
