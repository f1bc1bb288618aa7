// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import type { Connected, Outbound } from "../../lib/proxy/types.ts";
import { createRouter } from "../../lib/routing/router.ts";
import type { RoutingConfig } from "../../lib/routing/types.ts";
import type { Session } from "../../lib/session.ts";
import type { ByteStream, PacketStream } from "../../lib/stream/types.ts";
import { sessionLike } from "./session.ts";

const STREAM = {} as ByteStream;
const PACKETS = {} as PacketStream;

/** An outbound that keeps what it was asked for. */
function outboundLike(tag: string, packets = false) {
  const asked: { session: Session; signal: AbortSignal }[] = [];
  const outbound: Outbound = {
    tag,
    protocol: "test",
    encrypts: true,
    connect(session, signal): Promise<Connected> {
      asked.push({ session, signal });
      return Promise.resolve({ stream: STREAM, adopted: false, via: [tag] });
    },
    ...(packets && { openPackets: () => Promise.resolve({ packets: PACKETS, via: [tag] }) }),
  };
  return { outbound, asked };
}

const config: RoutingConfig = {
  rules: [{ outboundTag: "b", network: ["udp"], path: "routing.rules[0]" }],
};

function routerOf() {
  const [a, b] = [outboundLike("a"), outboundLike("b", true)];
  const byTag = new Map([["a", a.outbound], ["b", b.outbound]]);
  return { a, b, router: createRouter(config, byTag, a.outbound) };
}

Deno.test("a router hands a session to the outbound of its rule, else to the default", async () => {
  const { a, b, router } = routerOf();
  const { signal } = new AbortController();
  const [tcp, udp] = [sessionLike(), sessionLike({ network: "udp" })];
  assertEquals((await router.connect(tcp, signal)).via, ["a"]);
  assertEquals((await router.connect(udp, signal)).via, ["b"]);
  assert(a.asked[0].session === tcp);
  assert(b.asked[0].session === udp);
  assert(b.asked[0].signal === signal);
  assert(router.pick(tcp) === a.outbound);
  assert(router.pick(udp) === b.outbound);
});

Deno.test("a router is an outbound that promises no encryption", () => {
  const { router } = routerOf();
  assertEquals([router.tag, router.encrypts], ["router", false]);
});

Deno.test("openPackets() needs an outbound that carries packets", async () => {
  const { router } = routerOf();
  const { signal } = new AbortController();
  const { packets, via } = await router.openPackets(sessionLike({ network: "udp" }), signal);
  assert(packets === PACKETS);
  assertEquals(via, ["b"]);
  const error =
    (await assertRejects(() => router.openPackets(sessionLike(), signal), MtrayError)) as MtrayError;
  assertEquals([error.code, error.message], [
    "unsupported",
    "cannot send datagrams: outbound a (test) carries streams only",
  ]);
});

Deno.test("a rule for an outbound that is not there makes no router", () => {
  const { outbound } = outboundLike("a");
  const error = (assertThrows(
    () => createRouter(config, new Map([["a", outbound]]), outbound),
    MtrayError,
  )) as MtrayError;
  assertEquals([error.code, error.message], [
    "config",
    "cannot route: routing.rules[0] names outbound b, which is not there",
  ]);
});
