// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { complaints, configLike, inboundLike, outboundLike, warnings } from "./helpers.ts";

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
      "inbounds[0].domainOverride: is V2Ray's old spelling of sniffing, which is not in this version",
    ],
    [
      inInbound({ streamSettings: { network: "ws" } }),
      'inbounds[0].streamSettings.network: must be "tcp": this version has no other transport; got "ws"',
    ],
    [
      inOutbound({ streamSettings: { security: "tls" } }),
      'outbounds[0].streamSettings.security: must be "none": this version wraps nothing in TLS; got "tls"',
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
      inOutbound({ streamSettings: { sockopt: { dialerProxy: "x" } } }),
      "outbounds[0].streamSettings.sockopt.dialerProxy: is not in this version: write the outbound's proxySettings.tag",
    ],
    [
      inOutbound({ streamSettings: { sockopt: { interface: "wan" } } }),
      "outbounds[0].streamSettings.sockopt.interface: is not in this version: choose the way in the system, with ip route or ip rule",
    ],
    [
      inInbound({ streamSettings: { rawSettings: { acceptProxyProtocol: true } } }),
      "inbounds[0].streamSettings.rawSettings.acceptProxyProtocol: is not in this version",
    ],
    [
      inInbound({ streamSettings: { tcpSettings: { header: { type: "http", request: {} } } } }),
      'inbounds[0].streamSettings.tcpSettings.header.type: is not in this version: write "none"',
    ],
    [
      inOutbound({ mux: { enabled: true, concurrency: 8 } }),
      "outbounds[0].mux.enabled: is not in this version: each connection has its own",
    ],
    [
      inOutbound({ proxySettings: { tag: "out", transportLayer: true } }),
      "outbounds[0].proxySettings.transportLayer: is not in this version: remove it, the chain of a plain TCP outbound is the same without",
    ],
    [
      inFreedom({ settings: { domainStrategy: "UseIP" } }),
      'outbounds[1].settings.domainStrategy: must be "AsIs": mtray has no DNS of its own yet, so the system resolves names; got "UseIP"',
    ],
    [
      inFreedom({ settings: { fragment: { packets: "tlshello" } } }),
      "outbounds[1].settings.fragment: is not in this version",
    ],
    [
      configLike({ routing: { domainStrategy: "IPIfNonMatch" } }),
      'routing.domainStrategy: must be "AsIs": this version asks no DNS for a rule; got "IPIfNonMatch"',
    ],
    [
      configLike({ routing: { balancers: [{ tag: "b" }] } }),
      "routing.balancers: is not in this version: name one outbound in outboundTag",
    ],
    [
      configLike({ routing: { settings: { rules: [1] } } }),
      "routing.settings: is V2Ray's old spelling: move what it holds into routing",
    ],
    [
      inRule({ protocol: ["bittorrent"] }),
      "routing.rules[0].protocol: is not in this version: nothing is sniffed",
    ],
    [inRule({ attrs: "x" }), "routing.rules[0].attrs: is not in this version: nothing is sniffed"],
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

Deno.test("a rule whose outbound or only condition is refused is not said to lack them", () => {
  const rules = [{ balancerTag: "b", port: 443 }, { outboundTag: "out", protocol: ["bittorrent"] }];
  assertEquals(complaints(configLike({ routing: { rules } })), [
    "routing.rules[0].balancerTag: is not in this version: name one outbound in outboundTag",
    "routing.rules[1].protocol: is not in this version: nothing is sniffed",
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
    [inOutbound({ streamSettings: { sockopt: { tcpFastOpen: true, tcpKeepAliveInterval: 30 } } }), [
      "outbounds[0].streamSettings.sockopt.tcpFastOpen: has no effect",
      "outbounds[0].streamSettings.sockopt.tcpKeepAliveInterval: has no effect",
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
    inRule({ ruleTag: "a", balancerTag: "", protocol: [] }),
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
  for (
    const protocol of [
      "vmess",
      "socks",
      "http",
      "dokodemo-door",
      "shadowsocks",
      "trojan",
      "vless",
      "wireguard",
    ]
  ) {
    assertEquals(complaints(inInbound({ protocol, settings: { anything: 1 } })), [
      `inbounds[0].protocol: "${protocol}" is not in this version: an inbound can be mtproto`,
    ]);
    assertEquals(complaints(inOutbound({ protocol: protocol.toUpperCase(), settings: { vnext: [] } })), [
      `outbounds[0].protocol: "${protocol}" is not in this version: an outbound can be mtproto, freedom, blackhole`,
    ]);
  }
  assertEquals(complaints(inOutbound({ protocol: "fredom" })), [
    'outbounds[0].protocol: is not a protocol: did you mean "freedom"?',
  ]);
  assertEquals(complaints(inOutbound({ protocol: "block" })), [
    'outbounds[0].protocol: is not a protocol: did you mean "blackhole"?',
  ]);
  assertEquals(complaints(inOutbound({ protocol: "constructor" })), [
    "outbounds[0].protocol: must name a protocol: an outbound can be mtproto, freedom, blackhole",
  ]);
});
