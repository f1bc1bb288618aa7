import ipaddr from "ipaddr.js";

/** The ranges of a home's own network, where nobody between the client and us listens but the household. */
const PRIVATE = new Set(["private", "loopback", "linkLocal", "uniqueLocal"]);

/** Whether an address belongs to the gateway's own network. */
export function isPrivate(host: string): boolean {
  const four = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host);
  // Asked for every connection, and nearly always of IPv4.
  if (four !== null) return isPrivate4(Number(four[1]), Number(four[2]));
  return ipaddr.isValid(host) && PRIVATE.has(ipaddr.process(host).range());
}

/** RFC 1918, loopback and link-local, by the first two bytes. */
function isPrivate4(first: number, second: number): boolean {
  return first === 10 || first === 127 || (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) || (first === 169 && second === 254);
}
