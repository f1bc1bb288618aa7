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
  return table.get(pattern.toLowerCase());
}

/** Every key of the table, as it is written there. */
export function foreignPatterns(): string[] {
  return rows.map(([path]) => path);
}

/** Whether the table says something about keys below this one. */
export function hasForeignKeys(pattern: string): boolean {
  return parents.has(pattern.toLowerCase());
}

/** The keys right below, as written in the table, that are worth a suggestion. */
export function foreignNames(pattern: string): string[] {
  return rows
    .filter(([path, verdict]) => verdict === "refuse" && parentOf(path) === pattern)
    .map(([path]) => path.slice(path.lastIndexOf(".") + 1));
}

type Row = [path: string, verdict: Foreign["verdict"], why: string, harmless?: unknown[]];

const NOT_YET = "is not in this version";

/** One row per key. A feature that mtray gains takes its rows out; its schema then knows the keys. */
const rows: Row[] = [
  ["api", "refuse", `${NOT_YET}: mtray has no gRPC interface`],
  ["browserForwarder", "refuse", NOT_YET],
  ["burstObservatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["dns", "refuse", `${NOT_YET}: the system resolves names`],
  ["env", "refuse", NOT_YET],
  ["extension", "refuse", `${NOT_YET}: write the sections of V2Ray 4`],
  ["fakedns", "refuse", NOT_YET],
  ["geodata", "refuse", NOT_YET],
  ["inbound", "refuse", "is V2Ray's old spelling: write it as the first entry of inbounds"],
  ["inboundDetour", "refuse", "is V2Ray's old spelling: move its entries into inbounds"],
  ["metrics", "refuse", NOT_YET],
  ["multiObservatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["observatory", "refuse", `${NOT_YET}: nothing probes outbounds`],
  ["outbound", "refuse", "is V2Ray's old spelling: write it as the first entry of outbounds"],
  ["outboundDetour", "refuse", "is V2Ray's old spelling: move its entries into outbounds"],
  ["port", "refuse", "is V2Ray's old spelling: write it in an entry of inbounds"],
  ["reverse", "refuse", NOT_YET],
  ["router", "refuse", `${NOT_YET}: write routing, as in V2Ray 4`],
  ["services", "refuse", NOT_YET],
  ["transport", "refuse", "is not taken: write streamSettings in each inbound and outbound"],
  ["version", "refuse", NOT_YET],
  ["stats", "warn", "has no effect: no interface hands out V2Ray's counters"],
  ["remarks", "warn", "has no effect"],
  ["$schema", "accept", ""],

  ["log.dnsLog", "warn", "has no effect: mtray asks no DNS server itself"],
  ["log.maskAddress", "refuse", NOT_YET, [false]],

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
  ["outbounds[freedom].settings.fragment", "refuse", NOT_YET],
  ["outbounds[freedom].settings.noise", "refuse", NOT_YET],
  ["outbounds[freedom].settings.noises", "refuse", NOT_YET],
  ["outbounds[freedom].settings.proxyProtocol", "refuse", NOT_YET, [0]],

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
  ...stream("sockopt.addressPortStrategy", "refuse", NOT_YET, ["none"]),
  ...stream("sockopt.customSockopt", "refuse", NOT_YET),
  ...stream("sockopt.happyEyeballs", "refuse", NOT_YET),
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
  ...stream("finalmask", "refuse", NOT_YET),
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
      `${NOT_YET}: write the name in serverName, or pinnedPeerCertSha256`,
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
  ["routing.rules[].vlessRoute", "refuse", NOT_YET],
  ["routing.rules[].webhook", "refuse", NOT_YET],
  ["routing.rules[].domainMatcher", "warn", "has no effect: mtray has one way to match"],
  ["routing.rules[].ruleTag", "accept", ""],
  ["routing.rules[].remarks", "warn", "has no effect"],
];

const table = new Map<string, Foreign>(
  rows.map(([path, verdict, why, harmless = []]) => [path.toLowerCase(), { verdict, why, harmless }]),
);

const parents = new Set<string>();
for (const path of table.keys()) {
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) parents.add(parent);
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
