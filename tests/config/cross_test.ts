// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { complaints, configLike, EE, inboundLike, outboundLike } from "./helpers.ts";

const hop = (tag: string, next?: string) => ({
  tag,
  protocol: "freedom",
  ...(next && { proxySettings: { tag: next } }),
});

Deno.test("there is an inbound and an outbound", () => {
  const missing = "must have an entry: without one there is nothing to do";
  assertEquals(complaints("{}"), [`inbounds: ${missing}`, `outbounds: ${missing}`]);
  assertEquals(complaints(configLike({ outbounds: [] })), [`outbounds: ${missing}`]);
  assertEquals(complaints(configLike({ inbounds: [] })), [`inbounds: ${missing}`]);
});

Deno.test("tags are unique, each kind for itself", () => {
  const text = configLike({
    inbounds: [inboundLike(), inboundLike({ port: 2 }), inboundLike({ tag: "out", port: 3 })],
    outbounds: [outboundLike(), outboundLike({ tag: "in" }), outboundLike()],
  });
  assertEquals(complaints(text), [
    "inbounds[1].tag: must be unique: inbounds[0] has it too",
    "outbounds[2].tag: must be unique: outbounds[0] has it too",
  ]);
  const unnamed = configLike({
    inbounds: [{ ...inboundLike(), tag: "" }, { ...inboundLike(), tag: "", port: 2 }],
  });
  assertEquals(complaints(unnamed), []);
});

Deno.test("tags that are named are there", () => {
  const users = [{ secret: EE }];
  const text = configLike({
    inbounds: [inboundLike({ settings: { users, fallbacks: [{ outboundTag: "gone" }] } })],
    outbounds: [outboundLike({ proxySettings: { tag: "nowhere" } })],
    routing: { rules: [{ inboundTag: ["in", "im"], outboundTag: "Out" }] },
  });
  assertEquals(complaints(text), [
    "inbounds[0].settings.fallbacks[0].outboundTag: names an outbound that is not there; there is out",
    "outbounds[0].proxySettings.tag: names an outbound that is not there: out → nowhere; there is out",
    "routing.rules[0].inboundTag[1]: names an inbound that is not there; there is in",
    "routing.rules[0].outboundTag: names an outbound that is not there; there is out",
  ]);
});

Deno.test("the tag of an entry that has other faults counts as there", () => {
  const text = configLike({
    inbounds: [inboundLike({ port: "x" })],
    outbounds: [{ tag: "v", protocol: "vless" }, outboundLike({ proxySettings: { tag: "v" } })],
    routing: { rules: [{ inboundTag: "in", outboundTag: "v" }] },
  });
  assertEquals(complaints(text).map((each) => each.split(":")[0]), [
    "inbounds[0].port",
    "outbounds[0].protocol",
  ]);
});

Deno.test("a rule with a fault keeps no other rule from being checked", () => {
  const rules = [
    { port: "x", outboundTag: "out" },
    { protocol: ["quic"], outboundTag: "out" },
    null,
    { port: 1, outboundTag: "gone" },
  ];
  assertEquals(
    complaints(configLike({ routing: { domainStrategy: "UseIP", rules } })).map((each) => each.split(":")[0]),
    [
      "routing.domainStrategy",
      "routing.rules[0].port",
      "routing.rules[1].protocol[0]",
      "routing.rules[2]",
      "routing.rules[3].outboundTag",
    ],
  );
});

Deno.test("chains come to an end", () => {
  const circle = (...hops: unknown[]) => complaints(configLike({ outbounds: [outboundLike(), ...hops] }));
  assertEquals(circle(hop("a", "a")), ["outbounds[1].proxySettings.tag: goes round in a circle: a → a"]);
  assertEquals(circle(hop("a", "b"), hop("b", "c"), hop("c", "a")), [
    "outbounds[1].proxySettings.tag: goes round in a circle: a → b → c → a",
    "outbounds[2].proxySettings.tag: goes round in a circle: b → c → a → b",
    "outbounds[3].proxySettings.tag: goes round in a circle: c → a → b → c",
  ]);
  // One that only leads into a circle is not in it.
  assertEquals(circle(hop("a", "b"), hop("b", "b")), [
    "outbounds[2].proxySettings.tag: goes round in a circle: b → b",
  ]);
  assertEquals(circle(hop("a", "b"), hop("b", "c"), hop("c")), []);
});

