// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../lib/errors.ts";
import { bytesOfIp, matchIp } from "../../lib/routing/ip.ts";

function matched(items: string[], hosts: string[]): string[] {
  return hosts.filter(matchIp(items));
}

Deno.test("bytesOfIp() takes addresses, and no short forms", () => {
  assertEquals(bytesOfIp("1.2.3.4"), Uint8Array.of(1, 2, 3, 4));
  assertEquals(bytesOfIp("::1"), Uint8Array.of(...new Array(15).fill(0), 1));
  assertEquals(bytesOfIp("[::1]"), bytesOfIp("::1"));
  assertEquals(bytesOfIp("::ffff:1.2.3.4"), Uint8Array.of(1, 2, 3, 4));
  assertEquals(bytesOfIp("::FFFF:102:304"), Uint8Array.of(1, 2, 3, 4));
  for (
    const text of [
      "",
      "1.2.3",
      "1",
      "0x1.2.3.4",
      "01.2.3.4",
      "256.1.1.1",
      "1.2.3.4.5",
      "fe80::1%eth0",
      "a.b",
      ":",
    ]
  ) {
    assertEquals(bytesOfIp(text), null, text);
  }
});

Deno.test("an address alone", () => {
  const hosts = [
    "192.0.2.1",
    "192.0.2.2",
    "::ffff:192.0.2.1",
    "2001:db8::1",
    "2001:DB8:0::1",
    "192.0.2.1.example",
  ];
  assertEquals(matched(["192.0.2.1"], hosts), ["192.0.2.1", "::ffff:192.0.2.1"]);
  assertEquals(matched(["2001:db8::1"], hosts), ["2001:db8::1", "2001:DB8:0::1"]);
});

Deno.test("networks, at whole and at broken bytes", () => {
  assertEquals(matched(["10.0.0.0/8"], ["10.255.0.1", "11.0.0.0", "9.255.255.255"]), ["10.255.0.1"]);
  assertEquals(matched(["172.16.0.0/12"], ["172.15.9.9", "172.16.0.0", "172.31.255.255", "172.32.0.0"]), [
    "172.16.0.0",
    "172.31.255.255",
  ]);
  assertEquals(matched(["192.0.2.0/31"], ["192.0.2.0", "192.0.2.1", "192.0.2.2"]), [
    "192.0.2.0",
    "192.0.2.1",
  ]);
  assertEquals(matched(["10.1.2.3/8"], ["10.9.9.9"]), ["10.9.9.9"]);
  assertEquals(matched(["2001:db8::/33"], ["2001:db8:7fff::1", "2001:db8:8000::1"]), ["2001:db8:7fff::1"]);
  assertEquals(matched(["::ffff:10.0.0.0/104"], ["10.1.1.1", "11.1.1.1"]), ["10.1.1.1"]);
});

Deno.test("a network of everything is of its own family", () => {
  const hosts = ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "a.example"];
  assertEquals(matched(["0.0.0.0/0"], hosts), ["0.0.0.0", "255.255.255.255"]);
  assertEquals(matched(["::/0"], hosts), ["::", "2001:db8::1"]);
});

Deno.test("several items: one is enough", () => {
  assertEquals(matched(["192.0.2.1", "10.0.0.0/8"], ["10.0.0.1", "192.0.2.1", "192.0.2.2"]), [
    "10.0.0.1",
    "192.0.2.1",
  ]);
});

Deno.test("geoip:private is built in", () => {
  const inside = [
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.1.1", "172.31.0.1"],
    ...["192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.19.0.1", "198.51.100.7", "203.0.113.7"],
    ...["224.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fdff::1", "fe80::1", "febf::1", "ff02::1"],
    ...["::ffff:192.168.1.1"],
  ];
  const outside = [
    "1.1.1.1",
    "100.128.0.1",
    "172.32.0.1",
    "149.154.167.51",
    "2001:67c:4e8:f002::a",
    "fec0::1",
    "lan",
  ];
  assertEquals(matched(["geoip:private"], [...inside, ...outside]), inside);
  assertEquals(matched(["GeoIP:Private"], ["10.0.0.1"]), ["10.0.0.1"]);
});

Deno.test("what is not an item says so", () => {
  const lists = 'must be addresses, networks or "geoip:private": this version reads no list files';
  const network = "must be an IP address, a network such as 10.0.0.0/8, or geoip:private";
  const cases: [string, string][] = [
    ["geoip:cn", lists],
    ["geoip:!private", lists],
    ["ext:file.dat:tag", lists],
    ["example.com", network],
    ["10.0.0.0/8/8", network],
    ["", network],
    ["10.0.0.0/", "must have a prefix length from 0 to 32 after the slash"],
    ["10.0.0.0/33", "must have a prefix length from 0 to 32 after the slash"],
    ["10.0.0.0/255.0.0.0", "must have a prefix length from 0 to 32 after the slash"],
    ["2001:db8::/129", "must have a prefix length from 0 to 128 after the slash"],
    ["::ffff:10.0.0.0/8", "must have a prefix length from 96 to 128 after the slash"],
  ];
  for (const [item, message] of cases) {
    assertEquals((assertThrows(() => matchIp([item]), MtrayError) as MtrayError).message, message, item);
  }
});

Deno.test("a network holds an address when their first bits are equal", () => {
  const bits = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(fc.property(address, address, fc.integer({ min: 0, max: 32 }), (a, b, prefix) => {
    // Two random addresses are rarely near each other.
    const near = b.map((byte, i) => i < 2 ? a[i] : byte);
    const expected = bits(a).slice(0, prefix) === bits(near).slice(0, prefix);
    assertEquals(matchIp([`${a.join(".")}/${prefix}`])(near.join(".")), expected);
  }));
});
