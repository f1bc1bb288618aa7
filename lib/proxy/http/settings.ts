import * as v from "valibot";
import { complain, read, secret, whole } from "../../settings/words.ts";
import { account, type Server, serverKeys, serversOf } from "../server_settings.ts";

export interface HttpInboundSettings {
  /** Passwords by user; null: nobody has to say who they are. */
  accounts: Map<string, string> | null;
  /** Whether requests that name their target in the Host header alone are served, too. */
  allowTransparent: boolean;
  /** Instead of the level's connIdle, in milliseconds. */
  timeout?: number;
  /** Index into `policy.levels`. */
  userLevel: number;
}

export interface HttpOutboundSettings {
  /** At least one; they take turns. */
  servers: Server[];
  /** More headers of the request, as written. */
  headers: [name: string, value: string][];
}

/** `settings` of an http inbound, as V2Ray writes them. */
export const inboundSettings: v.GenericSchema<unknown, HttpInboundSettings> = read(
  v.object({
    accounts: v.optional(v.array(account), []),
    allowTransparent: v.optional(v.boolean(), false),
    timeout: v.optional(whole(0, 86_400), 0),
    userLevel: v.optional(whole(0, 255), 0),
  }),
  ({ accounts, allowTransparent, timeout, userLevel }): HttpInboundSettings => {
    checkUsers(accounts);
    return {
      accounts: accounts.length === 0 ? null : new Map(accounts.map(({ user, pass }) => [user, pass])),
      allowTransparent,
      // As in V2Ray, whoever gives a level means its policy.
      ...(timeout > 0 && userLevel === 0 && { timeout: timeout * 1000 }),
      userLevel,
    };
  },
);

const headers = v.record(
  v.string(),
  secret(
    read(
      v.string(),
      (text) => /^[\t\x20-\x7e]*$/.test(text) ? text : complain("must be one line of ASCII"),
    ),
  ),
);

/** `settings` of an http outbound: V2Ray's `servers`, or Xray's flat form; Xray's `headers`. */
export const outboundSettings: v.GenericSchema<unknown, HttpOutboundSettings> = read(
  v.object({ ...serverKeys, headers: v.optional(headers, {}) }),
  (keys): HttpOutboundSettings => {
    const servers = serversOf(keys);
    checkUsers(servers.flatMap(({ users }) => users));
    const wrong = Object.keys(keys.headers).find((name) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name));
    if (wrong !== undefined) complain("must not have headers whose name is no word of HTTP");
    const ours = Object.keys(keys.headers).find((name) =>
      /^(?:host|proxy-authorization|content-length|transfer-encoding)$/i.test(name)
    );
    if (ours !== undefined) complain(`must not set the header ${ours}, which follows from the rest`);
    return { servers, headers: Object.entries(keys.headers) };
  },
);

/** The colon ends the user in what HTTP sends. */
function checkUsers(accounts: readonly { user: string }[]): void {
  if (accounts.some(({ user }) => user.includes(":"))) {
    complain("must not have a user with a colon: HTTP cannot send it");
  }
}
