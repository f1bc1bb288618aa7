import * as v from "valibot";
import { ipText } from "../../settings/address.ts";
import { complain, oneOf, read, whole } from "../../settings/words.ts";
import { account, type Server, serverKeys, serversOf } from "../server_settings.ts";

export interface SocksInboundSettings {
  /** Passwords by user; null: nobody has to say who they are. */
  accounts: Map<string, string> | null;
  udp: boolean;
  /** What UDP clients are told to send to; absent: the address that they reached. */
  ip?: string;
  /** Index into `policy.levels`. */
  userLevel: number;
}

export interface SocksOutboundSettings {
  /** At least one; they take turns. */
  servers: Server[];
}

/** `settings` of a socks inbound, as V2Ray writes them. */
export const inboundSettings: v.GenericSchema<unknown, SocksInboundSettings> = read(
  v.object({
    auth: v.optional(oneOf(["noauth", "password"]), "noauth"),
    accounts: v.optional(v.array(account), []),
    udp: v.optional(v.boolean(), false),
    ip: v.optional(ipText()),
    userLevel: v.optional(whole(0, 255), 0),
  }),
  ({ auth, accounts, udp, ip, userLevel }): SocksInboundSettings => {
    if (auth === "password" && accounts.length === 0) {
      complain('must list accounts: "auth" is "password", and nobody could log in');
    }
    const byUser = new Map(accounts.map(({ user, pass }) => [user, pass]));
    return { accounts: auth === "password" ? byUser : null, udp, ...(ip !== undefined && { ip }), userLevel };
  },
);

/** `settings` of a socks outbound: V2Ray's `servers`, or Xray's flat form. */
export const outboundSettings: v.GenericSchema<unknown, SocksOutboundSettings> = read(
  v.object({
    ...serverKeys,
    version: v.optional(
      read(v.string(), (text) => text === "5" ? text : complain('must be "5": no other SOCKS is spoken')),
    ),
  }),
  (keys) => ({ servers: serversOf(keys) }),
);
