// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { LayeredInbound } from "../../lib/proxy/layered.ts";
import type { Inbound } from "../../lib/proxy/types.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import type { Accepted, ByteStream } from "../../lib/stream/types.ts";
import type { InboundLayers } from "../../lib/transport/layers.ts";
import { inboundWorld, LOCAL, SOURCE } from "./fakes.ts";

const BEHIND = { host: "192.0.2.7", port: 7 };

/** An inbound that keeps what it is given, behind layers that read one byte: 1 lets in, 2 makes no sense. */
function setUp(given: Parameters<typeof inboundWorld>[0] = {}) {
  const world = inboundWorld(given);
  const inside: Accepted[] = [];
  const done = Promise.withResolvers<void>();
  const calls: string[] = [];
  const inner: Inbound = {
    tag: "in",
    protocol: "test",
    accept: (accepted) => {
      inside.push(accepted);
      return done.promise;
    },
    stop: () => calls.push("stop"),
    close: () => calls.push("close"),
  };
  const layers: InboundLayers = {
    async accept(accepted, signal) {
      const abort = () => accepted.stream.close();
      signal.addEventListener("abort", abort);
      try {
        if (!await accepted.stream.ready()) throw new MtrayError("closed", "gone");
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        signal.removeEventListener("abort", abort);
      }
      if (accepted.stream.take()[0] === 2) throw new MtrayError("protocol", "it sent a two");
      return { ...accepted, remote: BEHIND };
    },
  };
  const inbound = new LayeredInbound(inner, layers, world.context);
  const come = (): { client: ByteStream; over: Promise<void> } => {
    const [client, stream] = memoryPair();
    return { client, over: inbound.accept({ stream, remote: SOURCE, local: LOCAL }) };
  };
  const refusals = () =>
    world.seen.flatMap((event) => event.kind === "refused" ? [`${event.reason}: ${event.detail}`] : []);
  return { ...world, inbound, inside, calls, come, refusals, finish: done.resolve };
}

Deno.test("what the layers make of a connection is handed on, and is then somebody else's", async () => {
  const { come, inside, inbound, calls, finish } = setUp();
  const { client, over } = come();
  await client.write(Uint8Array.of(1));
  while (inside.length === 0) await Promise.resolve();
  assertEquals(inside[0].remote, BEHIND);
  // Whoever looks after it now is asked to stop; the connection is not torn down below it.
  inbound.stop();
  assertEquals(calls, ["stop"]);
  await client.write(Uint8Array.of(3));
  assertEquals(await inside[0].stream.ready(), true);
  finish();
  await over;
});

Deno.test("what makes no sense is refused in the log, and what leaves is not", async () => {
  const { come, refusals } = setUp();
  const nonsense = come();
  await nonsense.client.write(Uint8Array.of(2));
  await nonsense.over;
  assertEquals(await nonsense.client.ready(), false);
  assertEquals(refusals(), ["bad-header: it sent a two"]);
  const gone = come();
  gone.client.close();
  await gone.over;
  assertEquals(refusals().length, 1);
});

Deno.test("the layers have the time of a handshake", async () => {
  const policy = { handshake: 20, connIdle: 60_000, uplinkOnly: 60_000, downlinkOnly: 60_000 };
  const { come, refusals } = setUp({ policy: () => policy });
  const { client, over } = come();
  await over;
  assertEquals(await client.ready(), false);
  assertEquals(refusals(), ["handshake-timeout: no answer within 0.02 s"]);
});

Deno.test("a connection counts as undecided until it is handed on, and only so long", async () => {
  const { come, inside, refusals, finish } = setUp({ mostHandshakes: 2 });
  const decided: ReturnType<typeof come>[] = [];
  for (let i = 0; i < 3; i++) {
    decided.push(come());
    await decided[i].client.write(Uint8Array.of(1));
    while (inside.length <= i) await Promise.resolve();
  }
  assertEquals(refusals(), []);
  const waiting = [come(), come(), come()];
  await waiting[0].over;
  assertEquals(refusals(), ["handshake-limit: too many connections are undecided, and this is the oldest"]);
  for (const { client } of waiting) client.close();
  finish();
  await Promise.all([...decided, ...waiting].map(({ over }) => over));
});

Deno.test("stopping ends what is undecided", async () => {
  const { come, inbound, refusals } = setUp();
  const { client, over } = come();
  inbound.stop();
  await over;
  assertEquals(await client.ready(), false);
  assertEquals(refusals(), []);
});
