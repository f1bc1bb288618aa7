// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { PRIVATE_NETWORKS } from "../../lib/transport/behind_proxy.ts";
import { plainTcp } from "../../lib/transport/types.ts";
import { complaints, configLike, inboundLike, load, outboundLike, screen, warnings } from "./helpers.ts";

const certs = join(process.cwd(), "tests", "contract", "certs");
const file = (name: string) => join(certs, name);
const pem = (name: string) => readFileSync(file(name), "utf8");
const lines = (name: string) => pem(name).trimEnd().split("\n");
const certificate = { certificateFile: file("cert.pem"), keyFile: file("key.pem") };
const HASH = "0123456789abcdef".repeat(4);

/** A config whose second inbound or outbound has this streamSettings; both take every transport. */
const inbound = (streamSettings: unknown) =>
  configLike({
    inbounds: [inboundLike(), {
      tag: "door",
      port: 1080,
      protocol: "dokodemo-door",
      settings: { address: "127.0.0.1", port: 1, network: "tcp" },
      streamSettings,
    }],
    outbounds: [outboundLike(), { tag: "free", protocol: "freedom" }],
    routing: { rules: [{ inboundTag: ["door"], outboundTag: "free" }] },
  });
const outbound = (streamSettings: unknown) =>
  configLike({ outbounds: [outboundLike(), { tag: "free", protocol: "freedom", streamSettings }] });

const ofInbound = (streamSettings: unknown) => load(inbound(streamSettings)).config.inbounds[1].transport;
const ofOutbound = (streamSettings: unknown) => load(outbound(streamSettings)).config.outbounds[1].transport;
/** What is said, without the path before the part. */
const said = (texts: string[]) =>
  texts.map((text) => text.replace(/^(in|out)bounds\[1\]\.streamSettings\./, ""));

Deno.test("networks by all of their names, in any case; nothing means TCP", () => {
  for (const network of [undefined, "", "tcp", "raw", "TCP"]) assertEquals(ofOutbound({ network }), plainTcp);
  for (const network of ["ws", "websocket", "WebSocket"]) assertEquals(ofOutbound({ network }).network, "ws");
  assertEquals(ofInbound({ network: "HTTPUpgrade" }).network, "httpupgrade");
  for (const security of ["", "none", "NONE"]) assertEquals(ofOutbound({ security }), plainTcp);
  assertEquals(ofOutbound({}), plainTcp);
});

Deno.test("every other network of V2Ray and Xray is refused by name, with the nearest that there is", () => {
  const others = ["kcp", "mkcp", "quic", "h2", "http", "grpc", "gun", "ds", "domainsocket"];
  for (const network of [...others, "xhttp", "splithttp", "hysteria", "hysteria2", "GRPC"]) {
    for (const config of [inbound({ network }), outbound({ network })]) {
      const [complaint, ...more] = said(complaints(config));
      assertEquals(more, []);
      assert(complaint.startsWith(`network: "${network.toLowerCase()}" is not in this version`), complaint);
      assertMatch(complaint, /: (write|run) /);
    }
  }
  assertEquals(said(complaints(outbound({ network: "wss" }))), [
    'network: must be one of "tcp", "ws", "httpupgrade"; got "wss"',
  ]);
  for (const security of ["reality", "xtls", "XTLS"]) {
    const [complaint] = said(complaints(outbound({ security })));
    assert(complaint.startsWith(`security: "${security.toLowerCase()}" is not in this version`), complaint);
  }
  assertEquals(said(complaints(outbound({ security: "ssl" }))), [
    'security: must be one of "none", "tls"; got "ssl"',
  ]);
});

