// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { complaints, configLike, load, warnings } from "./helpers.ts";

/** A config with two mtproto outbounds, one without a tag, and a rule for balancer "b". */
function text(balancers: unknown[], rule: Record<string, unknown> = { balancerTag: "b" }): string {
  return configLike({
    outbounds: [
      { tag: "tg-1", protocol: "mtproto" },
      { tag: "tg-2", protocol: "mtproto" },
      { protocol: "mtproto" },
      { tag: "other", protocol: "blackhole" },
    ],
    routing: { balancers, rules: [{ inboundTag: ["in"], ...rule }] },
  });
}

const balancer = (fields: Record<string, unknown> = {}) => ({ tag: "b", selector: ["tg"], ...fields });

Deno.test("a balancer has the outbounds whose tags begin like that, in their order, each once", () => {
  const members = (selector: unknown) =>
    load(text([balancer({ selector })])).config.routing.balancers[0].members;
  assertEquals(members(["tg-"]), ["tg-1", "tg-2"]);
  assertEquals(members("tg-2,tg"), ["tg-1", "tg-2"]);
  // An outbound that the config gives no tag has none, whatever messages call it.
  assertEquals(members(["o", "tg-1"]), ["tg-1", "other"]);
});

Deno.test("a balancer's strategy is random unless it says otherwise", () => {
  const strategy = (strategy: unknown) =>
    load(text([balancer({ strategy })])).config.routing.balancers[0].strategy;
  assertEquals(strategy(undefined), "random");
  assertEquals(strategy({}), "random");
  assertEquals(strategy({ type: "" }), "random");
  assertEquals(strategy({ type: "Random" }), "random");
  assertEquals(strategy({ Type: "roundrobin" }), "roundRobin");
  for (const type of ["leastPing", "leastLoad"]) {
    assertEquals(complaints(text([balancer({ strategy: { type } })])), [
      `routing.balancers[0].strategy.type: must be "random" or "roundRobin": ` +
      `this version does not probe outbounds; got "${type}"`,
    ]);
  }
});

Deno.test("a rule names an outbound or a balancer that is there", () => {
  assertEquals(load(text([balancer()])).config.routing.rules, [
    { inboundTag: ["in"], balancerTag: "b", path: "routing.rules[0]" },
  ]);
  assertEquals(complaints(text([balancer()], { balancerTag: "b", outboundTag: "tg-1" })), [
    "routing.rules[0].balancerTag: must not stand beside outboundTag: a rule names one of them",
  ]);
  assertEquals(complaints(text([balancer()], { balancerTag: "c" })), [
    "routing.rules[0].balancerTag: names a balancer that is not there; there is b",
  ]);
  assertEquals(complaints(text([balancer()], { balancerTag: "tg-1", outboundTag: "" })), [
    "routing.rules[0].balancerTag: names a balancer that is not there; there is b",
  ]);
});

Deno.test("a selector that matches nothing, no tag, the same tag again", () => {
  assertEquals(complaints(text([balancer({ selector: ["tg", "TG"] })])), [
    'routing.balancers[0].selector[1]: matches no outbound: no tag begins with "TG"; ' +
    "there is tg-1, tg-2, outbound 3, other",
  ]);
  assertEquals(complaints(text([balancer({ selector: "outbound" })])), [
    'routing.balancers[0].selector: matches no outbound: no tag begins with "outbound"; ' +
    "there is tg-1, tg-2, outbound 3, other",
  ]);
  assertEquals(complaints(text([balancer({ selector: [] })], { outboundTag: "tg-1" })), [
    "routing.balancers[0].selector: must have the beginning of an outbound's tag",
  ]);
  assertEquals(complaints(text([balancer({ tag: "" })], { outboundTag: "tg-1" })), [
    "routing.balancers[0].tag: is empty: rules name a balancer by it",
  ]);
  assertEquals(complaints(text([balancer(), balancer({ selector: ["tg-1"] })])), [
    "routing.balancers[1].tag: must be unique: routing.balancers[0] has it too",
  ]);
});

Deno.test("what depends on probes is taken, and said to have no effect", () => {
  const strategy = { type: "random", settings: { expected: 2 } };
  assertEquals(warnings(text([balancer({ fallbackTag: "tg-2", strategy })])), [
    "routing.balancers[0].fallbackTag: has no effect: nothing probes outbounds, so each member has its turn",
    "routing.balancers[0].strategy.settings: has no effect: nothing probes outbounds",
  ]);
  assertEquals(complaints(text([balancer({ fallbackTag: "gone" })])), [
    "routing.balancers[0].fallbackTag: names an outbound that is not there; there is tg-1, tg-2, outbound 3, other",
  ]);
});
