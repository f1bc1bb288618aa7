// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { foreignKey, foreignPatterns } from "../../lib/config/unsupported.ts";
import { inboundKinds, outboundKinds } from "../../lib/proxy/registry.ts";
import { complaints, configLike, inboundLike, load, outboundLike, warnings } from "./helpers.ts";

/** A config with these keys in its inbound, its outbound, or a second one. */
const inInbound = (fields: object) => configLike({ inbounds: [inboundLike({ ...fields })] });
const inOutbound = (fields: object) => configLike({ outbounds: [outboundLike({ ...fields })] });
const inFreedom = (fields: object) =>
  configLike({ outbounds: [outboundLike(), { protocol: "freedom", ...fields }] });
const inRule = (fields: object) =>
  configLike({ routing: { rules: [{ outboundTag: "out", port: 443, ...fields }] } });

Deno.test("sections that mtray has not are refused by name", () => {
  const sections = [
    ...["api", "browserForwarder", "burstObservatory", "dns", "fakedns", "fakeDns", "geodata", "metrics"],
    ...["observatory", "reverse", "services", "transport", "version", "env", "extension", "router"],
    ...["inbound", "outbound", "inboundDetour", "outboundDetour"],
  ];
  for (const section of sections) {
    const found = complaints(configLike({ [section]: { a: 1 } }));
    assertEquals(found.length, 1, section);
    assert(found[0].startsWith(`${section}: is `), found[0]);
    // Empty, it asks for nothing.
    assertEquals(complaints(configLike({ [section]: {} })), []);
  }
  assertEquals(complaints(configLike({ port: 443 })), [
    "port: is V2Ray's old spelling: write it in an entry of inbounds",
  ]);
});

Deno.test("each refusal says what to do", () => {
  const cases: [string, string][] = [
    [configLike({ dns: { servers: ["1.1.1.1"] } }), "dns: is not in this version: the system resolves names"],
    [
      configLike({ transport: { a: 1 } }),
      "transport: is not taken: write streamSettings in each inbound and outbound",
    ],
    [
      inInbound({ allocate: { strategy: "random" } }),
      "inbounds[0].allocate: is not in this version: ports do not change while mtray runs",
    ],
    [
      inInbound({ domainOverride: ["http"] }),
      'inbounds[0].domainOverride: is V2Ray\'s old spelling: write it as sniffing.destOverride, beside "enabled": true',
    ],
    [
      inOutbound({ streamSettings: { sockopt: { mark: 255 } } }),
      "outbounds[0].streamSettings.sockopt.mark: is not in this version: mark by user or port in the firewall",
    ],
    [
      inInbound({ streamSettings: { sockopt: { tproxy: "tproxy" } } }),
      "inbounds[0].streamSettings.sockopt.tproxy: is not in this version: clients must be told this gateway's address",
    ],
    [
      inOutbound({ streamSettings: { sockopt: { interface: "wan" } } }),
      "outbounds[0].streamSettings.sockopt.interface: is not in this version: choose the way in the system, with ip route or ip rule",
    ],
    [
      inFreedom({ settings: { domainStrategy: "UseIP" } }),
      'outbounds[1].settings.domainStrategy: must be "AsIs": mtray has no DNS of its own yet, so the system resolves names; got "UseIP"',
    ],
    [
      inFreedom({ settings: { fragment: { packets: "tlshello" } } }),
      "outbounds[1].settings.fragment: is not in this version: remove it, or run Xray beside mtray and chain with a " +
      "socks outbound",
    ],
    [
      configLike({ routing: { domainStrategy: "IPIfNonMatch" } }),
      'routing.domainStrategy: must be "AsIs": this version asks no DNS for a rule; got "IPIfNonMatch"',
    ],
    [
      configLike({ routing: { settings: { rules: [1] } } }),
      "routing.settings: is V2Ray's old spelling: move what it holds into routing",
    ],
    [
      inRule({ protocol: ["bittorrent"] }),
      'routing.rules[0].protocol[0]: must be "http" or "tls": this version does not sniff bittorrent; got "bittorrent"',
    ],
    [
      inRule({ attrs: "x" }),
      "routing.rules[0].attrs: is not in this version: of HTTP only the domain is known, write domain",
    ],
    [inRule({ process: ["x"] }), "routing.rules[0].process: is not in this version: write source"],
    [
      inRule({ ip: ["geoip:cn"] }),
      'routing.rules[0].ip[0]: must be addresses, networks or "geoip:private": this version reads no list files; got "geoip:cn"',
    ],
    [
      inRule({ domain: ["geosite:cn"] }),
      'routing.rules[0].domain[0]: must name domains: this version reads no list files; got "geosite:cn"',
    ],
    [inRule({ type: "chinaip" }), 'routing.rules[0].type: must be one of "field"; got "chinaip"'],
  ];
  for (const [text, expected] of cases) {
    const [first] = complaints(text);
    assertEquals(first, expected);
  }
});