Deno.test("ws: path, host, headers, and early data in V2Ray's words and Xray's", () => {
  const ws = (wsSettings: unknown) => ofOutbound({ network: "ws", wsSettings }).ws;
  const plain = { path: "/", host: "", headers: {}, maxEarlyData: 0, earlyDataHeaderName: "" };
  assertEquals(ws({}), plain);
  assertEquals(ws({ path: "ray", headers: { HOST: "a.example", "X-A": "1" } }), {
    ...plain,
    path: "/ray",
    host: "a.example",
    headers: { "X-A": "1" },
  });
  assertEquals(ws({ host: "b.example", headers: { Host: "a.example" } })?.host, "b.example");
  assertEquals(ws({ maxEarlyData: 2048 }), { ...plain, maxEarlyData: 2048 });
  assertEquals(ws({ maxEarlyData: 2048, earlyDataHeaderName: "X-Early" }), {
    ...plain,
    maxEarlyData: 2048,
    earlyDataHeaderName: "X-Early",
  });
  const xray = { maxEarlyData: 2048, earlyDataHeaderName: "Sec-WebSocket-Protocol" };
  assertEquals(ws({ path: "/ray?ed=2048" }), { ...plain, ...xray, path: "/ray" });
  assertEquals(ws({ path: "/ray?a=1&ed=2048&b=2" }), { ...plain, ...xray, path: "/ray?a=1&b=2" });
  assertEquals(ws({ path: "/ray?ed=2048", maxEarlyData: 5 }), { ...plain, path: "/ray", maxEarlyData: 5 });
  assertEquals(ws({ path: "/ray?bed=1" }), { ...plain, path: "/ray?bed=1" });
});

Deno.test("httpupgrade: the same words; ?ed= is taken out of the path", () => {
  const upgrade = (httpupgradeSettings: unknown) =>
    ofOutbound({ network: "httpupgrade", httpupgradeSettings }).httpUpgrade;
  assertEquals(upgrade({ path: "/up?ed=1", headers: { host: "h", A: "b" } }), {
    path: "/up",
    host: "h",
    headers: { A: "b" },
  });
  assertEquals(upgrade({}), { path: "/", host: "", headers: {} });
});

Deno.test("tcp with an http header, for outbounds", () => {
  const header = (request: unknown) =>
    ofOutbound({ tcpSettings: { header: { type: "http", request, response: { version: "1.1" } } } })
      .httpHeader;
  const usual = header(undefined)!;
  assertEquals([usual.method, usual.version, usual.paths], ["GET", "1.1", ["/"]]);
  assert(usual.headers["User-Agent"].length > 0);
  const request = {
    method: "POST",
    version: "1.0",
    path: ["/a", "b"],
    headers: { Host: ["x", "y"], A: "b,c" },
  };
  assertEquals(header(request), {
    method: "POST",
    version: "1.0",
    paths: ["/a", "/b"],
    headers: { Host: ["x", "y"], A: ["b", "c"] },
  });
  assertEquals(ofOutbound({ rawSettings: { header: { type: "HTTP" } } }).httpHeader, usual);
  assertEquals(ofOutbound({ tcpSettings: { header: { type: "none", request } } }), plainTcp);
  assertEquals(said(complaints(inbound({ tcpSettings: { header: { type: "http" } } }))), [
    'tcpSettings.header.type: must not be "http", of which mtray has the client\'s side only: ' +
    'write "none", or network "httpupgrade" on both sides',
  ]);
});

Deno.test("tls of an outbound: names, versions, roots and pins", () => {
  const tls = (tlsSettings: unknown) => ofOutbound({ security: "tls", tlsSettings }).tls;
  const plain = {
    serverName: "",
    alpn: [],
    certificates: [],
    authorities: [],
    disableSystemRoot: false,
    allowInsecure: false,
    pinnedChains: [],
    pinnedCertificates: [],
  };
  assertEquals(ofOutbound({ security: "TLS" }).tls, plain);
  assertEquals(tls({ serverName: "a.example", alpn: "h2,http/1.1", minVersion: "1.3", maxVersion: "1.3" }), {
    ...plain,
    serverName: "a.example",
    alpn: ["h2", "http/1.1"],
    minVersion: "1.3",
    maxVersion: "1.3",
  });
  const root = tls({
    certificates: [{ usage: "Verify", certificateFile: file("root.pem") }],
    disableSystemRoot: true,
  })!;
  assertEquals([root.authorities.length, root.disableSystemRoot], [1, true]);
  const both = tls({ certificates: [{ usage: "verify", certificate: lines("chain.pem") }] })!;
  assertEquals(both.authorities.length, 2);
  const chain = btoa("x".repeat(32));
  assertEquals(tls({ pinnedPeerCertificateChainSha256: [chain] })?.pinnedChains, [chain]);
  const colons = HASH.toUpperCase().replace(/..(?=.)/g, "$&:");
  for (const form of [HASH, colons, `${HASH}, ${colons}`, `${HASH}~${HASH}`, [HASH, colons]]) {
    const pins = tls({ pinnedPeerCertSha256: form })!.pinnedCertificates;
    assert(pins.length > 0 && pins.every((pin) => pin === HASH));
  }
});

