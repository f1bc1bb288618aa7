// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { Report } from "../../lib/config/complaint.ts";
import type { Parts } from "../../lib/config/cross.ts";
import { checkReach } from "../../lib/config/reach.ts";
import { parseText } from "../../lib/config/text.ts";
import type { RuleConfig } from "../../lib/routing/types.ts";
import { CLASSIC, complaints, configLike, inboundLike } from "./helpers.ts";
import { plainInbound, plainOutbound } from "./plain.ts";

const TG = { tag: "tg", protocol: "mtproto" };
const DIRECT = { tag: "direct", protocol: "freedom" };
const BLOCK = { tag: "block", protocol: "blackhole" };

/** The inbound of a user or two. */
function inbound(...emails: string[]) {
  const users = emails.map((email, i) => ({ secret: CLASSIC.slice(1) + i, email }));
  return inboundLike({ settings: { users } });
}

/** Paths of the complaints about these rules; freedom is "direct", and the default unless said otherwise. */
function broken(
  rules: Record<string, unknown>[],
  { outbounds = [DIRECT, TG, BLOCK], inbounds = [inbound("a@b")] } = {},
) {
  return complaints(configLike({ inbounds, outbounds, routing: { rules } })).map((text) =>
    text.split(":")[0]
  );
}

const DEFAULT = ["outbounds[0].protocol"];
const all = { network: "tcp,udp" };

Deno.test("the complaint names the inbound, the rule or default, and the remedy", () => {
  const text = (rules: unknown[]) => configLike({ outbounds: [DIRECT, TG], routing: { rules } });
  assertEquals(complaints(text([{ inboundTag: ["in"], outboundTag: "direct" }])), [
    'routing.rules[0].outboundTag: sessions of inbound "in" (mtproto) would end in outbound "direct" (freedom), ' +
    "a broken stream: name an mtproto or blackhole outbound, or list other inbounds in the rule's inboundTag",
  ]);
  assertEquals(complaints(text([])), [
    'outbounds[0].protocol: sessions of inbound "in" (mtproto) would end in outbound "direct" (freedom), ' +
    "a broken stream, as the first outbound takes what no rule takes: put an mtproto or blackhole outbound first, " +
    'or add a rule {"inboundTag": ["in"], "outboundTag": …} that names one',
  ]);
});

Deno.test("the default must fit where it can be reached", () => {
  assertEquals(broken([]), DEFAULT);
  assertEquals(broken([], { outbounds: [TG, DIRECT] }), []);
  assertEquals(broken([], { outbounds: [BLOCK, DIRECT] }), []);
});

Deno.test("a rule that takes everything of the inbound hides what comes after it", () => {
  for (
    const rule of [
      { inboundTag: ["in"] },
      { network: "tcp" },
      { inboundTag: ["in", "in"], network: ["udp", "tcp"] },
      { port: "1-65535" },
      { port: 443 },
      { user: ["a@b"] },
      { ip: ["0.0.0.0/0"] },
      { ip: ["149.154.160.0/20", "91.105.192.0/23"] },
    ]
  ) {
    assertEquals(
      broken([{ ...rule, outboundTag: "tg" }, { ...all, outboundTag: "direct" }]),
      [],
      JSON.stringify(rule),
    );
    assertEquals(broken([{ ...rule, outboundTag: "block" }]), []);
  }
});

Deno.test("a rule that takes a part leaves the rest", () => {
  for (
    const rule of [
      { source: ["0.0.0.0/0"] },
      { sourcePort: "1-65535" },
      { ip: ["149.154.160.0/20"] },
      { inboundTag: ["in"], source: ["geoip:private"] },
    ]
  ) {
    assertEquals(broken([{ ...rule, outboundTag: "tg" }]), DEFAULT, JSON.stringify(rule));
    assertEquals(broken([{ ...rule, outboundTag: "tg" }, { ...all, outboundTag: "tg" }]), []);
    assertEquals(broken([{ ...rule, outboundTag: "direct" }, { ...all, outboundTag: "tg" }]), [
      "routing.rules[0].outboundTag",
    ]);
  }
});

