/** What is said about a key that V2Ray or Xray knows and no schema here does. */
export interface Foreign {
  /**
   * - `refuse` it changes where traffic goes or how it is protected
   * - `warn`   it is taken and changes nothing
   * - `accept` nothing needs to be said: a part of something that is off, or a note
   */
  verdict: "refuse" | "warn" | "accept";
  /** Goes on from the key: "is not in this version: …". */
  why: string;
  /** Values that say the same as leaving the key out. Empty text, objects and lists always do. */
  harmless: readonly unknown[];
}

/**
 * The verdict on a key, or nothing where the key is unknown.
 *
 * @param pattern canonical path with `[]` for an index: "inbounds[].streamSettings.sockopt.mark"
 */
export function foreignKey(pattern: string): Foreign | undefined {
  return tables().byPattern.get(pattern.toLowerCase());
}

/** Every key of the table, as it is written there. */
export function foreignPatterns(): string[] {
  return tables().rows.map(([path]) => path);
}

/** Whether the table says something about keys below this one. */
export function hasForeignKeys(pattern: string): boolean {
  return tables().parents.has(pattern.toLowerCase());
}

/** The keys right below, as written in the table, that are worth a suggestion. */
export function foreignNames(pattern: string): string[] {
  return tables().rows
    .filter(([path, verdict]) => verdict === "refuse" && parentOf(path) === pattern)
    .map(([path]) => path.slice(path.lastIndexOf(".") + 1));
}

type Row = [path: string, verdict: Foreign["verdict"], why: string, harmless?: unknown[]];

const NOT_YET = "is not in this version";

