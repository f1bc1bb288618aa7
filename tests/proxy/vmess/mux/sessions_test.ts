// @ts-types="../../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Status } from "../../../../lib/proxy/vmess/mux/frame.ts";
import { MOST_KEPT } from "../../../../lib/proxy/vmess/mux/connection.ts";
import { MOST_UNREAD } from "../../../../lib/proxy/vmess/mux/stream_session.ts";
import { type MuxHandler, serveMux } from "../../../../lib/proxy/vmess/mux/server.ts";
import { concat, toHex } from "../../../../lib/stream/bytes.ts";
import { memoryPair } from "../../../../lib/stream/pair.ts";
import { type ByteStream, timedOut } from "../../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readAll, readSome } from "../../../contract/streams.ts";
import { Both, example, frame, Handler, outcome, RawPeer, until } from "./support.ts";

async function sha256(bytes: Uint8Array): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice())));
}

/** Sends back what comes. */
async function echo(stream: ByteStream): Promise<void> {
  while (await stream.ready()) await stream.write(stream.take());
  await stream.closeWrite();
}

Deno.test("a hundred sessions at once, each with its own bytes", async () => {
  const both = new Both({ stream: (_, stream) => echo(stream), packets: () => Promise.resolve() }, {
    client: { concurrency: 16 },
  });
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const sent = pattern(1 + i * i * 7919 % 300_000, i + 1);
    const stream = await both.connect({ host: `host${i}.example`, port: 1 + i });
    const send = (async () => {
      for (let at = 0, size = 1 + i; at < sent.length; at += size, size = size * 5 % 40_009 + 1) {
        await stream.write(sent.slice(at, at + size));
      }
      await stream.closeWrite();
    })();
    const got = await readSome(stream, sent.length);
    await send;
    stream.close();
    assertEquals(await sha256(got), await sha256(sent), `session ${i}`);
  }));
  assertEquals(both.carriers.length, 7);
  await both.end();
  assertEquals(await Promise.all(both.served), Array(7).fill("served"));
});

Deno.test("a reader that lags behind stops its carrier at 256 KiB, until it takes some", async () => {
  const [peer, carrier] = memoryPair(1);
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler));
  const raw = new RawPeer(peer);
  await raw.send(frame(1, "new", { to: example }), frame(2, "new", { to: example }));
  const slow = await handler.streams.next(), other = await handler.streams.next();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 100; sent++) await raw.send(frame(1, "keep", { data: pattern(8192, sent) }));
    await raw.send(frame(2, "keep", { data: Uint8Array.of(5) }), frame(1, "end"));
  })();
  await until(() => sent * 8192 >= MOST_UNREAD, "256 KiB were sent");
  assertEquals(await other.stream.readyBefore(performance.now() + 50), timedOut);
  // One write waits in the carrier, and one for it.
  assert(sent <= MOST_UNREAD / 8192 + 2, `${sent} frames were taken`);
  const before = sent;
  const got = await readSome(slow.stream, 100_000);
  await until(() => sent > before + 5, "it went on");
  const rest = await readAll(slow.stream);
  await sending;
  assertEquals(got.length + rest.length, 100 * 8192);
  assertEquals(rest.subarray(-8192), pattern(8192, 99));
  assertEquals(await readSome(other.stream, 1), Uint8Array.of(5));
  slow.done();
  other.done();
  peer.close();
  assertEquals(await served, "served");
});

