import { hostName, ipOf } from "../settings/address.ts";

/**
 * The host that a client asks for: an IP address without brackets, or a name in lower case. Null for everything
 * else, so that nothing can hide from rules in another notation of an address, or write lines into a log.
 */
export function requestedHost(text: string): string | null {
  return ipOf(text) ?? requestedName(text);
}

/** A name that a client asks for, in lower case, or null. Underscores and a dot at the end are taken, too. */
export function requestedName(text: string): string | null {
  return hostName(text.replace(/\.$/, "").replaceAll("_", "x")) === null ? null : text.toLowerCase();
}