Deno.test("an mtproto outbound carries no other outbound, and reaches no site", () => {
  const fallbacks = [{ outboundTag: "out" }];
  const text = configLike({
    inbounds: [inboundLike({ settings: { users: [{ secret: EE }], fallbacks } })],
    outbounds: [outboundLike(), hop("a", "out")],
  });
  assertEquals(complaints(text), [
    "inbounds[0].settings.fallbacks[0].outboundTag: must not name an mtproto outbound, which reaches data centres and no site",
    "outbounds[1].proxySettings.tag: must not name an mtproto outbound, which carries nothing but the sessions of MTProto clients",
  ]);
  assertEquals(
    complaints(configLike({
      inbounds: [inboundLike({ settings: { users: [{ secret: EE }], fallbacks: [{ outboundTag: "a" }] } })],
      outbounds: [outboundLike({ proxySettings: { tag: "a" } }), hop("a")],
    })),
    [],
  );
});

Deno.test("ports do not clash", () => {
  const clash = (a: Record<string, unknown>, b: Record<string, unknown>) =>
    complaints(configLike({ inbounds: [inboundLike({ tag: "a", ...a }), inboundLike({ tag: "b", ...b })] }));
  const taken = (port: number) => [`inbounds[1].port: must not be ${port}, where inbounds[0] listens`];
  assertEquals(clash({ port: 1 }, { port: 1 }), taken(1));
  assertEquals(clash({ port: "1-9" }, { port: [20, "7-8"] }), taken(7));
  assertEquals(clash({ port: 1, listen: "127.0.0.1" }, { port: 1 }), taken(1));
  assertEquals(clash({ port: 1 }, { port: 1, listen: "127.0.0.1" }), taken(1));
  assertEquals(clash({ port: 1, listen: "::" }, { port: 1, listen: "127.0.0.1" }), taken(1));
  assertEquals(clash({ port: 1, listen: "::" }, { port: 1, listen: "::1" }), taken(1));
  assertEquals(clash({ port: 1, listen: "::" }, { port: 1 }), taken(1));
  assertEquals(clash({ port: 1, listen: "127.0.0.1" }, { port: 1, listen: "localhost" }), taken(1));
  assertEquals(clash({ port: 1 }, { port: 2 }), []);
  assertEquals(clash({ port: 1, listen: "127.0.0.1" }, { port: 1, listen: "127.0.0.2" }), []);
  assertEquals(clash({ port: 1 }, { port: 1, listen: "::1" }), []);
  assertEquals(clash({ port: 1, listen: "127.0.0.1" }, { port: 1, listen: "::1" }), []);
  // Free ports are different ones.
  assertEquals(clash({ port: 0 }, { port: 0 }), []);
});

Deno.test("a port for TCP and the same for UDP do not clash", () => {
  const door = (tag: string, network: string) => ({
    tag,
    port: 53,
    protocol: "dokodemo-door",
    settings: { address: "192.0.2.1", port: 53, network },
  });
  const clash = (a: string, b: string) =>
    complaints(configLike({
      inbounds: [door("a", a), door("b", b)],
      outbounds: [{ tag: "out", protocol: "freedom" }],
    }));
  const taken = ["inbounds[1].port: must not be 53, where inbounds[0] listens"];
  assertEquals(clash("tcp", "udp"), []);
  assertEquals(clash("tcp", "tcp"), taken);
  assertEquals(clash("udp", "tcp,udp"), taken);
});