/** One row per key. A feature that mtray gains takes its rows out; its schema then knows the keys. */
const rows = (): Row[] => [
  ["api", "refuse", `${NOT_YET}: mtray has no gRPC interface`],
  [
    "browserForwarder",
    "refuse",
    `${NOT_YET}: no browser dials for mtray: write ws with tls in streamSettings`,
  ],
  ["burstObservatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["dns", "refuse", `${NOT_YET}: the system resolves names`],
  [
    "env",
    "refuse",
    `${NOT_YET}: set variables where mtray is started, and name them as "env:NAME" in a port`,
  ],
  ["extension", "refuse", `${NOT_YET}: write the sections of V2Ray 4`],
  ["fakedns", "refuse", `${NOT_YET}: names reach the last hop as they are, so rules by domain need none`],
  ["geodata", "refuse", `${NOT_YET}: write networks, domain: items, and geoip:private, which is built in`],
  ["inbound", "refuse", "is V2Ray's old spelling: write it as the first entry of inbounds"],
  ["inboundDetour", "refuse", "is V2Ray's old spelling: move its entries into inbounds"],
  ["metrics", "refuse", `${NOT_YET}: the log tells the bytes of each session`],
  ["multiObservatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["observatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["outbound", "refuse", "is V2Ray's old spelling: write it as the first entry of outbounds"],
  ["outboundDetour", "refuse", "is V2Ray's old spelling: move its entries into outbounds"],
  ["port", "refuse", "is V2Ray's old spelling: write it in an entry of inbounds"],
  [
    "reverse",
    "refuse",
    `${NOT_YET}: let the far machine keep a tunnel open, such as ssh -R, and chain to its port`,
  ],
  ["router", "refuse", `${NOT_YET}: write routing, as in V2Ray 4`],
  ["services", "refuse", `${NOT_YET}: write the sections of V2Ray 4`],
  ["transport", "refuse", "is not taken: write streamSettings in each inbound and outbound"],
  ["version", "refuse", `${NOT_YET}: remove it, mtray reads one version of the format`],
  ["stats", "warn", "has no effect: no interface hands out V2Ray's counters"],
  ["remarks", "warn", "has no effect"],
  ["$schema", "accept", ""],

  ["log.dnsLog", "warn", "has no effect: mtray asks no DNS server itself"],
  ["log.maskAddress", "refuse", `${NOT_YET}: write "none" in log.access to keep addresses out of it`, [
    false,
  ]],

  ["policy.system", "warn", "has no effect: no interface hands out V2Ray's counters"],
  ["policy.levels.*.bufferSize", "warn", "has no effect: buffers are small and bounded"],
  ["policy.levels.*.statsUserUplink", "warn", "has no effect: no interface hands out V2Ray's counters"],
  ["policy.levels.*.statsUserDownlink", "warn", "has no effect: no interface hands out V2Ray's counters"],
  ["policy.levels.*.statsUserOnline", "warn", "has no effect: no interface hands out V2Ray's counters"],

  ["inbounds[].allocate", "refuse", `${NOT_YET}: ports do not change while mtray runs`],
  [
    "inbounds[].domainOverride",
    "refuse",
    'is V2Ray\'s old spelling: write it as sniffing.destOverride, beside "enabled": true',
  ],
  ["inbounds[].remarks", "warn", "has no effect"],
  ["inbounds[dokodemo-door].settings.portMap", "refuse", `${NOT_YET}: write an inbound for each port`],
  ["inbounds[tunnel].settings.portMap", "refuse", `${NOT_YET}: write an inbound for each port`],
  ["inbounds[mtproto].settings.fallbacks[].alpn", "refuse", `${NOT_YET}: sites are told apart by name`],
  ["inbounds[mtproto].settings.fallbacks[].path", "refuse", `${NOT_YET}: sites are told apart by name`],
  ["inbounds[mtproto].settings.fallbacks[].type", "refuse", `${NOT_YET}: write host:port in dest`],
  ["inbounds[vmess].settings.default", "refuse", `${NOT_YET}: write level in each of clients`],
  ["inbounds[vmess].settings.detour", "refuse", `${NOT_YET}: clients stay with the port they know`],
  ["inbounds[vmess].settings.features", "refuse", `${NOT_YET}: clients stay with the port they know`],

  ["outbounds[].targetStrategy", "refuse", `${NOT_YET}: the system resolves names`, ["asis"]],
  ["outbounds[].domainStrategy", "refuse", `${NOT_YET}: the system resolves names`, ["asis"]],
  ["outbounds[].remarks", "warn", "has no effect"],
  [
    "outbounds[freedom].settings.fragment",
    "refuse",
    `${NOT_YET}: remove it, or run Xray beside mtray and chain with a socks outbound`,
  ],
  [
    "outbounds[freedom].settings.noise",
    "refuse",
    `${NOT_YET}: remove it, or run Xray beside mtray and chain with a socks outbound`,
  ],
  [
    "outbounds[freedom].settings.noises",
    "refuse",
    `${NOT_YET}: remove it, or run Xray beside mtray and chain with a socks outbound`,
  ],
  [
    "outbounds[freedom].settings.proxyProtocol",
    "refuse",
    `${NOT_YET}: fallbacks[].xver of an mtproto inbound sends a PROXY header`,
    [0],
  ],

  ["inbounds[].streamSettings.sockopt.dialerProxy", "refuse", "is for outbounds"],
  ...stream("sockopt.domainStrategy", "refuse", `${NOT_YET}: the system resolves names`, ["asis"]),
  ...stream(
    "sockopt.interface",
    "refuse",
    `${NOT_YET}: choose the way in the system, with ip route or ip rule`,
  ),
  ...stream(
    "sockopt.bindToDevice",
    "refuse",
    `${NOT_YET}: choose the way in the system, with ip route or ip rule`,
  ),
  ...stream("sockopt.mark", "refuse", `${NOT_YET}: mark by user or port in the firewall`, [0]),
  ...stream("sockopt.tproxy", "refuse", `${NOT_YET}: clients must be told this gateway's address`, ["off"]),
  ...stream(
    "sockopt.addressPortStrategy",
    "refuse",
    `${NOT_YET}: write the address and the port themselves`,
    ["none"],
  ),
  ...stream("sockopt.customSockopt", "refuse", `${NOT_YET}: set it for the whole system with sysctl`),
  ...stream(
    "sockopt.happyEyeballs",
    "refuse",
    `${NOT_YET}: the runtime tries the addresses of a name in turn`,
  ),
  ...stream("sockopt.V6Only", "refuse", `${NOT_YET}: write an IPv6 address in listen`, [false]),
  ...stream(
    "sockopt.trustedXForwardedFor",
    "refuse",
    `${NOT_YET}: have the relay send a PROXY header, and write acceptProxyProtocol`,
  ),
  ...stream("sockopt.tcpFastOpen", "warn", "has no effect", [false, 0]),
  ...stream("sockopt.tcpFastOpenQueueLength", "warn", "has no effect"),
  ...stream("sockopt.tcpUserTimeout", "warn", "has no effect"),
  ...stream("sockopt.tcpcongestion", "warn", "has no effect"),
  ...stream("sockopt.tcpMptcp", "warn", "has no effect", [false]),
  ...stream("sockopt.mptcp", "warn", "has no effect", [false]),
  ...stream("sockopt.tcpMaxSeg", "warn", "has no effect"),
  ...stream("sockopt.tcpNoDelay", "warn", "has no effect"),
  ...stream("sockopt.tcpWindowClamp", "warn", "has no effect"),
  ...stream("sockopt.rxBufSize", "warn", "has no effect"),
  ...stream("sockopt.txBufSize", "warn", "has no effect"),
  ...stream("sockopt.forceBufSize", "warn", "has no effect", [false]),
  ...stream("sockopt.penetrate", "warn", "has no effect", [false]),
  ...stream("method", "refuse", "is not taken: write network"),
  ...stream("finalmask", "refuse", `${NOT_YET}: write ws or httpupgrade with tls`),
  ...stream("wsSettings.useBrowserForwarding", "refuse", `${NOT_YET}: mtray drives no browser`, [false]),
  ...stream(
    "wsSettings.parseXForwardedFor",
    "refuse",
    `${NOT_YET}, as anybody can send it: have the relay send a PROXY header, and write acceptProxyProtocol`,
    [false],
  ),
  ...["maxEarlyData", "earlyDataHeaderName"].flatMap((key) =>
    stream(
      `httpupgradeSettings.${key}`,
      "refuse",
      `${NOT_YET}: write "?ed=2048" behind the path, as for Xray`,
      [0],
    )
  ),
  ...stream(
    "tlsSettings.verifyClientCertificate",
    "refuse",
    `${NOT_YET}: tell clients apart by their id or password`,
    [false],
  ),
  ...stream("tlsSettings.rejectUnknownSni", "refuse", `${NOT_YET}: the first certificate is shown`, [false]),
  ...["pinnedPeerCertificatePublicKeySha256", "allowInsecureIfPinnedPeerCertificate"].flatMap((key) =>
    stream(`tlsSettings.${key}`, "refuse", `${NOT_YET}: write pinnedPeerCertSha256`, [false])
  ),
  ...["verifyPeerCertByName", "verifyPeerCertInNames", "serverNameToVerify"].flatMap((key) =>
    stream(
      `tlsSettings.${key}`,
      "refuse",
      `${NOT_YET}: serverName is both sent and checked. Write that name there, or pinnedPeerCertSha256`,
    )
  ),
  ...["echConfig", "echConfigList", "echDohServer", "echForceQuery", "echServerKeys", "echSockopt"].flatMap((
    key,
  ) => stream(`tlsSettings.${key}`, "refuse", `${NOT_YET}: the server name is sent in clear`)),
  // What belongs to a transport that is not here; choosing one of them is refused at network and security.
  ...["http", "kcp", "quic", "grpc", "gun", "ds", "xhttp", "splithttp", "hysteria", "hy2"].flatMap((
    key,
  ) => stream(`${key}Settings`, "warn", "has no effect: it belongs to another network")),
  ...["xtls", "reality"].flatMap((key) =>
    stream(`${key}Settings`, "warn", "has no effect: it belongs to another security")
  ),

  ["routing.balancers[].strategy.settings", "warn", "has no effect: nothing probes outbounds"],
  ["routing.settings", "refuse", "is V2Ray's old spelling: move what it holds into routing"],
  ["routing.strategy", "refuse", "is V2Ray's old spelling: remove it", ["rules"]],
  ["routing.domainMatcher", "warn", "has no effect: mtray has one way to match"],
  ["routing.rules[].attrs", "refuse", `${NOT_YET}: of HTTP only the domain is known, write domain`],
  ["routing.rules[].attributes", "refuse", `${NOT_YET}: of HTTP only the domain is known, write domain`],
  ["routing.rules[].process", "refuse", `${NOT_YET}: write source`],
  ["routing.rules[].localIP", "refuse", `${NOT_YET}: write inboundTag`],
  ["routing.rules[].localPort", "refuse", `${NOT_YET}: write inboundTag`],
  ["routing.rules[].vlessRoute", "refuse", `${NOT_YET}: there is no VLESS, write user`],
  ["routing.rules[].webhook", "refuse", `${NOT_YET}: follow the access log`],
  ["routing.rules[].domainMatcher", "warn", "has no effect: mtray has one way to match"],
  ["routing.rules[].ruleTag", "accept", ""],
  ["routing.rules[].remarks", "warn", "has no effect"],
];

interface Tables {
  rows: readonly Row[];
  byPattern: ReadonlyMap<string, Foreign>;
  /** Patterns that something is said below of. */
  parents: ReadonlySet<string>;
}

let made: Tables | undefined;

/** Made when the first key is met that no schema knows: most configs have none. */
function tables(): Tables {
  return made ??= makeTables(rows());
}

function makeTables(rows: readonly Row[]): Tables {
  const byPattern = new Map<string, Foreign>(
    rows.map(([path, verdict, why, harmless = []]) => [path.toLowerCase(), { verdict, why, harmless }]),
  );
  const parents = new Set<string>();
  for (const path of byPattern.keys()) {
    for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) parents.add(parent);
  }
  return { rows, byPattern, parents };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}

/** A key of streamSettings, which inbounds and outbounds have alike. */
function stream(key: string, verdict: Foreign["verdict"], why: string, harmless?: unknown[]): Row[] {
  return ["inbounds", "outbounds"].map((
    list,
  ): Row => [`${list}[].streamSettings.${key}`, verdict, why, harmless]);
}