Deno.test("a rule whose outbound or only condition is misspelt is not said to lack them", () => {
  const rules = [{ outboundTga: "out", port: 443 }, { outboundTag: "out", protcol: ["http"] }];
  assertEquals(complaints(configLike({ routing: { rules } })), [
    'routing.rules[0].outboundTga: is not a known key: did you mean "outboundTag"?',
    'routing.rules[1].protcol: is not a known key: did you mean "protocol"?',
  ]);
});

Deno.test("what changes nothing is a warning", () => {
  const cases: [string, string[]][] = [
    [configLike({ stats: { a: 1 } }), ["stats: has no effect: no interface hands out V2Ray's counters"]],
    [configLike({ remarks: "my router" }), ["remarks: has no effect"]],
    [
      configLike({
        policy: {
          system: { statsInboundUplink: true },
          levels: { "0": { bufferSize: 4, statsUserUplink: true } },
        },
      }),
      [
        "policy.system: has no effect: no interface hands out V2Ray's counters",
        'policy.levels["0"].bufferSize: has no effect: buffers are small and bounded',
        'policy.levels["0"].statsUserUplink: has no effect: no interface hands out V2Ray\'s counters',
      ],
    ],
    [inInbound({ sniffing: { enabled: true, destOverride: ["http", "tls"] } }), [
      "inbounds[0].sniffing.enabled: has no effect: there is nothing to sniff in MTProto",
    ]],
    [inOutbound({ streamSettings: { sockopt: { tcpFastOpen: true } } }), [
      "outbounds[0].streamSettings.sockopt.tcpFastOpen: has no effect",
    ]],
    [
      inOutbound({
        streamSettings: { network: "tcp", wsSettings: { path: "/" }, tlsSettings: { serverName: "x" } },
      }),
      [
        "outbounds[0].streamSettings.wsSettings: has no effect: network is tcp",
        "outbounds[0].streamSettings.tlsSettings: has no effect: security is none",
      ],
    ],
    [inFreedom({ settings: { userLevel: 0, timeout: 300 } }), [
      "outbounds[1].settings.userLevel: has no effect: the timeouts are those of the inbound's user",
      "outbounds[1].settings.timeout: has no effect: write policy.levels.0.connIdle",
    ]],
    [configLike({ routing: { domainMatcher: "mph" } }), [
      "routing.domainMatcher: has no effect: mtray has one way to match",
    ]],
  ];
  for (const [text, expected] of cases) {
    assertEquals(warnings(text), expected);
    // They are known keys, so they are no errors under --strict either.
    assertEquals(complaints(text, { strict: true }), []);
  }
});