Deno.test("a carrier that waits for a slow reader goes on when that session is closed", async () => {
  const handler = new Handler();
  const both = new Both(handler);
  const slow = await both.connect(), other = await both.connect();
  let sent = 0;
  const sending = codeOfRejection((async () => {
    for (;; sent++) await slow.write(new Uint8Array(8192));
  })());
  const { stream, done } = await handler.streams.next();
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const asking = other.write(Uint8Array.of(1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(handler.streams.size, 0);
  stream.close();
  const taken = await handler.streams.next();
  await asking;
  assertEquals(await readSome(taken.stream, 1), Uint8Array.of(1));
  assertEquals(await sending, "closed");
  done();
  taken.done();
  await both.end();
});

Deno.test("a session that sends much lets the others have their turn", async () => {
  const [carrier, peer] = memoryPair(1);
  const both = new Both(new Handler(), { client: { open: () => Promise.resolve(carrier) } });
  const raw = new RawPeer(peer);
  const greedy = await both.connect();
  const sending = codeOfRejection(greedy.write(new Uint8Array(4_000_000)));
  assertEquals(await raw.next(), "new 1 tcp example.com:443 8192 bytes");
  const modest = await both.connect();
  const asking = modest.write(Uint8Array.of(1));
  let frames = 0;
  while (await raw.next() !== "new 2 tcp example.com:443 1 bytes") frames++;
  // Three batches had been given to the carrier: one that was read, one in its queue, one that waits. One more round.
  assert(frames <= 12, `${frames} frames came first`);
  await asking;
  both.client.close();
  assertEquals(await sending, "stopped");
  peer.close();
});

Deno.test("no frame has more than 8 KiB of data, and pieces of a write share frames", async () => {
  const [carrier, peer] = memoryPair();
  const both = new Both(new Handler(), { client: { open: () => Promise.resolve(carrier) } });
  const raw = new RawPeer(peer);
  const stream = await both.connect();
  await stream.write(new Uint8Array(5), new Uint8Array(8192 + 10));
  const frames = [await raw.next(), await raw.next()];
  assertEquals(frames, ["new 1 tcp example.com:443 8192 bytes", "keep 1 15 bytes"]);
  both.client.close();
});

Deno.test("the carrier's end ends every session, and what was received stays readable", async () => {
  const [peer, carrier] = memoryPair();
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler));
  await new RawPeer(peer).send(
    frame(1, "new", { to: example, data: pattern(100) }),
    frame(2, "new", { to: example, udp: true, data: pattern(100) }),
    frame(3, "new", { to: example }),
    frame(3, "end"),
  );
  const one = await handler.streams.next(), flow = await handler.flows.next();
  const three = await handler.streams.next();
  peer.close();
  assertEquals(await readSome(one.stream, 100), pattern(100));
  assertEquals(await codeOfRejection(one.stream.ready()), "closed");
  assertEquals(await codeOfRejection(one.stream.write(Uint8Array.of(1))), "closed");
  assertEquals((await flow.stream.receive())?.data, pattern(100));
  assertEquals(await flow.stream.receive(), null);
  assertEquals(await three.stream.ready(), false);
  for (const session of [one, flow, three]) session.done();
  assertEquals(await served, "served");
});

Deno.test("an abort of the carrier aborts every session", async () => {
  const [peer, carrier] = memoryPair();
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler));
  await new RawPeer(peer).send(
    frame(1, "new", { to: example }),
    frame(2, "new", { to: example, udp: true }),
  );
  const one = await handler.streams.next(), flow = await handler.flows.next();
  const waiting = [codeOfRejection(one.stream.ready()), codeOfRejection(flow.stream.receive())];
  peer.close(new Error("gone"));
  assertEquals(await Promise.all(waiting), ["reset", "reset"]);
  one.done();
  flow.done();
  assertEquals(await served, "reset");
});

for (
  const [what, bytes] of [
    ["a description that is too long", Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00)],
    ["an unknown status", Uint8Array.of(0, 4, 0, 1, 9, 0)],
    ["a session that is opened twice", frame(1, "new", { to: example })],
  ] as const
) {
  Deno.test(`no frames: ${what} ends the carrier and its sessions`, async () => {
    const [peer, carrier] = memoryPair();
    const handler = new Handler();
    const served = outcome(serveMux(carrier, handler));
    await new RawPeer(peer).send(frame(1, "new", { to: example }), bytes);
    const { stream, done } = await handler.streams.next();
    assertEquals(await codeOfRejection(stream.ready()), "protocol");
    done();
    assertEquals(await served, "protocol");
    assertEquals(await codeOfRejection(peer.ready()), "reset");
  });
}

Deno.test("whatever comes, the carrier and its sessions come to an end", async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(3), fc.constantFrom<Status>("keep", "end", "keep-alive"), fc.boolean()).map(
        ([id, status, error]) => frame(id, status, { error, data: pattern(id * 1000) }),
      ),
      fc.tuple(fc.nat(3), fc.boolean()).map(([id, udp]) => frame(id, "new", { to: example, udp })),
    ),
    { maxLength: 20 },
  );
  const handler: MuxHandler = {
    stream: (_, stream) => echo(stream),
    packets: async (_, packets) => {
      for (let packet; (packet = await packets.receive()) !== null;) packets.send(packet.data, packet.from);
    },
  };
  await fc.assert(fc.asyncProperty(pieces, async (pieces) => {
    const [peer, carrier] = memoryPair(1 << 20);
    const served = outcome(serveMux(carrier, handler));
    await codeOfRejection(peer.write(concat(...pieces)));
    await peer.closeWrite();
    const ended = await served;
    assert(["served", "closed", "protocol"].includes(ended), ended);
    peer.close();
  }));
});

