import ipaddr from "ipaddr.js";
import { ipOf } from "../settings/address.ts";
import { complain } from "../settings/words.ts";
import { PRIVATE_NETWORKS } from "./private_networks.ts";

/** An address as 4 or 16 bytes; IPv6 that only wraps an IPv4 address is that address. Null for a host name. */
export function bytesOfIp(text: string): Uint8Array | null {
  const plain = ipOf(text);
  return plain === null ? null : Uint8Array.from(ipaddr.process(plain).toByteArray());
}

/** A network: addresses of the same length whose first `prefix` bits are equal. */
interface Network {
  bytes: Uint8Array;
  /** 0–32 or 0–128 */
  prefix: number;
}

/**
 * Makes one function of the items of a rule's `ip` or `source`: addresses, networks and `geoip:private`.
 *
 * @returns whether a host is in one of them; a host name never is
 * @throws {MtrayError} `config`, with a message that goes on from a path: "must be …"
 */
export function matchIp(items: readonly string[]): (host: string) => boolean {
  const networks = items.flatMap(parseIpItem);
  return (host) => {
    const bytes = bytesOfIp(host);
    return bytes !== null && networks.some((network) => contains(network, bytes));
  };
}

/** What an item stands for. Throws as `matchIp` does. */
export function parseIpItem(item: string): Network[] {
  const list = /^(!?geoip|ext|ext-ip|geosite):(.*)$/i.exec(item);
  if (list !== null) {
    if (/^geoip:private$/i.test(item)) return PRIVATE_NETWORKS.map(parseNetwork);
    complain('must be addresses, networks or "geoip:private": this version reads no list files');
  }
  return [parseNetwork(item)];
}

function parseNetwork(text: string): Network {
  const [address, length, more] = text.split("/");
  const bytes = bytesOfIp(address);
  if (bytes === null || more !== undefined) {
    complain("must be an IP address, a network such as 10.0.0.0/8, or geoip:private");
  }
  if (length === undefined) return { bytes, prefix: bytes.length * 8 };
  // A network of wrapped IPv4 addresses counts the 96 bits around them.
  const wrapped = bytes.length === 4 && address.includes(":") ? 96 : 0;
  const prefix = /^(?:0|[1-9][0-9]{0,2})$/.test(length) ? Number(length) - wrapped : NaN;
  if (!(prefix >= 0 && prefix <= bytes.length * 8)) {
    complain(`must have a prefix length from ${wrapped} to ${wrapped + bytes.length * 8} after the slash`);
  }
  return { bytes, prefix };
}

function contains({ bytes, prefix }: Network, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  const wholeBytes = prefix >> 3;
  for (let i = 0; i < wholeBytes; i++) {
    if (address[i] !== bytes[i]) return false;
  }
  const mask = (0xff00 >> (prefix & 7)) & 0xff;
  return mask === 0 || (address[wholeBytes] & mask) === (bytes[wholeBytes] & mask);
}
