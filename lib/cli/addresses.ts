import ipaddr from "ipaddr.js";
import { interfaces } from "../runtime/process.ts";

/** An IPv4 address of this box. */
export interface BoxAddress {
  /** The interface, "eth0". */
  name: string;
  address: string;
}

/** What kinds of private network there are, in the order in which links name them. */
const KINDS = ["lan", "wan", "tunnel", "link-local", "loopback", "bridge"] as const;
type Kind = typeof KINDS[number];

// OpenWrt calls the LAN itself br-lan; a container bridge of Docker is br- and twelve hex digits.
const bridges =
  /^(docker|br-[0-9a-f]{12}$|veth|lxc|lxd|incus|virbr|vnet|vboxnet|vmnet|podman|cni|cali|flannel|kube|nerdctl)/;
const tunnels = /^(tun|tap|wg|tailscale|zt|utun|ipsec|nebula|xfrm)/;
const wans = /^(wan|wwan|ppp|lte)/;
const lans = /^(br-lan|lan)/;

/** The IPv4 addresses of this box, in the system's order. Empty where the system does not tell. */
export function boxAddresses(): BoxAddress[] {
  try {
    return interfaces().filter(({ family }) => family === "IPv4")
      .map(({ name, address }) => ({ name, address }));
  } catch {
    return [];
  }
}

/**
 * The addresses that links name, best first: every private one, the LAN's first, loopback and container bridges
 * last. Public ones only where the box is in no private network; then they come first.
 */
export function linkAddresses(found: readonly BoxAddress[]): string[] {
  const privates: { address: string; kind: Kind; order: number }[] = [];
  const publics: string[] = [];
  for (const { name, address } of found) {
    const kind = kindOf(name, address);
    if (kind === undefined) publics.push(address);
    else privates.push({ address, kind, order: orderOf(name, address, kind) });
  }
  privates.sort((a, b) => a.order - b.order);
  const inNetwork = privates.some(({ kind }) => kind === "lan" || kind === "wan");
  return [...new Set([...(inNetwork ? [] : publics), ...privates.map(({ address }) => address)])];
}

/** Nothing for a public address. */
function kindOf(name: string, address: string): Kind | undefined {
  const range = ipaddr.parse(address).range();
  if (range === "loopback") return "loopback";
  if (range !== "private" && range !== "linkLocal" && range !== "carrierGradeNat") return undefined;
  if (bridges.test(name)) return "bridge";
  if (range === "linkLocal") return "link-local";
  // 100.64.0.0/10 is a provider's NAT or Tailscale: some clients can reach it, but not the house.
  if (range === "carrierGradeNat" || tunnels.test(name)) return "tunnel";
  return wans.test(name) ? "wan" : "lan";
}

/** By kind, then interfaces that say that they are the LAN, then what homes use most: 192.168, 10, 172.16–31. */
function orderOf(name: string, address: string, kind: Kind): number {
  const block = address.startsWith("192.") ? 0 : address.startsWith("10.") ? 1 : 2;
  return KINDS.indexOf(kind) * 100 + (lans.test(name) ? 0 : 10) + block;
}
