import * as v from "valibot";
import { complain, read } from "../../settings/words.ts";
import type { TransportSettings } from "../types.ts";

const NOT_HERE = "is not in this version";

/** Every spelling that V2Ray and Xray take, of what mtray has. */
const networks: Record<string, TransportSettings["network"]> = {
  tcp: "tcp",
  raw: "tcp",
  ws: "ws",
  websocket: "ws",
  httpupgrade: "httpupgrade",
};

/** Of what it has not: the nearest that there is. */
const otherNetworks: Record<string, string> = {
  ...like(["kcp", "mkcp"], `${NOT_HERE}, as it runs over UDP: write "tcp" on both sides`),
  ...like(["quic"], `${NOT_HERE}, as it runs over UDP: write "tcp" and security "tls" on both sides`),
  ...like(["h2", "http"], `${NOT_HERE}: write "ws" on both sides, which passes through the same web servers`),
  ...like(
    ["grpc", "gun"],
    `${NOT_HERE}: write "ws" on both sides, which passes through the same web servers`,
  ),
  ...like(["xhttp", "splithttp"], `${NOT_HERE}: write "ws" or "httpupgrade" on both sides`),
  ...like(["ds", "domainsocket"], `${NOT_HERE}: write "tcp" on both sides, at 127.0.0.1`),
  ...like(
    ["hysteria", "hysteria2", "hy2"],
    `${NOT_HERE}: run it beside mtray (sing-box, Xray, …) and join the two by socks`,
  ),
};

/** `network`: how connections are made. */
export const network = read(v.string(), (text) => {
  const name = text.toLowerCase();
  if (name === "") return "tcp";
  if (Object.hasOwn(networks, name)) return networks[name];
  if (Object.hasOwn(otherNetworks, name)) return complain(`${JSON.stringify(name)} ${otherNetworks[name]}`);
  return complain('must be one of "tcp", "ws", "httpupgrade"');
});

const otherSecurities: Record<string, string> = {
  reality:
    `${NOT_HERE}: write "tls" with a certificate on both sides, or run it beside mtray and join the two by socks`,
  xtls: `${NOT_HERE}, and Xray has it no more: write "tls" on both sides`,
};

/** `security`: what connections are wrapped in. */
export const security = read(v.string(), (text): "none" | "tls" => {
  const name = text.toLowerCase();
  if (name === "" || name === "none") return "none";
  if (name === "tls") return "tls";
  if (Object.hasOwn(otherSecurities, name)) {
    return complain(`${JSON.stringify(name)} ${otherSecurities[name]}`);
  }
  return complain('must be one of "none", "tls"');
});

function like(names: string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}