Deno.test("what is written and asks for nothing is taken in silence", () => {
  const off = {
    network: "tcp",
    security: "",
    tcpSettings: { acceptProxyProtocol: false, header: { type: "none" } },
    wsSettings: {},
    sockopt: { mark: 0, tproxy: "off", tcpFastOpen: false },
  };
  const texts = [
    inInbound({
      streamSettings: off,
      sniffing: { enabled: false, destOverride: ["http", "tls"] },
      allocate: {},
    }),
    inOutbound({ streamSettings: off, mux: { enabled: false, concurrency: -1, xudpConcurrency: 16 } }),
    inOutbound({ proxySettings: { tag: "", transportLayer: false }, sendThrough: "0.0.0.0", remarks: "" }),
    inRule({ ruleTag: "a", balancerTag: "" }),
    configLike({ $schema: "https://example.com/schema.json", stats: {}, dns: {}, api: [] }),
    configLike({ log: { access: "", error: "", loglevel: "", maskAddress: false } }).replace(
      '"loglevel": ""',
      '"loglevel": "info"',
    ),
  ];
  for (const text of texts) {
    assertEquals(complaints(text, { strict: true }), []);
    assertEquals(warnings(text), []);
  }
});

Deno.test("protocols of V2Ray that mtray has not are refused by name", () => {
  const an = {
    inbound: Object.keys(inboundKinds).join(", "),
    outbound: Object.keys(outboundKinds).join(", "),
  };
  for (const protocol of ["dns", "loopback", "tun"]) {
    assertEquals(complaints(inInbound({ protocol, settings: { anything: 1 } })), [
      `inbounds[0].protocol: "${protocol}" is not in this version: an inbound can be ${an.inbound}`,
    ]);
    assertEquals(complaints(inOutbound({ protocol: protocol.toUpperCase(), settings: { vnext: [] } })), [
      `outbounds[0].protocol: "${protocol}" is not in this version: an outbound can be ${an.outbound}`,
    ]);
  }
  assertEquals(complaints(inOutbound({ protocol: "fredom" })), [
    'outbounds[0].protocol: is not a protocol: did you mean "freedom"?',
  ]);
  assertEquals(complaints(inOutbound({ protocol: "constructor" })), [
    `outbounds[0].protocol: must name a protocol: an outbound can be ${an.outbound}`,
  ]);
  assertEquals(complaints(inInbound({ protocol: "mixed" })), [
    'inbounds[0].protocol: "mixed" is not in this version: ' +
    "write an inbound that is socks and one that is http, each with a port of its own",
  ]);
});

Deno.test("VLESS, Trojan, Shadowsocks and the like: the lines for a program beside mtray, which load", () => {
  for (const protocol of ["vless", "trojan", "shadowsocks", "hysteria", "wireguard"]) {
    const beside = `${
      JSON.stringify(protocol)
    } is not in this version: run it beside mtray (sing-box, Xray, …) with`;
    const [outbound] = complaints(inFreedom({ tag: "away", protocol, settings: { vnext: [] } }));
    const [inbound] = complaints(inInbound({ protocol, settings: { clients: [] } }));
    const [goThrough, takeFrom] = [outbound, inbound].map((text) =>
      text.slice(text.indexOf(", and write ") + 12)
    );
    assertEquals(
      outbound,
      `outbounds[1].protocol: ${beside} a socks inbound on 127.0.0.1:1080, and write ${goThrough}`,
    );
    assertEquals(
      inbound,
      `inbounds[0].protocol: ${beside} a socks outbound to 127.0.0.1:1080, and write ${takeFrom}`,
    );
    assertEquals(JSON.parse(goThrough).tag, "away");
    assertEquals(JSON.parse(takeFrom).tag, "in");
    if (!("socks" in outboundKinds && "socks" in inboundKinds)) continue;
    const chained = outboundLike({ proxySettings: { tag: "away" } });
    assertEquals(
      complaints(configLike({ outbounds: [chained, JSON.parse(goThrough)] }), { strict: true }),
      [],
    );
    const inbounds = [inboundLike({ tag: "tg" }), JSON.parse(takeFrom)];
    const rules = [{ inboundTag: ["in"], outboundTag: "free" }];
    const outbounds = [outboundLike(), { tag: "free", protocol: "freedom" }];
    assertEquals(complaints(configLike({ inbounds, outbounds, routing: { rules } }), { strict: true }), []);
  }
});