Deno.test("a rule that cannot take a session of the inbound may lead anywhere", () => {
  for (
    const rule of [
      { network: "udp" },
      { port: "80,8080" },
      { port: "1-442,444-65535" },
      { ip: ["geoip:private"] },
      { ip: ["::/0"] },
      { domain: ["regexp:.*", "telegram"] },
      { user: ["c@d"] },
      { inboundTag: ["in"], port: 80 },
    ]
  ) {
    const rules = [{ ...rule, outboundTag: "direct" }, { ...all, outboundTag: "tg" }];
    assertEquals(broken(rules), [], JSON.stringify(rule));
  }
});

Deno.test("each user is followed", () => {
  const inbounds = [inbound("a@b", "c@d", "")];
  const rules = [{ user: ["a@b"], outboundTag: "tg" }, { user: ["c@d"], outboundTag: "block" }];
  // The one without a name reaches the default.
  assertEquals(broken(rules, { inbounds }), DEFAULT);
  assertEquals(broken([...rules, { ...all, outboundTag: "tg" }], { inbounds }), []);
  assertEquals(broken(rules, { inbounds: [inbound("a@b", "c@d")] }), []);
  assertEquals(
    broken([{ user: ["c@d"], outboundTag: "direct" }, { ...all, outboundTag: "tg" }], { inbounds }),
    [
      "routing.rules[0].outboundTag",
    ],
  );
});

Deno.test("parts that together are everything are everything", () => {
  const half = [{ ip: ["149.154.160.0/21"], outboundTag: "tg" }];
  assertEquals(broken([...half, { ip: ["149.154.168.0/21", "91.105.192.100"], outboundTag: "block" }]), []);
  assertEquals(broken([...half, { ip: ["149.154.168.0/21"], outboundTag: "block" }]), DEFAULT);
});

Deno.test("every member of a balancer is followed, and its fallback", () => {
  const reached = (selector: string[], fallbackTag?: string) => {
    const balancers = [{ tag: "b", selector, ...(fallbackTag && { fallbackTag }) }];
    const routing = { balancers, rules: [{ inboundTag: ["in"], balancerTag: "b" }] };
    const outbounds = [DIRECT, TG, { ...TG, tag: "tg2" }, { ...DIRECT, tag: "tgx" }, BLOCK];
    return complaints(configLike({ inbounds: [inbound("a@b")], outbounds, routing })).map((text) =>
      text.replace(/, a broken stream.*/, "")
    );
  };
  const leads = (tag: string) =>
    `routing.rules[0].balancerTag: sessions of inbound "in" (mtproto) would end in outbound "${tag}" (freedom)`;
  assertEquals(reached(["tg2", "block"]), []);
  assertEquals(reached(["tg"]), [leads("tgx")]);
  assertEquals(reached(["d", "tgx"]), [leads("direct"), leads("tgx")]);
  assertEquals(reached(["tg2"], "direct"), [leads("direct")]);
  assertEquals(reached(["tg2"], "block"), []);
});

Deno.test("nothing is sniffed from MTProto: rules that look at it take none of its sessions", () => {
  for (const rule of [{ protocol: "tls" }, { protocol: ["http"], inboundTag: ["in"] }]) {
    assertEquals(broken([{ ...rule, outboundTag: "direct" }, { ...all, outboundTag: "tg" }]), []);
    assertEquals(broken([{ ...rule, outboundTag: "tg" }]), DEFAULT);
  }
});

Deno.test("each inbound is proved for itself", () => {
  const inbounds = [inboundLike({ tag: "one", port: 1 }), inboundLike({ tag: "two", port: 2 })];
  const rules = [{ inboundTag: ["one"], outboundTag: "tg" }];
  assertEquals(broken(rules, { inbounds }), DEFAULT);
  assertEquals(broken([...rules, { inboundTag: ["two"], outboundTag: "direct" }], { inbounds }), [
    "routing.rules[1].outboundTag",
  ]);
  assertEquals(broken([{ inboundTag: ["one", "two"], outboundTag: "tg" }], { inbounds }), []);
  assertEquals(broken([{ ...all, outboundTag: "direct" }], { inbounds }), [
    "routing.rules[0].outboundTag",
    "routing.rules[0].outboundTag",
  ]);
});

