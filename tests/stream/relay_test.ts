import { assertEquals } from "@std/assert";
import { discard, Relay } from "../../lib/stream/relay.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { codeOfRejection, pattern, readAll } from "../contract/streams.ts";

const patient = { connIdle: 60_000, uplinkOnly: 60_000, downlinkOnly: 60_000 };

function setUp(limits = patient) {
  const [client, near] = memoryPair();
  const [far, server] = memoryPair();
  const counts = { bytesUp: 0, bytesDown: 0 };
  const relay = new Relay(near, far);
  return { client, server, counts, relay, running: relay.run(limits, counts) };
}

Deno.test("bytes and ends pass both ways, and are counted", async () => {
  const { client, server, counts, running } = setUp();
  const up = pattern(300_000), down = pattern(200_000, 2);
  const send = async (stream: typeof client, bytes: Uint8Array) => {
    await stream.write(bytes.slice());
    await stream.closeWrite();
  };
  const [gotUp, gotDown] = await Promise.all([
    readAll(server),
    readAll(client),
    send(client, up),
    send(server, down),
  ]);
  assertEquals(gotUp, up);
  assertEquals(gotDown, down);
  assertEquals(await running, "finished");
  assertEquals(counts, { bytesUp: 300_000, bytesDown: 200_000 });
});

Deno.test("an answer that comes after the client's end arrives whole", async () => {
  const { client, server, running } = setUp();
  await client.closeWrite();
  assertEquals(await server.ready(), false);
  const send = (async () => {
    await server.write(pattern(500_000));
    await server.closeWrite();
  })();
  assertEquals(await readAll(client), pattern(500_000));
  await send;
  assertEquals(await running, "finished");
});

Deno.test("an abort on one side is an abort on the other", async () => {
  for (const first of ["client", "server"] as const) {
    const { client, server, running } = setUp();
    const [ends, sees] = first === "client" ? [client, server] : [server, client];
    const waiting = codeOfRejection(sees.ready());
    ends.close(new Error("aborted"));
    assertEquals(await waiting, "reset");
    assertEquals(await running, "reset by a peer");
  }
});

Deno.test("a connection without bytes ends, as an end and not as an abort", async () => {
  const { client, server, running } = setUp({ connIdle: 1, uplinkOnly: 60_000, downlinkOnly: 60_000 });
  assertEquals(await Promise.all([client.ready(), server.ready()]), [false, false]);
  assertEquals(await running, "idle");
});

Deno.test("after an end the other direction has a limit of its own", async () => {
  const { client, server, running } = setUp({ connIdle: 60_000, uplinkOnly: 60_000, downlinkOnly: 1 });
  await client.closeWrite();
  assertEquals(await server.ready(), false);
  assertEquals(await client.ready(), false);
  assertEquals(await running, "idle");

  const other = setUp({ connIdle: 60_000, uplinkOnly: 1, downlinkOnly: 60_000 });
  await other.server.closeWrite();
  assertEquals(await other.client.ready(), false);
  assertEquals(await other.server.ready(), false);
  assertEquals(await other.running, "idle");
});

Deno.test("an answer arrives that came before its sender would take no more", async () => {
  const { client, server, running } = setUp();
  const piece = pattern(60_000);
  await client.write(new Uint8Array(10));
  assertEquals(await server.ready(), true);
  // More than the way to the client holds, so that some of it waits in the relay.
  for (let i = 0; i < 3; i++) await server.write(piece.slice());
  server.close();
  // Sending to the one who left fails, before the client has read anything.
  await client.write(new Uint8Array(10));
  await new Promise((resolve) => setTimeout(resolve, 20));
  let got = 0;
  try {
    while (await client.ready()) {
      for (const byte of client.take()) assertEquals(byte, piece[got++ % piece.length]);
    }
  } catch { /* In the end it is an abort. */ }
  assertEquals(got, 3 * piece.length);
  assertEquals(await running, "the stream was closed");
});

Deno.test("the time after an end is counted from that end, however long nothing was said before", async () => {
  const { client, server, running } = setUp({ connIdle: 60_000, uplinkOnly: 1_000, downlinkOnly: 1_000 });
  await new Promise((resolve) => setTimeout(resolve, 2_600));
  await client.closeWrite();
  assertEquals(await server.ready(), false);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await server.write(pattern(10));
  await server.closeWrite();
  assertEquals(await readAll(client), pattern(10));
  assertEquals(await running, "finished");
});

Deno.test("stop lets a write finish that is under way, and ends the rest at once", async () => {
  const idle = setUp();
  idle.relay.stop();
  assertEquals(await idle.running, "mtray is stopping");
  assertEquals(await idle.client.ready(), false);

  const { client, server, relay, running } = setUp();
  // More than both pairs hold: the last piece is stuck in the relay's write.
  const piece = 64 << 10;
  let sent = 0;
  const send = (async () => {
    for (let i = 0; i < 8; i++, sent++) await client.write(new Uint8Array(piece).fill(i + 1));
  })().catch(() => {});
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  relay.stop();
  const got = await readAll(server);
  await send;
  assertEquals(await running, "mtray is stopping");
  // What the relay had taken is there, in whole pieces.
  assertEquals(got.length % piece, 0);
  assertEquals(got.length >= piece, true);
});

Deno.test("what is discarded is read up to a bound, and no answer comes", async () => {
  const [client, near] = memoryPair(1000);
  const done = discard(near, performance.now() + 500, 10_000);
  let sent = 0;
  const send = (async () => {
    for (;; sent += 500) await client.write(new Uint8Array(500));
  })().catch(() => {});
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(sent >= 10_000 && sent <= 13_000, true);
  await done;
  near.close();
  await send;
  const [gone, other] = memoryPair();
  gone.close();
  await discard(other, performance.now() + 60_000, 10_000);
});

Deno.test("a client that cannot be told of an end sees everything end soon after it", async () => {
  const [client, near] = memoryPair();
  const [far, server] = memoryPair();
  // As behind a WebSocket.
  Object.defineProperty(near, "halfCloses", { value: false });
  near.closeWrite = () => {};
  const running = new Relay(near, far).run(patient, { bytesUp: 0, bytesDown: 0 });
  await server.write(pattern(1000));
  await server.closeWrite();
  assertEquals(await readAll(client), pattern(1000));
  assertEquals(await running, "idle");
});