Deno.test("Xray's other names stand for the protocols that they mean", () => {
  const { config } = load(configLike({
    outbounds: [outboundLike(), { tag: "a", protocol: "Direct" }, { tag: "b", protocol: "block" }],
  }));
  assertEquals(config.outbounds.map(({ protocol }) => protocol), ["mtproto", "freedom", "blackhole"]);
});

/** A config with one more key, at a place as lib/config/unsupported.ts writes it, and the path of that key. */
function withKey(pattern: string): { text: string; path: string } {
  const [top, ...rest] = pattern.split(".");
  const [, list, protocol] = /^(inbounds|outbounds)\[([\w-]*)\]$/.exec(top) ?? [];
  const inner = (steps: string[]): unknown => {
    const [step, ...more] = steps;
    if (step === undefined) return "something";
    const [, name, isList] = /^(.*?)(\[\])?$/.exec(step)!;
    const key = name === "*" ? "0" : name;
    return { [key]: isList ? [{ ...SAMPLES[name], ...inner(more) as object }] : inner(more) };
  };
  const path = (steps: string[]) =>
    steps.map((step) => step.replace("[]", "[0]")).join(".").replace(".*", '["0"]');
  if (list === undefined) {
    return { text: configLike(inner([top, ...rest]) as Record<string, unknown>), path: path([top, ...rest]) };
  }
  const like = list === "inbounds" ? inboundLike : outboundLike;
  const sample = protocol === "" || protocol === "mtproto" ? {} : { protocol, settings: SETTINGS[protocol] };
  const entry = like({ ...sample, tag: "one" }) as Record<string, unknown>;
  const added = inner(rest) as Record<string, unknown>;
  if (rest[0] === "streamSettings") {
    added.streamSettings = { ...CHOSEN[rest[1]], ...added.streamSettings as object };
  }
  if (typeof added.settings === "object") added.settings = { ...entry.settings as object, ...added.settings };
  const beside = list === "inbounds" ? inboundLike({ port: 1 }) : outboundLike();
  const text = configLike({ [list]: [beside, { ...entry, ...added }] });
  return { text, path: path([`${list}[1]`, ...rest]) };
}

/** What an entry of a list must have. */
const SAMPLES: Record<string, Record<string, unknown>> = {
  rules: { outboundTag: "out", port: 443 },
  balancers: { tag: "b", selector: ["out"] },
  fallbacks: { dest: "127.0.0.1:80" },
};

/** What chooses a part of streamSettings. */
const CHOSEN: Record<string, object> = {
  wsSettings: { network: "ws" },
  httpupgradeSettings: { network: "httpupgrade" },
  tlsSettings: { security: "tls" },
};

const SETTINGS: Record<string, unknown> = {
  "dokodemo-door": { address: "127.0.0.1", port: 53 },
  tunnel: { address: "127.0.0.1", port: 53 },
  vmess: { clients: [{ id: "27848739-7e62-4138-9fd3-098a63964b6b" }] },
};

for (const pattern of foreignPatterns()) {
  Deno.test(`${pattern} is met where the table has it`, () => {
    const { verdict, why } = foreignKey(pattern)!;
    const { text, path } = withKey(pattern);
    const outcome = { refused: [] as string[], warned: [] as string[] };
    try {
      outcome.warned = warnings(text, { strict: true });
    } catch {
      outcome.refused = complaints(text, { strict: true });
    }
    const said = `${path}: ${why}`;
    if (verdict === "refuse") {
      assert(outcome.refused.includes(said), `${said}\n${outcome.refused.join("\n")}`);
    } else if (verdict === "warn") assertEquals(outcome.warned, [said]);
    else assertEquals([...outcome.refused, ...outcome.warned], []);
  });
}
