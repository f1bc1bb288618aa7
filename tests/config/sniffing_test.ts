// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { Report } from "../../lib/config/complaint.ts";
import { check } from "../../lib/config/check.ts";
import { checkSniffing, type Parts } from "../../lib/config/cross.ts";
import { readSniffing, sniffingSchema } from "../../lib/config/schema/sniffing.ts";
import { parseText } from "../../lib/config/text.ts";
import type { Sniffing } from "../../lib/proxy/types.ts";
import { complaints, configLike, inboundLike, load, warnings } from "./helpers.ts";
import { plainInbound } from "./plain.ts";

/** What is made of `sniffing` of a socks inbound, and what is said about it. */
function read(sniffing: Record<string, unknown>) {
  const report = new Report();
  const { source, value } = parseText("f", JSON.stringify({ sniffing }), report)!;
  const place = { source, path: ["sniffing"] };
  const { sniffing: inner } = value as { sniffing: unknown };
  const reading = { report, strict: false, env: () => undefined };
  const found = check(sniffingSchema, inner, { place, pattern: "inbounds[].sniffing" }, reading);
  const context = { place: { source, path: [] }, protocol: "socks", report };
  const result = found === null ? undefined : readSniffing(found, context);
  const texts = (list: { path: string; text: string }[]) => list.map(({ path, text }) => `${path}: ${text}`);
  return { result, errors: texts(report.errors()), warnings: texts(report.warnings()) };
}

function quietly(sniffing: Record<string, unknown>): Sniffing | undefined {
  const { result, errors, warnings } = read(sniffing);
  assertEquals([errors, warnings], [[], []]);
  return result;
}

const both = { enabled: true, destOverride: ["http", "tls"] };
const plain: Sniffing = { protocols: ["http", "tls"], routeOnly: false, domainsExcluded: [] };

Deno.test("sniffing: what is looked for, and for whom", () => {
  assertEquals(quietly({}), undefined);
  assertEquals(quietly({ ...both, enabled: false, metadataOnly: true }), undefined);
  assertEquals(quietly(both), plain);
  assertEquals(quietly({ enabled: true, destOverride: "TLS, tls", metadataOnly: false }), {
    ...plain,
    protocols: ["tls"],
  });
  // The protocol is learned for rules, and the domain stays unused.
  assertEquals(quietly({ enabled: true }), { ...plain, protocols: [] });
  assertEquals(quietly({ ...both, routeOnly: true }), { ...plain, routeOnly: true });
});

Deno.test("sniffing: an excluded domain is a whole name, as for Xray, unless it says otherwise", () => {
  const domainsExcluded = ["courier.push.apple.com", "domain:example.org", "regexp:^a"];
  assertEquals(quietly({ ...both, domainsExcluded })?.domainsExcluded, [
    "full:courier.push.apple.com",
    "domain:example.org",
    "regexp:^a",
  ]);
  assertEquals(read({ ...both, domainsExcluded: ["geosite:cn"] }).errors, [
    'sniffing.domainsExcluded[0]: must name domains: this version reads no list files; got "geosite:cn"',
  ]);
});

Deno.test("sniffing: what cannot be sniffed is said, and what would send traffic elsewhere is refused", () => {
  const mixed = read({ enabled: true, destOverride: ["http", "quic", "fakedns"] });
  assertEquals(mixed.result?.protocols, ["http"]);
  assertEquals(mixed.warnings, [
    "sniffing.destOverride[1]: has no effect: QUIC is not sniffed, so rules see the addresses of its flows and no domains",
    "sniffing.destOverride[2]: has no effect: there is no fake DNS",
  ]);
  const others = read({ enabled: true, destOverride: "fakedns+others" });
  assertEquals(others.result, plain);
  assertEquals(others.warnings, [
    "sniffing.destOverride: stands for http and tls here: there is no fake DNS",
  ]);
  assertEquals(read({ ...both, metadataOnly: true }), {
    result: undefined,
    errors: [],
    warnings: [
      "sniffing.metadataOnly: leaves nothing to sniff: what http and tls say stands in the first bytes, " +
      "and there is no fake DNS",
    ],
  });
  assertEquals(read({ ...both, ipsExcluded: ["geoip:private"] }).errors, [
    "sniffing.ipsExcluded: is not in this version: write domainsExcluded, or routeOnly",
  ]);
  assertEquals(read({ ...both, destOverride: ["bittorrent"] }).errors, [
    'sniffing.destOverride[0]: must be one of "http", "tls", "quic", "fakedns", "fakedns+others"; got "bittorrent"',
  ]);
});

Deno.test("sniffing: for MTProto it is nothing, with a warning, whatever it holds", () => {
  for (
    const sniffing of [both, {
      enabled: true,
      destOverride: ["quic"],
      metadataOnly: true,
      ipsExcluded: ["::1"],
    }]
  ) {
    const text = configLike({ inbounds: [inboundLike({ sniffing })] });
    assertEquals(warnings(text), [
      "inbounds[0].sniffing.enabled: has no effect: there is nothing to sniff in MTProto",
    ]);
    assertEquals(load(text).config.inbounds[0].sniffing, undefined);
  }
  assertEquals(warnings(configLike({ inbounds: [inboundLike({ sniffing: { enabled: false } })] })), []);
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ sniffing: { enabled: "yes" } })] })), [
    "inbounds[0].sniffing.enabled: must be true or false; got text",
  ]);
});

/** What is said of rules with these inbounds where "a" sniffs and "b" does not. */
function unsniffed(...rules: { protocol?: ("http" | "tls")[]; inboundTag?: string[] }[]): string[] {
  const report = new Report();
  const { source } = parseText("f", "{}", report)!;
  const place = (...path: (string | number)[]) => ({ source, path });
  const inbound = (tag: string, sniffing?: Sniffing): Parts["inbounds"][number] => ({
    tag,
    named: true,
    place: place("inbounds"),
    config: {
      tag,
      protocol: "socks",
      listen: "::",
      ports: [1],
      settings: {},
      ...plainInbound,
      sniffing,
      path: "",
    },
  });
  checkSniffing({
    inbounds: [inbound("a", { ...plain, protocols: [] }), inbound("b")],
    outbounds: [],
    balancers: [],
    rules: rules.map((rule, i) => ({ rule: { ...rule, path: "" }, place: place("routing", "rules", i) })),
  }, report);
  return report.warnings().map(({ path, text }) => `${path}: ${text}`);
}

Deno.test("a rule for a protocol whose inbounds sniff nothing matches nothing, and that is said", () => {
  assertEquals(
    unsniffed({ protocol: ["tls"] }, { protocol: ["http"], inboundTag: ["b", "a"] }, { inboundTag: ["b"] }),
    [],
  );
  assertEquals(unsniffed({ protocol: ["http", "tls"], inboundTag: ["b"] }), [
    "routing.rules[0].protocol: matches nothing: no inbound of this rule sniffs",
  ]);
});
