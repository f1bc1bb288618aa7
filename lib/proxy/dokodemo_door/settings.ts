import * as v from "valibot";
import { hostName, ipOf } from "../../settings/address.ts";
import { complain, read, whole } from "../../settings/words.ts";
import type { Target } from "../../stream/types.ts";

export interface DokodemoSettings {
  /** Where everything goes. */
  target: Target;
  tcp: boolean;
  udp: boolean;
  /** Instead of the level's connIdle, in milliseconds. */
  timeout?: number;
  /** Index into `policy.levels`. */
  userLevel: number;
}

const address = read(
  v.string(),
  (text) => ipOf(text) ?? hostName(text) ?? complain("must be a host name or an IP address"),
);
const port = whole(1, 65535);
const network = read(
  v.union([v.string(), v.array(v.string())], "must be text or a list of texts"),
  readNetwork,
);

/** `settings` of a dokodemo-door inbound, in V2Ray's words and in those of Xray's `tunnel`. */
export const settings: v.GenericSchema<unknown, DokodemoSettings> = read(
  v.object({
    address: v.optional(address),
    port: v.optional(port),
    network: v.optional(network),
    rewriteAddress: v.optional(address),
    rewritePort: v.optional(port),
    allowedNetwork: v.optional(network),
    timeout: v.optional(whole(0, 86_400), 0),
    followRedirect: v.optional(
      read(v.boolean(), (on) =>
        on
          ? complain(
            "is not in this version: mtray does no transparent proxying, so clients must be told this gateway's address",
          )
          : on),
    ),
    userLevel: v.optional(whole(0, 255), 0),
  }),
  (keys): DokodemoSettings => {
    const { timeout, userLevel } = keys;
    const host = once("address", keys.address, "rewriteAddress", keys.rewriteAddress);
    const port = once("port", keys.port, "rewritePort", keys.rewritePort);
    const networks = once("network", keys.network, "allowedNetwork", keys.allowedNetwork) ?? ["tcp"];
    if (host === undefined) complain("must have an address: where connections go");
    if (port === undefined) complain("must have a port: where connections go");
    return {
      target: { host, port },
      tcp: networks.includes("tcp"),
      udp: networks.includes("udp"),
      // As in V2Ray, whoever gives a level means its policy.
      ...(timeout > 0 && userLevel === 0 && { timeout: timeout * 1000 }),
      userLevel,
    };
  },
);

/** V2Ray's NetworkList: ["tcp", "udp"] or "tcp,udp"; none is tcp. */
function readNetwork(value: string | string[]): ("tcp" | "udp")[] {
  const items = (typeof value === "string" ? value.split(",") : value)
    .map((item) => item.trim().toLowerCase()).filter((item) => item !== "");
  if (items.length === 0) return ["tcp"];
  return items.map((item) =>
    item === "tcp" || item === "udp" ? item : complain('must be "tcp", "udp" or both')
  );
}

function once<T>(name: string, value: T | undefined, alias: string, other: T | undefined): T | undefined {
  if (value !== undefined && other !== undefined) complain(`must have ${name} or ${alias}, and not both`);
  return value ?? other;
}
