/** What V2Ray, Xray and sing do on the wire, played frame by frame against both of our ends. */
// @ts-types="../../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MuxClient, type MuxOptions } from "../../../../lib/proxy/vmess/mux/client.ts";
import { serveMux, type ServeOptions } from "../../../../lib/proxy/vmess/mux/server.ts";
import { memoryPair } from "../../../../lib/stream/pair.ts";
import { type ByteStream, timedOut } from "../../../../lib/stream/types.ts";
import { codeOfRejection, pattern, readAll, readSome } from "../../../contract/streams.ts";
import { example, frame, Handler, never, outcome, RawPeer, type Taken } from "./support.ts";

const hello = pattern(5);

interface AtServer {
  raw: RawPeer;
  handler: Handler;
  /** A session that the raw client has opened, with id 1. */
  session: Taken<ByteStream>;
}

/** A client played by the test, our server. */
function atServer(name: string, body: (at: AtServer) => Promise<void>, options?: ServeOptions): void {
  Deno.test(`to a client: ${name}`, async () => {
    const [peer, carrier] = memoryPair();
    const handler = new Handler();
    const served = outcome(serveMux(carrier, handler, options));
    const raw = new RawPeer(peer);
    await raw.send(frame(1, "new", { to: example }));
    const session = await handler.streams.next();
    await body({ raw, handler, session });
    session.done();
    peer.close();
    assertEquals(await served, "served");
  });
}

/** A server played by the test, our client, and a session that it opened with one byte. */
function atClient(
  name: string,
  body: (raw: RawPeer, stream: ByteStream, client: MuxClient) => Promise<void>,
  options: Partial<MuxOptions> = {},
): void {
  Deno.test(`to a server: ${name}`, async () => {
    const [carrier, peer] = memoryPair();
    const client = new MuxClient({ open: () => Promise.resolve(carrier), ...options });
    const raw = new RawPeer(peer);
    const stream = await client.connect(example, never);
    await stream.write(Uint8Array.of(1));
    assertEquals(await raw.next(), "new 1 tcp example.com:443 1 bytes");
    await body(raw, stream, client);
    client.close();
    assertEquals(await raw.next(), "the carrier's end");
  });
}

atServer("an end leaves the answer alone", async ({ raw, session: { stream } }) => {
  await raw.send(frame(1, "keep", { data: hello }), frame(1, "end"));
  assertEquals(await readAll(stream), hello);
  await stream.write(pattern(10));
  await stream.closeWrite();
  assertEquals([await raw.next(), await raw.next()], ["keep 1 10 bytes", "end 1"]);
});

atServer("one that has forgotten the session says so by a second end", async ({ raw, session }) => {
  await raw.send(frame(1, "end"));
  assertEquals(await session.stream.ready(), false);
  await session.stream.write(hello);
  assertEquals(await raw.next(), "keep 1 5 bytes");
  await raw.send(frame(1, "end"), frame(9, "keep", { data: hello }));
  assertEquals(await raw.next(), "end 9");
  assertEquals(await session.stream.ready(), false);
  assertEquals(await codeOfRejection(session.stream.write(hello)), "closed");
});

atServer("Xray answers an end with an error, and it is none", async ({ raw, session: { stream } }) => {
  await stream.closeWrite();
  assertEquals(await raw.next(), "end 1");
  await raw.send(frame(1, "keep", { data: hello }), frame(1, "end", { error: true }));
  assertEquals(await readAll(stream), hello);
});

atServer("an error that comes first is an abort", async ({ raw, session: { stream } }) => {
  await raw.send(frame(1, "keep", { data: hello }), frame(1, "end", { error: true }));
  assertEquals(await readSome(stream, 5), hello);
  assertEquals(await codeOfRejection(stream.ready()), "reset");
  assertEquals(await codeOfRejection(stream.write(hello)), "reset");
});

atServer("an unknown session is ended and its data thrown away", async ({ raw, session: { stream } }) => {
  await raw.send(
    frame(77, "keep", { data: pattern(9000) }),
    frame(78, "keep"),
    frame(79, "end", { data: hello }),
    frame(1, "keep", { data: hello }),
  );
  assertEquals(await raw.next(), "end 77");
  assertEquals(await readSome(stream, 5), hello);
  await stream.write(Uint8Array.of(1));
  assertEquals(await raw.next(), "keep 1 1 bytes");
});

atServer("what comes for a session that we closed is answered once", async ({ raw, session }) => {
  session.stream.close();
  assertEquals(await raw.next(), "end 1");
  await raw.send(frame(1, "keep", { data: hello }), frame(1, "keep", { data: hello }));
  assertEquals(await raw.next(), "end 1");
});

