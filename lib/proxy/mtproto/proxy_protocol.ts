/**
 * The PROXY protocol's header, which tells a site behind us who the stranger is.
 *
 * Source: haproxy.org, "The PROXY protocol", versions 1 and 2.
 */
import ipaddr from "ipaddr.js";
import { concat } from "../../stream/bytes.ts";
import type { Target } from "../../stream/types.ts";

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** Version 2, command PROXY. */
const PROXY = 0x21;
const TCP4 = 0x11, TCP6 = 0x21;

/**
 * @param version 1 is text, 2 is binary
 * @param from the stranger's address
 * @param to the address that the stranger dialled
 */
export function proxyHeader(version: 1 | 2, from: Target, to: Target): Uint8Array {
  const both = [ipaddr.process(from.host), ipaddr.process(to.host)];
  const is4 = both.every((address) => address.kind() === "ipv4");
  // Both ends must be of one family: an IPv4 address among IPv6 ones is written inside IPv6.
  const [source, destination] = is4 ? both : both.map(asIPv6);
  if (version === 1) {
    const text = `PROXY ${is4 ? "TCP4" : "TCP6"} ${source} ${destination} ${from.port} ${to.port}\r\n`;
    return new TextEncoder().encode(text);
  }
  const addresses = concat(
    Uint8Array.from(source.toByteArray()),
    Uint8Array.from(destination.toByteArray()),
    Uint8Array.of(from.port >> 8, from.port & 255, to.port >> 8, to.port & 255),
  );
  return concat(SIGNATURE, Uint8Array.of(PROXY, is4 ? TCP4 : TCP6, 0, addresses.length), addresses);
}

function asIPv6(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv6 {
  return address.kind() === "ipv4" ? (address as ipaddr.IPv4).toIPv4MappedAddress() : address as ipaddr.IPv6;
}
