// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type BoxAddress, linkAddresses } from "../../lib/cli/addresses.ts";

const cases: [what: string, found: [string, string][], expected: string[]][] = [
  ["a gateway: the LAN first, loopback and bridges last, no public address", [
    ["lo", "127.0.0.1"],
    ["eth0", "203.0.113.7"],
    ["docker0", "172.17.0.1"],
    ["br-0123456789ab", "172.18.0.1"],
    ["br-lan", "192.168.1.1"],
    ["wg0", "10.9.0.1"],
    ["wan", "10.20.30.40"],
  ], ["192.168.1.1", "10.20.30.40", "10.9.0.1", "127.0.0.1", "172.17.0.1", "172.18.0.1"]],
  ["OpenWrt's br-lan is the LAN, whatever its block; a private WAN comes after it", [
    ["eth1", "192.168.100.2"],
    ["br-lan", "172.16.0.1"],
  ], ["172.16.0.1", "192.168.100.2"]],
  ["several ordinary networks: 192.168, then 10, then 172.16-31", [
    ["eth0", "172.20.0.5"],
    ["eth1", "10.0.0.5"],
    ["eth2", "192.168.0.5"],
    ["eth3", "192.168.7.5"],
  ], ["192.168.0.5", "192.168.7.5", "10.0.0.5", "172.20.0.5"]],
  ["every kind of bridge is last", [
    ["veth12ab", "169.254.3.4"],
    ["lxcbr0", "10.0.3.1"],
    ["virbr0", "192.168.122.1"],
    ["podman0", "10.88.0.1"],
    ["cni0", "10.42.0.1"],
    ["lo", "127.0.0.1"],
    ["enp3s0", "10.1.2.3"],
  ], ["10.1.2.3", "127.0.0.1", "192.168.122.1", "10.0.3.1", "10.88.0.1", "10.42.0.1", "169.254.3.4"]],
  ["a server with a public address only: that one first", [
    ["lo", "127.0.0.1"],
    ["eth0", "203.0.113.7"],
    ["docker0", "172.17.0.1"],
  ], ["203.0.113.7", "127.0.0.1", "172.17.0.1"]],
  ["a tunnel does not make a server a member of a private network", [
    ["eth0", "203.0.113.7"],
    ["tailscale0", "100.100.1.2"],
    ["wg0", "10.9.0.1"],
  ], ["203.0.113.7", "10.9.0.1", "100.100.1.2"]],
  ["172.15 and 172.32 and 192.167 are public", [
    ["eth0", "172.15.0.1"],
    ["eth1", "172.32.0.1"],
    ["eth2", "192.167.0.1"],
    ["eth3", "10.0.0.1"],
  ], ["10.0.0.1"]],
  ["an address that was given twice is named once", [
    ["eth0", "192.168.1.2"],
    ["eth0:1", "192.168.1.2"],
  ], ["192.168.1.2"]],
  ["a box without addresses", [], []],
];

for (const [what, found, expected] of cases) {
  Deno.test(`addresses for links: ${what}`, () => {
    const addresses: BoxAddress[] = found.map(([name, address]) => ({ name, address }));
    assertEquals(linkAddresses(addresses), expected);
  });
}