atServer("a session too many is refused, and the others go on", async ({ raw, handler, session }) => {
  await raw.send(
    frame(2, "new", { to: example, data: hello }),
    frame(3, "new", { to: example, udp: true, data: hello }),
    frame(1, "keep", { data: hello }),
  );
  const second = await handler.streams.next();
  assertEquals(await raw.next(), "end! 3");
  assertEquals(await readSome(session.stream, 5), hello);
  second.done();
  assertEquals(await raw.next(), "end 2");
  await raw.send(frame(4, "new", { to: example, udp: true, data: hello }));
  const flow = await handler.flows.next();
  assertEquals((await flow.stream.receive())?.data, hello);
  flow.done();
}, { sessions: 2 });

atServer("keep-alives are thrown away, with their data", async ({ raw, session: { stream } }) => {
  await raw.send(
    frame(1, "keep-alive", { data: pattern(700) }),
    frame(0, "keep-alive"),
    frame(1, "keep"),
    frame(1, "keep", { data: hello }),
  );
  assertEquals(await readSome(stream, 5), hello);
});

atServer("data on an end is not lost", async ({ raw, session: { stream } }) => {
  await raw.send(frame(1, "end", { data: hello }));
  assertEquals(await readAll(stream), hello);
});

atServer("a close after both have ended sends nothing", async ({ raw, session: { stream } }) => {
  await raw.send(frame(1, "end"));
  assertEquals(await stream.ready(), false);
  await stream.closeWrite();
  stream.close();
  assertEquals(await raw.next(), "end 1");
  await raw.send(frame(9, "keep", { data: hello }));
  assertEquals(await raw.next(), "end 9");
});

atClient("nothing says that the client has finished, until the server has", async (raw, stream) => {
  assertEquals(stream.halfCloses, false);
  await stream.closeWrite();
  await raw.send(frame(1, "keep", { data: hello }));
  assertEquals(await readSome(stream, 5), hello);
  assertEquals(await raw.stream.readyBefore(performance.now() + 20), timedOut);
  await raw.send(frame(1, "end"));
  assertEquals(await stream.ready(), false);
  assertEquals(await raw.next(), "end 1");
});

atClient("the server's end leaves the question alone", async (raw, stream) => {
  await raw.send(frame(1, "end"));
  assertEquals(await stream.ready(), false);
  await stream.write(hello);
  assertEquals(await raw.next(), "keep 1 5 bytes");
  // V2Ray, Xray and sing have forgotten the session by then.
  await raw.send(frame(1, "end"), frame(5, "keep", { data: hello }));
  assertEquals(await raw.next(), "end 5");
  assertEquals(await codeOfRejection(stream.write(hello)), "closed");
});

atClient("a close is an end, an abort an end with an error", async (raw, stream, client) => {
  stream.close();
  assertEquals(await raw.next(), "end 1");
  const second = await client.connect(example, never);
  await second.write(hello);
  assertEquals(await raw.next(), "new 2 tcp example.com:443 5 bytes");
  second.close(new Error("a reason"));
  assertEquals(await raw.next(), "end! 2");
});

atClient("a server opens no sessions", async (raw, stream) => {
  await raw.send(frame(8, "new", { to: example, data: hello }), frame(1, "keep", { data: hello }));
  assertEquals(await readSome(stream, 5), hello);
});

Deno.test("to a server: what are no frames ends the session, which is told why", async () => {
  const [carrier, peer] = memoryPair();
  const client = new MuxClient({ open: () => Promise.resolve(carrier) });
  const stream = await client.connect(example, never);
  await peer.write(Uint8Array.of(0, 1));
  let error: unknown;
  await stream.ready().catch((thrown) => error = thrown);
  assertEquals(
    String(error),
    "MtrayError: cannot go on with a multiplexed connection: " +
      "cannot read a mux frame: it describes itself in 1 bytes",
  );
  assertEquals(await codeOfRejection(peer.ready()), "reset");
});

Deno.test("to a server: what it said before it took no more is still read", async () => {
  const [carrier, peer] = memoryPair();
  const client = new MuxClient({ open: () => Promise.resolve(carrier) });
  const raw = new RawPeer(peer);
  const [one, two] = [await client.connect(example, never), await client.connect(example, never)];
  await one.write(hello);
  await raw.next();
  await raw.send(frame(1, "keep", { data: pattern(50_000) }), frame(1, "end"));
  peer.close();
  assertEquals(await codeOfRejection(one.write(pattern(10))), "closed");
  assertEquals(await codeOfRejection(two.ready()), "closed");
  assertEquals(await readAll(one), pattern(50_000));
});
