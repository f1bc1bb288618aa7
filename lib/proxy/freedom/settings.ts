import * as v from "valibot";
import { parseTarget } from "../../settings/address.ts";
import { complain, read, withoutEffect } from "../../settings/words.ts";

/** Where every connection goes instead of its own target. */
export interface Redirect {
  /** Absent: the target's own host. */
  host?: string;
  /** 1–65535 */
  port: number;
}

/** `settings` of a freedom outbound, as V2Ray writes them. */
export const settings = v.object({
  domainStrategy: v.optional(
    read(v.string(), (text): "AsIs" => {
      if (/^as[-_]?is$/i.test(text)) return "AsIs";
      complain('must be "AsIs": mtray has no DNS of its own yet, so the system resolves names');
    }),
    "AsIs",
  ),
  redirect: v.optional(read(v.string(), parseRedirect)),
  userLevel: withoutEffect("has no effect: the timeouts are those of the inbound's user"),
  timeout: withoutEffect("has no effect: write policy.levels.0.connIdle"),
});

export type FreedomSettings = v.InferOutput<typeof settings>;

function parseRedirect(text: string): Redirect | undefined {
  if (text === "") return undefined;
  // The host is checked with a stand-in where the config leaves it out.
  const { host, port } = parseTarget(text.startsWith(":") ? `localhost${text}` : text);
  return text.startsWith(":") ? { port } : { host, port };
}
