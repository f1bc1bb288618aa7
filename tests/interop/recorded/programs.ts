/** The two programs' configurations for one case. */

export type Program = "xray" | "xray-old" | "sing-box";

/** Ports on 127.0.0.1. */
export interface Ports {
  /** Where the client's SOCKS5 inbound listens. */
  socks: number;
  /** Where the client connects to: the recorder. */
  recorder: number;
  /** Where the server listens. */
  server: number;
  /** Where a SOCKS5 server listens, if the client is to reach its server through one. */
  chain?: number;
}

export type Json = Record<string, unknown>;

/** A config of a client: SOCKS5 in, VMess out. `user` and `outbound` add to what every case has. */
export function clientConfig(program: Program, id: string, ports: Ports, user: Json, outbound: Json): Json {
  if (program === "sing-box") {
    return {
      log: { level: "warn" },
      inbounds: [{ type: "socks", listen: "127.0.0.1", listen_port: ports.socks }],
      outbounds: [
        { type: "vmess", server: "127.0.0.1", server_port: ports.recorder, uuid: id, ...user, ...outbound },
      ],
    };
  }
  const port = ports.chain === undefined ? ports.recorder : ports.server;
  const chain = { address: "127.0.0.1", port: ports.recorder };
  return {
    log: { loglevel: "warning" },
    inbounds: [
      { listen: "127.0.0.1", port: ports.socks, protocol: "socks", settings: { udp: true, ip: "127.0.0.1" } },
    ],
    outbounds: [
      {
        protocol: "vmess",
        settings: { vnext: [{ address: "127.0.0.1", port, users: [{ id, ...user }] }] },
        ...outbound,
      },
      ...(ports.chain === undefined
        ? []
        : [{ tag: "chain", protocol: "socks", settings: { servers: [chain] } }]),
    ],
  };
}

/** A config of a server: VMess in, direct out. */
export function serverConfig(program: Program, id: string, ports: Ports, inbound: Json): Json {
  if (program === "sing-box") {
    return {
      log: { level: "warn" },
      dns: { servers: [{ type: "local", tag: "local" }] },
      route: { default_domain_resolver: "local" },
      inbounds: [
        { type: "vmess", listen: "127.0.0.1", listen_port: ports.server, users: [{ uuid: id }], ...inbound },
      ],
      outbounds: [{ type: "direct" }],
    };
  }
  return {
    log: { loglevel: "warning" },
    inbounds: [
      {
        listen: "127.0.0.1",
        port: ports.server,
        protocol: "vmess",
        settings: { clients: [{ id }] },
        ...inbound,
      },
      ...(ports.chain === undefined ? [] : [{ listen: "127.0.0.1", port: ports.chain, protocol: "socks" }]),
    ],
    // Since 26 a VMess inbound may not reach private addresses unless a rule says so; older versions skip the key.
    outbounds: [{ protocol: "freedom", settings: { finalRules: [{ action: "allow" }] } }],
  };
}
