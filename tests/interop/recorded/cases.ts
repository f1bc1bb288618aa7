/** The cases of this folder, in the words of the programs that carry them out. */
import type { Json, Program } from "./programs.ts";
import type { Ending } from "./traffic.ts";

export interface Case {
  name: string;
  about: string;
  client: Program;
  server: Program;
  /** Added to the client's user (Xray) or outbound (sing-box). */
  user?: Json;
  /** Added to the client's outbound. */
  outbound?: Json;
  /** The client reaches its server through a SOCKS5 server, and the recorder is in front of that. */
  chained?: true;
  /** Added to the server's inbound. */
  inbound?: Json;
  env?: Record<string, string>;
  /** The client's id, if it is not the UUID. */
  id?: string;
  ending?: Ending;
  /** [network, host, length up, length down], and for a datagram to the target's second port a fifth item. */
  exchanges: [network: "tcp" | "udp", host: string, up: number, down: number, second?: "second"][];
}

const SMALL: Case["exchanges"] = [["tcp", "localhost", 300, 3000]];
const SMALL_IPV4: Case["exchanges"] = [["tcp", "127.0.0.1", 300, 3000]];
const SMALL_IPV6: Case["exchanges"] = [["tcp", "::1", 300, 3000]];
const LARGE: Case["exchanges"] = [["tcp", "localhost", 40_000, 40_000]];
const DATAGRAMS: Case["exchanges"] = [
  ["udp", "127.0.0.1", 60, 500],
  ["udp", "127.0.0.1", 1200, 1],
  ["udp", "127.0.0.1", 1, 1200],
];
const TWO_TARGETS: Case["exchanges"] = [
  ["udp", "127.0.0.1", 60, 500],
  ["udp", "127.0.0.1", 1200, 1, "second"],
  ["udp", "127.0.0.1", 1, 1200],
];
const TWO_SESSIONS: Case["exchanges"] = [["tcp", "localhost", 300, 3000], ["tcp", "127.0.0.1", 9000, 9000]];

const WS = { host: "front.example", path: "/tunnel" };
const SING_WS = { type: "ws", path: "/tunnel", headers: { Host: "front.example" } };
const SING_EARLY = earlyData("Sec-WebSocket-Protocol");

