/** What the settings of socks and http have in common: accounts, and the servers that an outbound goes through. */
import * as v from "valibot";
import { hostName, ipOf } from "../settings/address.ts";
import { complain, read, secret, whole, withoutEffect } from "../settings/words.ts";
import type { Target } from "../stream/types.ts";

export interface Account {
  /** 1–255 bytes. */
  user: string;
  /** 0–255 bytes. */
  pass: string;
}

/** A proxy that somebody else runs. */
export interface Server {
  address: Target;
  /** They take turns; empty: the server asks nobody who it is. */
  users: Account[];
}

const user = read(
  v.string(),
  (text) => text !== "" && bytesOf(text) < 256 ? text : complain("must be 1 to 255 bytes long"),
);
const pass = secret(
  read(v.string(), (text) => bytesOf(text) < 256 ? text : complain("must be at most 255 bytes long")),
);

/** Somebody who may use an inbound. */
export const account = v.object({ user, pass });

const noLevel = withoutEffect("has no effect: the timeouts are those of the inbound's user");
const address = read(
  v.string(),
  (text) => ipOf(text) ?? hostName(text) ?? complain("must be a host name or an IP address"),
);
const port = whole(1, 65535);

/** Keys of an outbound's settings: V2Ray's `servers`, or the same of one server in Xray's flat form. */
export const serverKeys = {
  servers: v.optional(v.array(v.object({
    address,
    port,
    users: v.optional(v.array(v.object({ user, pass, level: noLevel, email: v.optional(v.string()) })), []),
  }))),
  address: v.optional(address),
  port: v.optional(port),
  user: v.optional(user),
  pass: v.optional(pass),
  level: noLevel,
  email: v.optional(v.string()),
};

/** What stands under these keys. */
export interface ServerKeys {
  servers?: { address: string; port: number; users: Account[] }[];
  address?: string;
  port?: number;
  user?: string;
  pass?: string;
}

/**
 * The servers that both forms together name.
 *
 * @throws {MtrayError} `config`, with a message about the settings
 */
export function serversOf(keys: ServerKeys): Server[] {
  const { servers = [], address, port, user, pass } = keys;
  const flat = [address, port, user, pass].some((value) => value !== undefined);
  if (flat && servers.length > 0) complain("must have either servers, or address and port, and not both");
  if (!flat) {
    if (servers.length === 0) complain("must list a server in servers");
    return servers.map(({ address, port, users }) => ({
      address: { host: address, port },
      users: users.map(({ user, pass }) => ({ user, pass })),
    }));
  }
  if (address === undefined || port === undefined) complain("must have both address and port");
  if (user === undefined && pass !== undefined) complain("must have a user for pass");
  const users = user === undefined ? [] : [{ user, pass: pass ?? "" }];
  return [{ address: { host: address, port }, users }];
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