Deno.test("a carrier that ends inside a frame is broken", async () => {
  const [peer, carrier] = memoryPair();
  const served = outcome(serveMux(carrier, new Handler()));
  await peer.write(frame(1, "keep", { data: pattern(10) }).subarray(0, 12));
  peer.close();
  assertEquals(await served, "closed");
});

Deno.test("a handler that fails aborts its session alone", async () => {
  const handler = new Handler();
  const both = new Both(handler);
  const [a, b] = [await both.connect(), await both.connect()];
  await a.write(Uint8Array.of(1));
  await b.write(Uint8Array.of(2));
  const first = await handler.streams.next(), second = await handler.streams.next();
  first.done(new Error("no way"));
  assertEquals(await codeOfRejection(a.ready()), "reset");
  assertEquals(await readSome(second.stream, 1), Uint8Array.of(2));
  second.done();
  assertEquals(await b.ready(), false);
  await both.end();
});

Deno.test("a peer that opens sessions and takes no answers loses its carrier", async () => {
  const [peer, carrier] = memoryPair(1);
  const served = outcome(serveMux(carrier, new Handler(), { sessions: 0 }));
  const sending = (async () => {
    for (let id = 0; id < 65536; id++) await peer.write(frame(id, "new", { to: example }));
  })();
  assertEquals(await codeOfRejection(sending), "closed");
  assertEquals(await served, "protocol");
});

Deno.test("a peer that takes no answers is told once that it means no session", async () => {
  const [peer, carrier] = memoryPair(1);
  const served = outcome(serveMux(carrier, new Handler()));
  const raw = new RawPeer(peer);
  await raw.send(frame(7, "keep", { data: pattern(1) }));
  for (let i = 0; i < 10_000; i++) await raw.send(frame(8, "keep", { data: pattern(1) }));
  await raw.send(frame(9, "keep", { data: pattern(1) }));
  const answers = [await raw.next(), await raw.next(), await raw.next()];
  assertEquals(answers, ["end 7", "end 8", "end 9"]);
  peer.close();
  assertEquals(await served, "served");
});

Deno.test("a carrier without a session is closed after a while", async () => {
  const [peer, carrier] = memoryPair();
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler, { idle: 1 }));
  const raw = new RawPeer(peer);
  await raw.send(frame(1, "new", { to: example }));
  (await handler.streams.next()).done();
  assertEquals([await raw.next(), await raw.next()], ["end 1", "the carrier's end"]);
  assertEquals(await served, "served");
});

Deno.test("a server that stops ends a carrier with the last of its sessions, or at once", async () => {
  const stopping = new AbortController();
  const [peer, carrier] = memoryPair();
  const [idlePeer, idleCarrier] = memoryPair();
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler, { stopping: stopping.signal }));
  const idle = outcome(serveMux(idleCarrier, new Handler(), { stopping: stopping.signal }));
  await new RawPeer(peer).send(frame(1, "new", { to: example }));
  const session = await handler.streams.next();
  stopping.abort();
  assertEquals([await idle, await idlePeer.ready()], ["served", false]);
  await session.stream.write(pattern(10));
  session.done();
  assertEquals(await served, "served");
  assert((await readAll(peer)).length > 10);
});

Deno.test("many readers that lag a little stop their carrier at 4 MiB, until one takes some", async () => {
  const [peer, carrier] = memoryPair(1);
  const handler = new Handler();
  const served = outcome(serveMux(carrier, handler));
  const raw = new RawPeer(peer);
  const sessions = 64, each = MOST_KEPT / sessions / 8192;
  for (let id = 1; id <= sessions; id++) await raw.send(frame(id, "new", { to: example }));
  const first = await handler.streams.next();
  let sent = 0;
  const sending = (async () => {
    for (; sent < 2 * sessions * each; sent++) {
      await raw.send(frame(1 + sent % sessions, "keep", { data: pattern(8192, sent) }));
    }
  })();
  await until(() => sent * 8192 >= MOST_KEPT, "4 MiB were sent");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(sent <= sessions * each + 2, `${sent} frames were taken`);
  first.done();
  for (let id = 2; id <= sessions; id++) {
    const { stream, done } = await handler.streams.next();
    await readSome(stream, 8192);
    done();
  }
  await sending;
  peer.close();
  assertEquals(await served, "served");
});