/** What a proof says about parts that no config of this version can have. */
function provedWith(inboundProtocol: string, protocols: string[], rules: Partial<RuleConfig>[]): string[] {
  const report = new Report();
  const { source } = parseText("f", "{}", report)!;
  const place = (...path: (string | number)[]) => ({ source, path });
  const parts: Parts = {
    inbounds: [{
      tag: "in",
      named: true,
      place: place("inbounds", 0),
      config: {
        tag: "in",
        protocol: inboundProtocol,
        listen: "::",
        ports: [1],
        settings: {},
        ...plainInbound,
        path: "",
      },
    }],
    outbounds: protocols.map((protocol, i) => ({
      tag: protocol,
      named: true,
      place: place("outbounds", i),
      config: { tag: protocol, protocol, settings: {}, ...plainOutbound, path: "" },
    })),
    rules: rules.map((rule, i) => ({
      place: place("routing", "rules", i),
      rule: { ...(rule.balancerTag === undefined && { outboundTag: "mtproto" }), path: "", ...rule },
    })),
    balancers: [{
      tag: "all",
      selector: [""],
      strategy: "random",
      fallbackTag: "",
      place: place("routing", "balancers", 0),
    }],
  };
  checkReach(parts, report);
  return report.errors().map(({ path, text }) => `${path}: ${text}`);
}

Deno.test("an mtproto outbound takes no sessions of other inbounds", () => {
  const said = 'sessions of inbound "in" (socks) would end in outbound "mtproto" (mtproto), a broken stream';
  assertEquals(provedWith("socks", ["freedom", "mtproto"], [{ domain: ["telegram"] }]), [
    `routing.rules[0].outboundTag: ${said}: name an outbound other than mtproto, ` +
    "or list other inbounds in the rule's inboundTag",
  ]);
  assertEquals(provedWith("socks", ["mtproto"], []), [
    `outbounds[0].protocol: ${said}, as the first outbound takes what no rule takes: ` +
    'put an outbound other than mtproto first, or add a rule {"inboundTag": ["in"], "outboundTag": …} that names one',
  ]);
  assertEquals(
    provedWith("socks", ["mtproto", "freedom"], [{ inboundTag: ["in"], outboundTag: "freedom" }]),
    [],
  );
  assertEquals(provedWith("socks", ["freedom", "mtproto"], [{ inboundTag: ["other"] }]), []);
  // Nobody knows what is sniffed from such an inbound: a rule that looks at it may take a session, or not.
  for (const rule of [{ protocol: ["tls" as const] }, { domain: ["full:example.org"] }]) {
    assertEquals(provedWith("socks", ["freedom", "mtproto"], [rule]).length, 1);
    assertEquals(
      provedWith("socks", ["mtproto", "freedom"], [{ ...rule, outboundTag: "freedom" }]).length,
      1,
    );
  }
  assertEquals(provedWith("socks", ["freedom", "mtproto"], [{ balancerTag: "all", port: [] }]), [
    `routing.rules[0].balancerTag: ${said} by way of balancer "all": name an outbound other than mtproto, ` +
    "or list other inbounds in the rule's inboundTag",
  ]);
  assertEquals(provedWith("socks", ["freedom", "blackhole"], [{ balancerTag: "all", port: [] }]), []);
  // Such an inbound's sessions can have any user and any target.
  assertEquals(provedWith("socks", ["freedom", "mtproto"], [{ user: ["a"] }]).length, 1);
  assertEquals(
    provedWith("socks", ["freedom", "mtproto"], [{ network: ["tcp"], outboundTag: "freedom" }, {
      network: ["tcp", "udp"],
    }]).length,
    1,
  );
  assertEquals(provedWith("socks", ["freedom", "blackhole"], [{ port: [], outboundTag: "blackhole" }]), []);
});
