/** A destination on the wire: port (2 bytes), kind of address (1), address. */
import ipaddr from "ipaddr.js";
import { MtrayError } from "../../errors.ts";
import { ipOf } from "../../settings/address.ts";
import type { Target } from "../../stream/types.ts";
import { requestedHost } from "../requested_host.ts";

const IPV4 = 1, DOMAIN = 2, IPV6 = 3;
/** Bytes before the address. */
const HEAD = 3;

/** @throws {MtrayError} `unsupported`, when a name has no room in it */
export function encodeAddress({ host, port }: Target): Uint8Array {
  const ip = ipOf(host);
  const address = ip === null ? nameBytes(host) : Uint8Array.from(ipaddr.parse(ip).toByteArray());
  const bytes = new Uint8Array(HEAD + address.length);
  bytes[0] = port >> 8;
  bytes[1] = port;
  bytes[2] = ip === null ? DOMAIN : address.length === 4 ? IPV4 : IPV6;
  bytes.set(address, HEAD);
  return bytes;
}

/**
 * Reads a destination that begins at `at`. Ports are 0–65535: what port 0 means is the caller's to say.
 *
 * @returns null when it is cut off, otherwise the destination and how many bytes it takes
 * @throws {MtrayError} `protocol`
 */
export function decodeAddress(bytes: Uint8Array, at = 0): { target: Target; used: number } | null {
  if (bytes.length < at + HEAD) return null;
  const port = bytes[at] << 8 | bytes[at + 1];
  const kind = bytes[at + 2];
  let from = at + HEAD, length: number;
  if (kind === IPV4) length = 4;
  else if (kind === IPV6) length = 16;
  else if (kind === DOMAIN) {
    if (bytes.length === from) return null;
    length = bytes[from++];
  } else {
    refuse(`${kind} is no kind of address`);
  }
  const end = from + length;
  if (bytes.length < end) return null;
  const address = bytes.subarray(from, end);
  const host = kind === DOMAIN ? nameOf(address) : ipaddr.process(textOfIp(address)).toString();
  return { target: { host, port }, used: end - at };
}

function nameBytes(host: string): Uint8Array {
  const name = new TextEncoder().encode(host);
  if (name.length === 0 || name.length > 255) {
    throw new MtrayError("unsupported", "cannot write an address: a name has 1 to 255 bytes");
  }
  return Uint8Array.of(name.length, ...name);
}

/** Some clients write an IP address where a name belongs. */
function nameOf(bytes: Uint8Array): string {
  return requestedHost(String.fromCharCode(...bytes)) ??
    refuse("it is no host name");
}

function refuse(why: string): never {
  throw new MtrayError("protocol", `cannot read an address: ${why}`);
}

function textOfIp(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