Deno.test("certificates of an inbound, from files and as lines", () => {
  for (
    const each of [
      certificate,
      { certificate: lines("cert.pem"), key: lines("key.pem") },
      { certificate: pem("cert.pem"), key: pem("key.pem"), usage: "encipherment" },
    ]
  ) {
    const { tls } = ofInbound({ security: "tls", tlsSettings: { certificates: [each] } });
    assertEquals(tls?.certificates.map(({ key }) => key.trimEnd()), [pem("key.pem").trimEnd()]);
  }
});

Deno.test("certificates that cannot be used are complaints, and keys are not shown", () => {
  const of = (...certificates: unknown[]) => inbound({ security: "tls", tlsSettings: { certificates } });
  const why = (each: unknown) => said(complaints(of(each)));
  const at = "tlsSettings.certificates[0]";
  assertEquals(why({ ...certificate, certificateFile: "/nowhere/c.pem" }), [
    `${at}.certificateFile: cannot be read: there is no such file`,
  ]);
  assertEquals(why({ ...certificate, keyFile: certs }), [`${at}.keyFile: cannot be read: it is a folder`]);
  assertEquals(why({ ...certificate, keyFile: file("chain_key.pem") }), [
    `${at}.keyFile: must be the key of the certificate in certificateFile`,
  ]);
  assertEquals(why({ ...certificate, keyFile: file("cert.pem") }), [
    `${at}.keyFile: must hold a private key in PEM, without a passphrase`,
  ]);
  assertEquals(why({ certificate: ["no", "pem"], key: lines("key.pem") }), [
    `${at}.certificate: must hold certificates in PEM`,
  ]);
  assertEquals(why({ certificateFile: file("cert.pem") }), [
    `${at}: must have keyFile or key: a certificate is shown with its key`,
  ]);
  assertEquals(why({}), [`${at}: must have certificateFile or certificate`]);
  assertEquals(why({ ...certificate, usage: "issue" }), [
    `${at}.usage: is not in this version: mtray makes no certificates, write one for each name with its key`,
  ]);
  assertMatch(
    why({ ...certificate, usage: "serve" })[0],
    /must be one of "encipherment", "verify"; got "serve"$/,
  );
  const shown = screen(of({ certificate: lines("cert.pem"), key: lines("chain_key.pem") }));
  assert(!shown.includes(lines("chain_key.pem")[1]), shown);
  assertEquals(said(complaints(inbound({ security: "tls" }))), [
    "security: must have a certificate with its key: an inbound shows one",
  ]);
  assertEquals(
    said(complaints(outbound({ security: "tls", tlsSettings: { certificates: [certificate] } }))),
    [
      'tlsSettings.certificates: must have usage "verify" only: an outbound shows no certificate, it looks at those of others',
    ],
  );
});

Deno.test("a complaint about a file has its line", () => {
  const text = `{
  "inbounds": [{
    "port": 1, "protocol": "dokodemo-door", "settings": {"address": "127.0.0.1", "port": 1},
    "streamSettings": {"security": "tls", "tlsSettings": {"certificates": [{
      "certificateFile": "/nowhere/c.pem",
      "keyFile": "/nowhere/k.pem"
    }]}}
  }],
  "outbounds": [{"protocol": "freedom"}]
}`;
  assertMatch(
    screen(text),
    /^config\.jsonc:5:26 inbounds\[0\]\.streamSettings\.tlsSettings\.certificates\[0\]\.certificateFile: cannot be read: there is no such file\n/,
  );
});

