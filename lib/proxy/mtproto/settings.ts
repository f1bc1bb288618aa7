import * as v from "valibot";
import type { Target } from "../../stream/types.ts";
import { hostName, parseTarget, targetText } from "../../settings/address.ts";
import { complain, oneOf, pathTo, read, secret, whole } from "../../settings/words.ts";
import type { IpPreference } from "./data_centres.ts";
import { formatSecret, parseSecret, type Secret } from "./secret.ts";

export interface MtprotoUser {
  secret: Secret;
  /** Empty when the config gives none. */
  email: string;
  /** Index into `policy.levels`. */
  level: number;
}

/** A site that strangers are shown. */
export interface Fallback {
  /** The SNI it is for, in lower case; empty: any. */
  name: string;
  dest: Target;
  /** Version of the PROXY protocol that the site is sent; 0 for none. */
  xver: 0 | 1 | 2;
  /** Outbound to reach the site through; empty: none, the system's own dial. */
  outboundTag: string;
}

export interface MtprotoInboundSettings {
  /** At least one; no two have the same secret. */
  users: MtprotoUser[];
  fallbacks: Fallback[];
  /** How far a client's clock may be off either way, in milliseconds. */
  maxTimeDiff: number;
}

export interface MtprotoOutboundSettings {
  /** Whether the data centre encrypts with the client's own key. "auto": where nobody between can see both. */
  adoptDownlinkKey: "auto" | boolean;
  /** Addresses by signed id, instead of the built-in ones. */
  dataCenters: Map<number, Target[]>;
  ip: IpPreference;
}

const user = v.object({
  secret: secret(read(v.string(), parseSecret)),
  email: v.optional(v.string(), ""),
  level: v.optional(whole(0, 255), 0),
});

const port = v.union([v.string(), v.number()], "must be host:port, or a port of this machine");

const fallback = v.object({
  name: v.optional(
    read(v.string(), (text) => text === "" ? "" : hostName(text) ?? complain("must be a host name")),
    "",
  ),
  dest: v.optional(read(port, readDest)),
  xver: v.optional(v.pipe(whole(0, 2), v.transform((version) => version as 0 | 1 | 2)), 0),
  outboundTag: v.optional(v.string(), ""),
});

const inbound = v.object({
  users: v.optional(v.array(user), []),
  fallbacks: v.optional(v.array(fallback), []),
  maxTimeDiff: v.optional(whole(1000, 86_400_000), 120_000),
});

/** `settings` of an mtproto inbound: V2Ray's `users`, Xray's words for fallbacks and `maxTimeDiff`. */
export const inboundSettings: v.GenericSchema<unknown, MtprotoInboundSettings> = v.pipe(
  inbound,
  v.rawTransform(({ dataset, addIssue }): MtprotoInboundSettings => {
    const { users, fallbacks, maxTimeDiff } = dataset.value;
    const at = (list: "users" | "fallbacks", index: number, key: string, message: string) =>
      addIssue({ message, path: pathTo(dataset.value, list, index, key) });

    if (users.length === 0) {
      addIssue({ message: "must have a user with a secret", path: pathTo(dataset.value, "users") });
    }
    const seen = new Map<string, number>();
    for (const [index, { secret }] of users.entries()) {
      const earlier = seen.get(formatSecret(secret));
      if (earlier === undefined) seen.set(formatSecret(secret), index);
      else at("users", index, "secret", `must not be the secret of users[${earlier}] again`);
    }

    const site = users.find((user) => user.secret.kind === "ee")?.secret.domain;
    const names = new Map<string, number>();
    const sites = fallbacks.map((fallback, index): Fallback => {
      const earlier = names.get(fallback.name);
      if (earlier === undefined) names.set(fallback.name, index);
      else at("fallbacks", index, "name", `must differ from that of fallbacks[${earlier}]`);
      if (fallback.dest !== undefined) return { ...fallback, dest: fallback.dest };
      if (fallback.xver !== 0) {
        at("fallbacks", index, "xver", "needs dest: other people's sites take no PROXY header");
      }
      // The default site, for those who only want an outbound for it.
      const host = fallback.name || site;
      if (host === undefined) at("fallbacks", index, "dest", "is missing: no ee secret names a site to show");
      return { ...fallback, dest: { host: host ?? "", port: 443 } };
    });
    return { users, fallbacks: sites, maxTimeDiff };
  }),
);

const addresses = v.pipe(
  v.union([v.string(), v.array(v.unknown())], 'must be "host:port" or a list of these'),
  v.transform((value): unknown[] => typeof value === "string" ? [value] : value),
  v.array(targetText()),
  v.minLength(1, "must list an address"),
);

/** `settings` of an mtproto outbound. V2Ray's are empty. */
export const outboundSettings: v.GenericSchema<unknown, MtprotoOutboundSettings> = v.object({
  adoptDownlinkKey: v.optional(
    v.union([v.literal("auto"), v.boolean()], 'must be "auto", true or false'),
    "auto",
  ),
  dataCenters: v.optional(
    v.pipe(
      v.record(v.string(), addresses),
      v.rawTransform(({ dataset, addIssue }) => {
        const byId = new Map<number, Target[]>();
        for (const [key, targets] of Object.entries(dataset.value)) {
          const wrong = complaintAboutId(key);
          if (wrong === undefined) byId.set(Number(key), targets);
          else {addIssue({
              message: wrong,
              path: [{ type: "object", origin: "key", input: {}, key, value: targets }],
            });}
        }
        return byId;
      }),
    ),
    {},
  ),
  ip: v.optional(oneOf(["auto", "4", "6", "4only", "6only"]), "auto"),
});

/** Ids travel as signed 16-bit numbers. */
function complaintAboutId(key: string): string | undefined {
  if (key === "0") return 'must not be 0, which means 2: write "2"';
  const id = /^-?[1-9][0-9]{0,4}$/.test(key) ? Number(key) : NaN;
  return id >= -32768 && id <= 32767 ? undefined : 'must be the id of a data centre, such as "2" or "-2"';
}

function readDest(value: string | number): Target {
  const digits = String(value);
  if (/^[@/]/.test(digits)) complain("must be host:port: mtray does not dial unix sockets");
  if (!/^[0-9]+$/.test(digits) && typeof value === "string") return parseTarget(value);
  const port = Number(digits);
  if (!Number.isInteger(port) || port < 1 || port > 65535) complain("must be a port from 1 to 65535");
  return { host: "127.0.0.1", port };
}
