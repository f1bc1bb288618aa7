// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { randomBytes } from "../../lib/crypto/random.ts";
import { MtrayError } from "../../lib/errors.ts";
import type { Connected, Outbound } from "../../lib/proxy/types.ts";
import { createRouter } from "../../lib/routing/router.ts";
import type { RoutingConfig } from "../../lib/routing/types.ts";
import type { Session } from "../../lib/session.ts";
import { packetPair } from "../../lib/stream/packet_pair.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import { sessionLike } from "./session.ts";

const STREAM = {} as ByteStream;
const random = randomBytes;

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
    ...(packets && { openPackets: () => Promise.resolve({ packets: packetPair()[0], via: [tag] }) }),
  };
  return { outbound, asked };
}

const config: RoutingConfig = {
  rules: [{ outboundTag: "b", network: ["udp"], path: "routing.rules[0]" }],
  balancers: [],
};

function routerOf() {
  const [a, b] = [outboundLike("a"), outboundLike("b", true)];
  const byTag = new Map([["a", a.outbound], ["b", b.outbound]]);
  return { a, b, router: createRouter(config, byTag, { fallback: a.outbound, random }) };
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
  packets.close();
  assertEquals(via, ["b"]);
  const error =
    (await assertRejects(() => router.openPackets(sessionLike(), signal), MtrayError)) as MtrayError;
  assertEquals([error.code, error.message], [
    "unsupported",
    "cannot send datagrams: outbound a (test) carries streams only",
  ]);
});

/** Which of three members 99 sessions took, as one letter each. */
function taken(strategy: "random" | "roundRobin", drawn = random): string {
  const tags = ["a", "b", "c"];
  const byTag = new Map(tags.map((tag) => [tag, outboundLike(tag).outbound]));
  const router = createRouter(
    {
      rules: [{ balancerTag: "three", network: ["tcp"], path: "" }, {
        balancerTag: "three",
        port: [{ from: 1, to: 9 }],
        path: "",
      }],
      balancers: [{ tag: "three", members: tags, strategy, path: "" }],
    },
    byTag,
    { fallback: byTag.get("a")!, random: drawn },
  );
  return Array.from({ length: 99 }, () => router.pick(sessionLike()).tag).join("");
}

Deno.test("a balancer's members take turns, or are drawn", () => {
  assertEquals(taken("roundRobin"), "abc".repeat(33));
  let next = 0;
  const drawn = (length: number) => new Uint8Array(length).fill(next++, length - 1);
  assertEquals(taken("random", drawn), "abc".repeat(33));
  for (const tag of "abc") assert(taken("random").includes(tag), `${tag} is never drawn`);
  assert(taken("random") !== taken("random"));
});

Deno.test("a draw is within the members, whatever the bytes", () => {
  for (const byte of [0, 1, 127, 128, 255]) {
    assertEquals(new Set(taken("random", (length) => new Uint8Array(length).fill(byte))).size, 1);
  }
});

Deno.test("what is named and not there makes no router", () => {
  const { outbound } = outboundLike("a");
  const outbounds = new Map([["a", outbound]]);
  const why = (config: RoutingConfig) => {
    const error = (assertThrows(
      () => createRouter(config, outbounds, { fallback: outbound, random }),
      MtrayError,
    )) as MtrayError;
    assertEquals(error.code, "config");
    return error.message;
  };
  assertEquals(why(config), "cannot route: routing.rules[0] names outbound b, which is not there");
  assertEquals(
    why({ rules: [{ balancerTag: "x", path: "routing.rules[0]" }], balancers: [] }),
    "cannot route: routing.rules[0] names balancer x, which is not there",
  );
  assertEquals(
    why({
      rules: [],
      balancers: [{ tag: "x", members: ["b"], strategy: "random", path: "routing.balancers[0]" }],
    }),
    "cannot route: routing.balancers[0] names outbound b, which is not there",
  );
});