Deno.test("what cannot be is refused", () => {
  const tls = (tlsSettings: unknown) => outbound({ security: "tls", tlsSettings });
  const ws = (wsSettings: unknown) => outbound({ network: "ws", wsSettings });
  const cases: [string, string[]][] = [
    [tls({ maxVersion: "1.1" }), [
      'tlsSettings.maxVersion: must be "1.2" or "1.3": older ones can be broken into',
    ]],
    [tls({ minVersion: "1.3", maxVersion: "1.2" }), ["tlsSettings.maxVersion: must not be below minVersion"]],
    [tls({ minVersion: "ssl3" }), [
      'tlsSettings.minVersion: must be one of "1.0", "1.1", "1.2", "1.3"; got "ssl3"',
    ]],
    [tls({ disableSystemRoot: true }), [
      'tlsSettings.disableSystemRoot: must not be true without a certificate of usage "verify": nobody would be trusted',
    ]],
    [tls({ pinnedPeerCertSha256: "abc" }), [
      'tlsSettings.pinnedPeerCertSha256: must be a SHA-256 in hex; got "abc"',
    ]],
    [ws({ path: "/a b" }), [
      'wsSettings.path: must be a path without spaces, others than letters as %XX; got "/a b"',
    ]],
    [ws({ headers: { "A B": "x" } }), ['wsSettings.headers["A B"]: must be the name of a header']],
    [ws({ headers: { A: "x\r\ny" } }), ['wsSettings.headers.A: must be one line; got "x\\r\\ny"']],
    [ws({ maxEarlyData: 100_000 }), [
      "wsSettings.maxEarlyData: must be a whole number from 0 to 8192; got 100000",
    ]],
    [outbound({ sockopt: { tcpKeepAliveIdle: -1 } }), [
      "sockopt.tcpKeepAliveIdle: must be a whole number from 0 to 32767; got -1",
    ]],
    [inbound({ sockopt: { acceptProxyProtocol: true, trustedProxies: ["10.0.0.0/33"] } }), [
      'sockopt.trustedProxies[0]: must be a network such as 192.0.2.0/24, or an address; got "10.0.0.0/33"',
    ]],
    [inbound({ sockopt: { dialerProxy: "free" } }), ["sockopt.dialerProxy: is for outbounds"]],
    [outbound({ tcpSettings: { header: { type: "none" } }, rawSettings: { header: { type: "none" } } }), [
      "rawSettings: is tcpSettings again, by Xray's name",
    ]],
    [outbound({ network: "ws", wsSettings: "/ray" }), ["wsSettings: must be an object; got text"]],
  ];
  for (const [text, expected] of cases) assertEquals(said(complaints(text)), expected);
});

Deno.test("a PROXY header is taken wherever V2Ray says so, from private networks or those that are named", () => {
  const taken = { trusted: [...PRIVATE_NETWORKS] };
  const on = { acceptProxyProtocol: true };
  assertEquals(ofInbound({ tcpSettings: on }).proxyProtocol, taken);
  assertEquals(ofInbound({ rawSettings: on }).proxyProtocol, taken);
  assertEquals(ofInbound({ network: "ws", wsSettings: on }).proxyProtocol, taken);
  assertEquals(ofInbound({ network: "httpupgrade", httpupgradeSettings: on }).proxyProtocol, taken);
  assertEquals(ofInbound({ sockopt: on }).proxyProtocol, taken);
  assertEquals(
    ofInbound({ tcpSettings: { ...on, trustedProxies: "192.0.2.0/24,2001:db8::1" } }).proxyProtocol,
    {
      trusted: ["192.0.2.0/24", "2001:db8::1"],
    },
  );
  assertEquals(ofInbound({ tcpSettings: { acceptProxyProtocol: false } }).proxyProtocol, undefined);
  // For every protocol.
  const mtproto = configLike({ inbounds: [inboundLike({ streamSettings: { tcpSettings: on } })] });
  assertEquals(load(mtproto).config.inbounds[0].transport.proxyProtocol, taken);
});

Deno.test("keepalive and Xray's dialerProxy", () => {
  assertEquals(ofInbound({ sockopt: { tcpKeepAliveIdle: 60 } }), { network: "tcp", keepAlive: { idle: 60 } });
  assertEquals(ofOutbound({ sockopt: { tcpKeepAliveInterval: 15, tcpKeepAliveIdle: 0 } }), {
    network: "tcp",
    keepAlive: { interval: 15 },
  });
  assertEquals(ofOutbound({ sockopt: { tcpKeepAliveInterval: 0 } }), plainTcp);
  assertEquals(warnings(outbound({ sockopt: { tcpKeepAliveInterval: 15, tcpKeepAliveIdle: 60 } })), []);
});

