import ipaddr from "ipaddr.js";

/** The ranges of a home's own network, where nobody between the client and us listens but the household. */
const PRIVATE = new Set(["private", "loopback", "linkLocal", "uniqueLocal"]);

/** Whether an address belongs to the gateway's own network. */
export function isPrivate(host: string): boolean {
  return ipaddr.isValid(host) && PRIVATE.has(ipaddr.process(host).range());
}
