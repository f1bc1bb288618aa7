import * as v from "valibot";
import { network, security } from "./settings/network.ts";

/**
 * `streamSettings` of a handler. Its parts are read by themselves: those of a network that is not chosen are not.
 * What else V2Ray knows here is refused by name in lib/config/unsupported.ts.
 */
export const streamSettings = v.object({
  network: v.optional(network, "tcp"),
  security: v.optional(security, "none"),
  tcpSettings: v.optional(v.unknown()),
  rawSettings: v.optional(v.unknown()),
  wsSettings: v.optional(v.unknown()),
  httpupgradeSettings: v.optional(v.unknown()),
  tlsSettings: v.optional(v.unknown()),
  sockopt: v.optional(v.unknown()),
});

export { httpUpgradeSettings, tcpSettings, wsSettings } from "./settings/http.ts";
export { inboundSockopt, outboundSockopt } from "./settings/sockopt.ts";
export { tlsSettings } from "./settings/tls.ts";
