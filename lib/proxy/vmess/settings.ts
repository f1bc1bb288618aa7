import * as v from "valibot";
import type { Target } from "../../stream/types.ts";
import { hostText, portNumber } from "../../settings/address.ts";
import { complain, oneOf, pathTo, read, secret, whole, withoutEffect } from "../../settings/words.ts";
import { parseId } from "./id.ts";

/** How an outbound encrypts what it carries. */
export const SECURITIES = ["auto", "aes-128-gcm", "chacha20-poly1305", "none", "zero"] as const;
export type SecurityName = (typeof SECURITIES)[number];

/** Whoever may connect to an inbound. */
export interface InboundUser {
  /** 16 bytes. */
  id: Uint8Array;
  email: string;
  level: number;
}

export interface VmessInboundSettings {
  users: InboundUser[];
  /** Refuses clients whose payload is not encrypted. */
  disableInsecureEncryption: boolean;
}

/** Whom an outbound is at its server. */
export interface OutboundUser {
  /** 16 bytes. */
  id: Uint8Array;
  security: SecurityName;
  /** Lengths are sealed, too. */
  authenticatedLength: boolean;
  /** The end of a direction is not told. */
  noTerminationSignal: boolean;
}

export interface Server {
  address: Target;
  users: OutboundUser[];
}

export interface VmessOutboundSettings {
  /** Used in turns. At least one, each with a user. */
  servers: Server[];
}

const id = secret(read(v.string(), parseId));

/** Zero in every spelling that is in use. Anything else asks for V2Ray's first header, which anybody can forge. */
const alterId = v.optional(
  read(v.unknown(), (value) => {
    if (value === 0 || value === "0" || value === "") return;
    complain("must be 0: write 0 here and at the other end, for mtray has no header but the AEAD one");
  }),
);

const level = v.optional(whole(0, 255), 0);

const client = v.object({ id, alterId, level, email: v.optional(v.string(), "") });

/** `settings` of a vmess inbound, in V2Ray's words and Xray's. */
export const inboundSettings: v.GenericSchema<unknown, VmessInboundSettings> = v.pipe(
  v.object({
    clients: v.optional(v.array(client)),
    users: v.optional(v.array(client)),
    disableInsecureEncryption: v.optional(v.boolean(), false),
  }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { clients, users, disableInsecureEncryption } = dataset.value;
    const key = clients === undefined ? "users" : "clients";
    const list = clients ?? users ?? [];
    if (clients !== undefined && users !== undefined) {
      addIssue({ message: "must not be there beside clients", path: pathTo(dataset.value, "users") });
      return NEVER;
    }
    if (list.length === 0) {
      addIssue({ message: "must have a user with an id", path: pathTo(dataset.value, "clients") });
      return NEVER;
    }
    const seen = new Map<string, number>();
    for (const [index, user] of list.entries()) {
      const earlier = seen.get(String(user.id));
      if (earlier === undefined) seen.set(String(user.id), index);
      else {
        const message = `must not be the id of ${key}[${earlier}] again`;
        addIssue({ message, path: pathTo(dataset.value, key, index, "id") });
      }
    }
    return { users: list.map(({ id, level, email }) => ({ id, level, email })), disableInsecureEncryption };
  }),
);

/** What says who we are, in `users[]` and in Xray's flat form. */
const identity = {
  alterId,
  security: v.optional(oneOf(SECURITIES), "auto"),
  experiments: v.optional(read(v.string(), readExperiments)),
  email: v.optional(v.string()),
  level: withoutEffect("has no effect: the timeouts are those of the inbound's user"),
};

const address = hostText();
const port = portNumber();
const outboundUser = v.object({ id, ...identity });
const server = v.object({
  address,
  port,
  users: v.pipe(v.array(outboundUser), v.minLength(1, "must have a user with an id")),
});

/** `settings` of a vmess outbound, in V2Ray's form with `vnext` and in Xray's flat one. */
export const outboundSettings: v.GenericSchema<unknown, VmessOutboundSettings> = v.pipe(
  v.object({
    vnext: v.optional(v.pipe(v.array(server), v.minLength(1, "must have a server"))),
    address: v.optional(address),
    port: v.optional(port),
    id: v.optional(id),
    ...identity,
  }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { vnext, address, port, id, ...rest } = dataset.value;
    const missing = (key: string, message: string) => {
      addIssue({ message, path: pathTo(dataset.value, key) });
      return NEVER;
    };
    if (vnext !== undefined) {
      const both = Object.entries({ address, port, id }).find(([, value]) => value !== undefined)?.[0];
      if (both !== undefined) return missing(both, "must not be there beside vnext");
      return {
        servers: vnext.map(({ address: host, port, users }) => ({
          address: { host, port },
          users: users.map((user) => userOf(user.id, user)),
        })),
      };
    }
    if (address === undefined) return missing("vnext", "must have a server");
    if (port === undefined) return missing("port", "is missing");
    if (id === undefined) return missing("id", "is missing");
    return { servers: [{ address: { host: address, port }, users: [userOf(id, rest)] }] };
  }),
);

function userOf(id: Uint8Array, { security, experiments }: {
  security: SecurityName;
  experiments?: Experiments;
}): OutboundUser {
  return { id, security, authenticatedLength: false, noTerminationSignal: false, ...experiments };
}

interface Experiments {
  authenticatedLength: boolean;
  noTerminationSignal: boolean;
}

/** Words between bars, as V2Ray 4.41 and Xray read them. */
function readExperiments(text: string): Experiments {
  const words = text.split("|").map((word) => word.trim()).filter((word) => word !== "");
  const unknown = words.find((word) => word !== "AuthenticatedLength" && word !== "NoTerminationSignal");
  if (unknown !== undefined) {
    complain('must be "AuthenticatedLength", "NoTerminationSignal", or both with | between them');
  }
  return {
    authenticatedLength: words.includes("AuthenticatedLength"),
    noTerminationSignal: words.includes("NoTerminationSignal"),
  };
}
