// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { compileRules } from "../../lib/routing/rules.ts";
import type { RuleConfig } from "../../lib/routing/types.ts";
import type { Session } from "../../lib/session.ts";
import { sessionLike } from "./session.ts";

/** Whether a rule with these fields takes a session. */
function takes(fields: Partial<RuleConfig>, session = sessionLike()): boolean {
  return compileRules([{ outboundTag: "out", path: "", ...fields }])(session) !== undefined;
}

Deno.test("inboundTag", () => {
  assertEquals(takes({ inboundTag: ["other", "in"] }), true);
  assertEquals(takes({ inboundTag: ["In"] }), false);
});

Deno.test("user", () => {
  const known = sessionLike({ user: { email: "a@b", level: 0 } });
  assertEquals(takes({ user: ["x", "a@b"] }, known), true);
  assertEquals(takes({ user: ["a@"] }, known), false);
  assertEquals(takes({ user: ["a@b"] }), false);
  assertEquals(takes({ user: [""] }, sessionLike({ user: { email: "", level: 0 } })), false);
});

Deno.test("network", () => {
  assertEquals(takes({ network: ["tcp"] }), true);
  assertEquals(takes({ network: ["udp"] }), false);
  assertEquals(takes({ network: ["udp", "tcp"] }, sessionLike({ network: "udp" })), true);
});

Deno.test("port and sourcePort", () => {
  const session = sessionLike();
  assertEquals(takes({ port: [{ from: 443, to: 443 }] }, session), true);
  assertEquals(takes({ port: [{ from: 1, to: 442 }, { from: 444, to: 65535 }] }, session), false);
  assertEquals(takes({ port: [{ from: 80, to: 80 }, { from: 400, to: 443 }] }, session), true);
  assertEquals(takes({ sourcePort: [{ from: 40000, to: 40001 }] }, session), true);
  assertEquals(takes({ sourcePort: [{ from: 443, to: 443 }] }, session), false);
});

Deno.test("ip looks at the target, source at the client", () => {
  const session = sessionLike();
  assertEquals(takes({ ip: ["149.154.160.0/20"] }, session), true);
  assertEquals(takes({ source: ["149.154.160.0/20"] }, session), false);
  assertEquals(takes({ ip: ["geoip:private"] }, session), false);
  assertEquals(takes({ source: ["geoip:private"] }, session), true);
});

Deno.test("ip does not match a domain target, domain not an address", () => {
  const named = sessionLike({ target: { host: "web.telegram.org", port: 443 } });
  assertEquals(takes({ ip: ["0.0.0.0/0", "::/0"] }, named), false);
  assertEquals(takes({ domain: ["domain:telegram.org"] }, named), true);
  assertEquals(takes({ domain: ["regexp:."] }), false);
});

Deno.test("domain looks at what was sniffed, too, and protocol at nothing else", () => {
  const tls = sessionLike({ sniffed: { protocol: "tls", domain: "web.telegram.org" } });
  assertEquals(takes({ domain: ["domain:telegram.org"] }, tls), true);
  assertEquals(takes({ domain: ["domain:example.org"] }, tls), false);
  assertEquals(takes({ domain: ["regexp:."] }, sessionLike({ sniffed: { protocol: "tls" } })), false);
  assertEquals(takes({ protocol: ["http", "tls"] }, tls), true);
  assertEquals(takes({ protocol: ["http"] }, tls), false);
  assertEquals(takes({ protocol: ["http"] }, sessionLike({ sniffed: { protocol: "http1" } })), true);
  assertEquals(takes({ protocol: ["http", "tls"] }), false);
});

Deno.test("all fields must match", () => {
  const fields = { inboundTag: ["in"], network: ["tcp" as const], port: [{ from: 443, to: 443 }] };
  assertEquals(takes(fields), true);
  assertEquals(takes({ ...fields, inboundTag: ["other"] }), false);
  assertEquals(takes({ ...fields, network: ["udp"] }), false);
  assertEquals(takes({ ...fields, port: [{ from: 80, to: 80 }] }), false);
});

Deno.test("the first rule that matches decides, and none is undefined", () => {
  const ruleFor = compileRules([
    { outboundTag: "first", path: "", port: [{ from: 80, to: 80 }] },
    { outboundTag: "second", path: "", network: ["tcp"] },
    { outboundTag: "third", path: "", network: ["tcp", "udp"] },
  ]);
  const tagOf = (session: Session) => ruleFor(session)?.outboundTag;
  assertEquals(tagOf(sessionLike()), "second");
  assertEquals(tagOf(sessionLike({ network: "udp" })), "third");
  assertEquals(tagOf(sessionLike({ network: "udp", target: { host: "192.0.2.1", port: 80 } })), "first");
  assertEquals(compileRules([])(sessionLike()), undefined);
});
