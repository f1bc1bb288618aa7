import { assertEquals } from "@std/assert";
import ipaddr from "ipaddr.js";
import { isPrivate } from "../../../lib/proxy/mtproto/private_address.ts";

Deno.test("a household's own addresses, and the ones beside them", () => {
  const own = ["10.0.0.0", "10.255.255.255", "127.0.0.1", "169.254.0.1", "172.16.0.0", "172.31.255.255"];
  const others = ["9.255.255.255", "11.0.0.0", "169.253.1.1", "172.15.0.1", "172.32.0.0", "192.167.0.1"];
  for (const host of [...own, "192.168.255.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"]) {
    assertEquals(isPrivate(host), true, host);
  }
  for (const host of [...others, "192.169.0.1", "8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "example.com"]) {
    assertEquals(isPrivate(host), false, host);
  }
});

Deno.test("for every pair of first bytes of IPv4 it says what the library says", () => {
  const ranges = new Set(["private", "loopback", "linkLocal"]);
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second += 1) {
      const host = `${first}.${second}.0.1`;
      assertEquals(isPrivate(host), ranges.has(new ipaddr.IPv4([first, second, 0, 1]).range()), host);
    }
  }
});