Deno.test("MTProto is what it is on the wire, and a blackhole opens nothing", () => {
  const tg = (streamSettings: unknown) => configLike({ inbounds: [inboundLike({ streamSettings })] });
  const why = "no Telegram app speaks MTProto inside WebSocket or TLS (an ee secret is what looks like TLS)";
  assertEquals(complaints(tg({ network: "ws" })), [
    `inbounds[0].streamSettings.network: must be "tcp": ${why}`,
  ]);
  assertEquals(complaints(tg({ security: "tls", tlsSettings: { certificates: [certificate] } })), [
    `inbounds[0].streamSettings.security: must be "none": ${why}`,
  ]);
  const out = (protocol: string, streamSettings: unknown) =>
    configLike({ outbounds: [outboundLike(), { tag: "b", protocol, streamSettings }] });
  assertEquals(complaints(out("mtproto", { network: "ws" })), [
    'outbounds[1].streamSettings.network: must be "tcp": data centres take plain TCP ' +
    "(TLS belongs into the outbound that proxySettings.tag names)",
  ]);
  assertEquals(complaints(out("mtproto", { tcpSettings: { header: { type: "http" } } })), [
    'outbounds[1].streamSettings.tcpSettings.header.type: must not be "http": mtproto connections are what they are',
  ]);
  assertEquals(complaints(out("blackhole", { network: "ws" })), [
    'outbounds[1].streamSettings.network: must be "tcp": blackhole opens no connection',
  ]);
});

Deno.test("what has no effect is said, and insecurity loudly", () => {
  const cases: [string, string[]][] = [
    [outbound({ wsSettings: { path: "/" }, tlsSettings: { serverName: "x", certificates: [{}] } }), [
      "wsSettings: has no effect: network is tcp",
      "tlsSettings: has no effect: security is none",
    ]],
    [outbound({ network: "ws", tcpSettings: { header: { type: "http" } }, kcpSettings: { mtu: 1350 } }), [
      "tcpSettings: has no effect: network is ws",
      "kcpSettings: has no effect: it belongs to another network",
    ]],
    [inbound({ network: "ws", wsSettings: { host: "a", headers: { Host: "a" } } }), [
      "wsSettings.host: has no effect: any host is taken, as by V2Ray",
      "wsSettings.headers: has no effect: clients say headers, and any are taken",
    ]],
    [outbound({ network: "ws", wsSettings: { heartbeatPeriod: 30 } }), [
      "wsSettings.heartbeatPeriod: has no effect: mtray sends no pings. A web server in between may end silent " +
      "connections: raise its timeout",
    ]],
    [outbound({ tcpSettings: { acceptProxyProtocol: true } }), [
      "tcpSettings.acceptProxyProtocol: has no effect: it is for inbounds",
    ]],
    [inbound({ sockopt: { trustedProxies: ["10.0.0.0/8"] } }), [
      "sockopt.trustedProxies: has no effect without acceptProxyProtocol, which is for inbounds",
    ]],
    [
      outbound({
        security: "tls",
        tlsSettings: { fingerprint: "chrome", minVersion: "1.0", enableSessionResumption: true },
      }),
      [
        "tlsSettings.fingerprint: has no effect: mtray's hello is that of its runtime, not a browser's",
        "tlsSettings.minVersion: has no effect: 1.2 is the oldest that mtray takes",
        "tlsSettings.enableSessionResumption: has no effect: every connection has a handshake of its own",
      ],
    ],
    [
      inbound({
        security: "tls",
        tlsSettings: { serverName: "a", allowInsecure: true, certificates: [certificate] },
      }),
      [
        "tlsSettings.serverName: has no effect: it is for outbounds",
        "tlsSettings.allowInsecure: has no effect: it is for outbounds",
      ],
    ],
    [outbound({ security: "tls", tlsSettings: { allowInsecure: true } }), [
      "tlsSettings.allowInsecure: MAKES TLS WORTHLESS AGAINST ATTACKS: whoever sits on the way can show a certificate " +
      "of its own, and read and change everything; write pinnedPeerCertSha256 instead",
    ]],
    // A pin is what makes it safe.
    [outbound({ security: "tls", tlsSettings: { allowInsecure: true, pinnedPeerCertSha256: HASH } }), []],
  ];
  for (const [text, expected] of cases) assertEquals(said(warnings(text)), expected);
});
