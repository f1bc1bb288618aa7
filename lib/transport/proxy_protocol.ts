/**
 * The PROXY protocol's header, which tells a server who the client of a relay in front of it is.
 *
 * Source: haproxy.org, "The PROXY protocol", versions 1 and 2.
 */
import ipaddr from "ipaddr.js";
import { concat } from "../stream/bytes.ts";
import type { Target } from "../stream/types.ts";

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** Version 2, command PROXY; the relay speaks for itself with LOCAL. */
const PROXY = 0x21, LOCAL = 0x20;
const TCP4 = 0x11, TCP6 = 0x21;
/** The fixed part of version 2. */
const FIXED = 16;
/** The longest line of version 1, its end included. */
const LONGEST_LINE = 107;
/** The most that may follow the fixed part of version 2: addresses, and what relays say beside them. */
const MOST_FOLLOWING = 4096;

/**
 * @param version 1 is text, 2 is binary
 * @param from the client's address
 * @param to the address that the client dialled
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

/** Who is behind a relay. */
export interface Endpoints {
  remote: Target;
  local: Target;
}

/**
 * - `more`    as far as it goes this may become a header
 * - `header`  `used` bytes; without endpoints the relay speaks for itself, or of something that has no address
 * - `bad`     this is none; `why` goes on from "it sent"
 */
export type ProxyVerdict =
  | { kind: "more" }
  | { kind: "header"; used: number; endpoints: Endpoints | null }
  | { kind: "bad"; why: string };

/** Judges the first bytes of a connection, version 1 or 2. */
export function parseProxyHeader(bytes: Uint8Array): ProxyVerdict {
  if (startsLike(bytes, SIGNATURE)) return bytes.length < FIXED ? MORE : parseBinary(bytes);
  if (startsLike(bytes, WORD)) return parseLine(bytes);
  return bad("no PROXY header");
}

const MORE: ProxyVerdict = { kind: "more" };
const WORD = new TextEncoder().encode("PROXY ");

/** Whether bytes and a beginning agree as far as both go. */
function startsLike(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return bytes.subarray(0, beginning.length).every((byte, i) => byte === beginning[i]);
}

function parseLine(bytes: Uint8Array): ProxyVerdict {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(10);
  if (end < 0) return bytes.length < LONGEST_LINE ? MORE : bad("a PROXY line that does not end");
  const line = new TextDecoder("latin1").decode(bytes.subarray(0, end + 1));
  if (/^PROXY UNKNOWN(?: .*)?\r\n$/.test(line)) return { kind: "header", used: end + 1, endpoints: null };
  const parts = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})\r\n$/.exec(line);
  if (parts === null) return bad("a PROXY line that makes no sense");
  const [, family, source, destination, sourcePort, destinationPort] = parts;
  const remote = endpoint(family, source, sourcePort);
  const local = endpoint(family, destination, destinationPort);
  if (remote === null || local === null) return bad("a PROXY line with an impossible address");
  return { kind: "header", used: end + 1, endpoints: { remote, local } };
}

function endpoint(family: string, host: string, port: string): Target | null {
  const valid = family === "4" ? ipaddr.IPv4.isValidFourPartDecimal(host) : ipaddr.IPv6.isValid(host);
  return valid && Number(port) <= 65_535
    ? { host: ipaddr.process(host).toString(), port: Number(port) }
    : null;
}

function parseBinary(bytes: Uint8Array): ProxyVerdict {
  const [command, family] = bytes.subarray(12);
  if (command !== PROXY && command !== LOCAL) return bad("a PROXY header of an unknown version or command");
  const length = bytes[14] << 8 | bytes[15];
  if (length > MOST_FOLLOWING) return bad(`a PROXY header of ${length} bytes`);
  if (bytes.length < FIXED + length) return MORE;
  const none: ProxyVerdict = { kind: "header", used: FIXED + length, endpoints: null };
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  // Another family, such as a unix socket, has no address that could be used; the header is to be skipped.
  if (command === LOCAL || size === 0) return none;
  if (length < 2 * size + 4) return bad("a PROXY header without its addresses");
  const host = (at: number) =>
    ipaddr.process(ipaddr.fromByteArray([...bytes.subarray(at, at + size)]).toString());
  const port = (at: number) => bytes[at] << 8 | bytes[at + 1];
  const ports = FIXED + 2 * size;
  return {
    ...none,
    endpoints: {
      remote: { host: host(FIXED).toString(), port: port(ports) },
      local: { host: host(FIXED + size).toString(), port: port(ports + 2) },
    },
  };
}

function bad(why: string): ProxyVerdict {
  return { kind: "bad", why };
}

function asIPv6(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv6 {
  return address.kind() === "ipv4" ? (address as ipaddr.IPv4).toIPv4MappedAddress() : address as ipaddr.IPv6;
}