export const CASES: Case[] = [
  xray("xray-gcm", "aes-128-gcm", { user: { security: "aes-128-gcm" } }),
  xray("xray-gcm-40k", "aes-128-gcm, 40,000 bytes each way", {
    user: { security: "aes-128-gcm" },
    exchanges: LARGE,
    ending: "target",
  }),
  xray("xray-chacha", "chacha20-poly1305, an IPv6 target, ended by the target", {
    user: { security: "chacha20-poly1305" },
    exchanges: SMALL_IPV6,
    ending: "target",
  }),
  xray("xray-auto", "auto", { user: { security: "auto" }, exchanges: SMALL_IPV4 }),
  xray("xray-removed-none", "`none` on a version that has removed it: it means auto", {
    user: { security: "none" },
  }),
  xray("xray-text-id", "an id that is no UUID: UUIDv5 of the text", {
    user: { security: "aes-128-gcm" },
    id: "recorded",
  }),
  xray("xray-gcm-length", "aes-128-gcm with AuthenticatedLength", {
    user: { security: "aes-128-gcm", experiments: "AuthenticatedLength" },
  }),
  xray("xray-gcm-length-40k", "aes-128-gcm with AuthenticatedLength, 40,000 bytes each way", {
    user: { security: "aes-128-gcm", experiments: "AuthenticatedLength" },
    exchanges: LARGE,
  }),
  xray("xray-chacha-length", "chacha20-poly1305 with AuthenticatedLength", {
    user: { security: "chacha20-poly1305", experiments: "AuthenticatedLength" },
    exchanges: SMALL_IPV4,
    ending: "target",
  }),
  xray("xray-gcm-unterminated", "aes-128-gcm with NoTerminationSignal", {
    user: { security: "aes-128-gcm", experiments: "NoTerminationSignal" },
  }),
  xray("xray-chacha-length-unterminated", "both experiments", {
    user: { security: "chacha20-poly1305", experiments: "AuthenticatedLength|NoTerminationSignal" },
    ending: "target",
  }),
  old("xray-none", "none", { user: { security: "none" } }),
  old("xray-none-40k", "none, 40,000 bytes each way", { user: { security: "none" }, exchanges: LARGE }),
  old("xray-zero", "zero", { user: { security: "zero" } }),
  old("xray-zero-target", "zero, ended by the target", { user: { security: "zero" }, ending: "target" }),
  xray("xray-udp", "UDP as command 2, aes-128-gcm", {
    user: { security: "aes-128-gcm" },
    env: { XRAY_CONE_DISABLED: "true" },
    exchanges: DATAGRAMS,
  }),
  xray("xray-udp-length", "UDP as command 2, chacha20-poly1305 with AuthenticatedLength", {
    user: { security: "chacha20-poly1305", experiments: "AuthenticatedLength" },
    env: { XRAY_CONE_DISABLED: "true" },
    exchanges: DATAGRAMS,
  }),
  old("xray-udp-none", "UDP as command 2, none", {
    user: { security: "none" },
    env: { XRAY_CONE_DISABLED: "true" },
    exchanges: DATAGRAMS,
  }),
  xray("xray-xudp", "UDP as XUDP, two targets over one connection", {
    user: { security: "aes-128-gcm" },
    exchanges: TWO_TARGETS,
  }),
  old("xray-xudp-none", "UDP as XUDP over none", { user: { security: "none" }, exchanges: TWO_TARGETS }),
  old("xray-xudp-zero", "UDP as XUDP over zero", { user: { security: "zero" }, exchanges: TWO_TARGETS }),
  xray("xray-mux", "two TCP sessions in one Mux.Cool connection", {
    user: { security: "aes-128-gcm" },
    outbound: { mux: { enabled: true, concurrency: 8 } },
    exchanges: TWO_SESSIONS,
  }),
  xray("xray-mux-target", "a TCP session in Mux.Cool that the target ends", {
    user: { security: "chacha20-poly1305" },
    outbound: { mux: { enabled: true, concurrency: 8 } },
    ending: "target",
  }),
  old("xray-mux-zero", "two TCP sessions in one Mux.Cool connection over zero", {
    user: { security: "zero" },
    outbound: { mux: { enabled: true, concurrency: 8 } },
    exchanges: TWO_SESSIONS,
  }),
  xray("xray-mux-udp", "a TCP session and UDP in one Mux.Cool connection", {
    user: { security: "aes-128-gcm" },
    outbound: { mux: { enabled: true, concurrency: 8 } },
    exchanges: [...SMALL, ...TWO_TARGETS],
  }),
  xray("xray-mux-xudp", "UDP alone in Mux.Cool (xudpConcurrency)", {
    user: { security: "aes-128-gcm" },
    outbound: { mux: { enabled: true, concurrency: -1, xudpConcurrency: 8 } },
    exchanges: TWO_TARGETS,
  }),
  xray("xray-to-sing-gcm-length", "Xray to sing-box, aes-128-gcm with AuthenticatedLength", {
    server: "sing-box",
    user: { security: "aes-128-gcm", experiments: "AuthenticatedLength" },
  }),
  xray("xray-to-sing-xudp", "Xray to sing-box, UDP as XUDP", {
    server: "sing-box",
    user: { security: "chacha20-poly1305" },
    exchanges: TWO_TARGETS,
  }),
  xray("xray-to-sing-mux", "Xray to sing-box, two TCP sessions in one Mux.Cool connection", {
    server: "sing-box",
    user: { security: "aes-128-gcm" },
    outbound: { mux: { enabled: true, concurrency: 8 } },
    exchanges: TWO_SESSIONS,
  }),

  sing("sing-auto", "auto", { user: { security: "auto" } }),
  sing("sing-gcm", "aes-128-gcm", { user: { security: "aes-128-gcm" } }),
  sing("sing-gcm-40k", "aes-128-gcm, 40,000 bytes each way", {
    user: { security: "aes-128-gcm" },
    exchanges: LARGE,
    ending: "target",
  }),
  sing("sing-gcm-padding", "aes-128-gcm with global_padding", {
    user: { security: "aes-128-gcm", global_padding: true },
    exchanges: SMALL_IPV6,
  }),
  sing("sing-gcm-length", "aes-128-gcm with authenticated_length, without padding", {
    user: { security: "aes-128-gcm", authenticated_length: true },
  }),
  sing("sing-chacha", "chacha20-poly1305, ended by the target", {
    user: { security: "chacha20-poly1305" },
    ending: "target",
  }),
  sing("sing-chacha-padding-length", "chacha20-poly1305 with both options", {
    user: { security: "chacha20-poly1305", global_padding: true, authenticated_length: true },
    exchanges: SMALL_IPV4,
  }),
  sing("sing-none", "none", { user: { security: "none" } }),
  sing("sing-zero", "zero", { user: { security: "zero" }, ending: "target" }),
  sing("sing-udp", "UDP as command 2, aes-128-gcm", {
    user: { security: "aes-128-gcm" },
    exchanges: DATAGRAMS,
  }),
  sing("sing-udp-none", "UDP as command 2, none", { user: { security: "none" }, exchanges: DATAGRAMS }),
  sing("sing-xudp", "UDP as XUDP, two targets over one connection", {
    user: { security: "aes-128-gcm", packet_encoding: "xudp" },
    exchanges: TWO_TARGETS,
  }),
  sing("sing-xudp-none", "UDP as XUDP over none", {
    user: { security: "none", packet_encoding: "xudp" },
    exchanges: TWO_TARGETS,
  }),
  sing("sing-packetaddr", "UDP as packetaddr, two targets over one connection", {
    user: { security: "aes-128-gcm", packet_encoding: "packetaddr" },
    exchanges: TWO_TARGETS,
  }),
  sing("sing-to-xray-gcm", "sing-box to Xray, aes-128-gcm", {
    server: "xray",
    user: { security: "aes-128-gcm" },
  }),
  sing("sing-to-xray-chacha-padding-length", "sing-box to Xray, chacha20-poly1305 with both options", {
    server: "xray",
    user: { security: "chacha20-poly1305", global_padding: true, authenticated_length: true },
  }),
  sing("sing-to-xray-none", "sing-box to Xray, none", { server: "xray-old", user: { security: "none" } }),
  sing("sing-to-xray-udp-none", "sing-box to Xray, UDP as command 2, none", {
    server: "xray-old",
    user: { security: "none" },
    exchanges: DATAGRAMS,
  }),
  sing("sing-to-xray-zero", "sing-box to Xray, zero, ended by the target", {
    server: "xray-old",
    user: { security: "zero" },
    ending: "target",
  }),
  sing("sing-to-xray-udp", "sing-box to Xray, UDP as command 2", {
    server: "xray",
    user: { security: "chacha20-poly1305" },
    exchanges: DATAGRAMS,
  }),
  sing("sing-to-xray-xudp", "sing-box to Xray, UDP as XUDP", {
    server: "xray",
    user: { security: "aes-128-gcm", packet_encoding: "xudp" },
    exchanges: TWO_TARGETS,
  }),

  xray("xray-ws", "ws without early data", ws(WS.path)),
  xray("xray-ws-early", "ws with early data in a header (path ends in ?ed=2048)", {
    ...ws(`${WS.path}?ed=2048`),
    ending: "target",
  }),
  xray("xray-ws-early-too-long", "ws with ed=2048 and a first write that does not fit", {
    ...ws(`${WS.path}?ed=2048`),
    exchanges: LARGE.map(([network, host]) => [network, host, 9000, 3000]),
  }),
  xray("xray-httpupgrade", "httpupgrade", httpUpgrade(WS.path)),
  xray("xray-httpupgrade-early", "httpupgrade with ?ed=2048: the answer is not waited for", {
    ...httpUpgrade(`${WS.path}?ed=2048`),
    ending: "target",
  }),
  sing("sing-ws", "ws without early data", {
    user: { security: "aes-128-gcm" },
    outbound: { transport: SING_WS },
    inbound: { transport: { type: "ws", path: WS.path } },
  }),
  sing("sing-ws-early-header", "ws with early data in a header", {
    user: { security: "aes-128-gcm" },
    outbound: { transport: { ...SING_WS, ...SING_EARLY } },
    inbound: { transport: { type: "ws", path: WS.path, ...SING_EARLY } },
  }),
  sing("sing-ws-early-path", "ws with early data in the path", {
    user: { security: "aes-128-gcm" },
    outbound: { transport: { ...SING_WS, max_early_data: 2048 } },
    inbound: { transport: { type: "ws", path: WS.path, max_early_data: 2048 } },
  }),
  sing("sing-to-xray-ws-early-header", "sing-box to Xray, ws with early data in a header", {
    server: "xray",
    user: { security: "aes-128-gcm" },
    outbound: { transport: { ...SING_WS, ...SING_EARLY } },
    inbound: { streamSettings: { network: "ws", wsSettings: WS } },
  }),
  sing("sing-httpupgrade", "httpupgrade", {
    user: { security: "aes-128-gcm" },
    outbound: { transport: { type: "httpupgrade", host: WS.host, path: WS.path } },
    inbound: { transport: { type: "httpupgrade", path: WS.path } },
  }),
  xray("xray-dialer-proxy", "sockopt.dialerProxy: the whole ws transport runs through a SOCKS5 server", {
    user: { security: "aes-128-gcm" },
    outbound: { streamSettings: { network: "ws", wsSettings: WS, sockopt: { dialerProxy: "chain" } } },
    inbound: { streamSettings: { network: "ws", wsSettings: WS } },
    chained: true,
  }),
];

type Rest = Omit<Partial<Case>, "name" | "about">;

function xray(name: string, about: string, rest: Rest): Case {
  return { name, about, client: "xray", server: "xray", exchanges: SMALL, ...rest };
}

function old(name: string, about: string, rest: Rest): Case {
  return { name, about, client: "xray-old", server: "xray-old", exchanges: SMALL, ...rest };
}

function sing(name: string, about: string, rest: Rest): Case {
  return { name, about, client: "sing-box", server: "sing-box", exchanges: SMALL, ...rest };
}

function ws(path: string): Rest {
  return {
    user: { security: "aes-128-gcm" },
    outbound: { streamSettings: { network: "ws", wsSettings: { ...WS, path } } },
    inbound: { streamSettings: { network: "ws", wsSettings: WS } },
  };
}

function httpUpgrade(path: string): Rest {
  return {
    user: { security: "aes-128-gcm" },
    outbound: { streamSettings: { network: "httpupgrade", httpupgradeSettings: { ...WS, path } } },
    inbound: { streamSettings: { network: "httpupgrade", httpupgradeSettings: WS } },
  };
}

function earlyData(header: string): Json {
  return { max_early_data: 2048, early_data_header_name: header };
}
