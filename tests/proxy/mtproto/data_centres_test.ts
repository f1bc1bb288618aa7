// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  addressesOf,
  type IpPreference,
  ruleTargetOf,
  ruleTargets,
} from "../../../lib/proxy/mtproto/data_centres.ts";
import type { Target } from "../../../lib/stream/types.ts";

const none = new Map<number, Target[]>();

/** Hosts, and all of them on port 443. */
function hosts(dc: number, ip: IpPreference = "auto", pinned = none): string[] | null {
  const found = addressesOf(dc, pinned, ip);
  for (const { port } of found ?? []) assertEquals(port, 443);
  return found && found.map(({ host }) => host);
}

Deno.test("the built-in table is Telegram's", () => {
  const table: [number, string[]][] = [
    [1, ["149.154.175.50", "2001:b28:f23d:f001::a"]],
    [2, ["149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"]],
    [3, ["149.154.175.100", "2001:b28:f23d:f003::a"]],
    [4, ["149.154.167.91", "2001:67c:4e8:f004::a"]],
    [5, ["149.154.171.5", "2001:b28:f23f:f005::a"]],
    [-1, ["149.154.175.50", "2001:b28:f23d:f001::a"]],
    [-2, ["149.154.167.151", "149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"]],
    [-3, ["149.154.175.100", "2001:b28:f23d:f003::a"]],
    [-4, ["149.154.164.250", "149.154.167.91", "2001:67c:4e8:f004::a"]],
    [-5, ["149.154.171.5", "2001:b28:f23f:f005::a"]],
    [203, ["91.105.192.100", "2a0a:f280:203:a:5000::100"]],
    [-203, ["91.105.192.100", "2a0a:f280:203:a:5000::100"]],
    [10001, ["149.154.175.10", "2001:b28:f23d:f001::e"]],
    [10002, ["149.154.167.40", "2001:67c:4e8:f002::e"]],
    [10003, ["149.154.175.117", "2001:b28:f23d:f003::e"]],
    [-10002, ["149.154.167.40", "2001:67c:4e8:f002::e"]],
  ];
  for (const [dc, expected] of table) assertEquals(hosts(dc), expected, `data centre ${dc}`);
});

Deno.test("0 means 2", () => {
  assertEquals(hosts(0), hosts(2));
  assertEquals(hosts(-0), hosts(2));
  const pinned = new Map([[2, [{ host: "192.0.2.2", port: 443 }]]]);
  assertEquals(hosts(0, "auto", pinned), ["192.0.2.2"]);
});

Deno.test("an id found nowhere has no addresses", () => {
  for (const dc of [6, -6, 7, 10000, 10004, 9999, 32767, -32768]) {
    assertEquals(addressesOf(dc, none, "auto"), null);
  }
});

Deno.test("whoever pins 2 never reaches the built-in centre by -2", () => {
  const pinned = new Map([[2, [{ host: "192.0.2.2", port: 443 }]]]);
  assertEquals(hosts(2, "auto", pinned), ["192.0.2.2"]);
  assertEquals(hosts(-2, "auto", pinned), ["192.0.2.2"]);
  assertEquals(hosts(4, "auto", pinned), hosts(4));
  assertEquals(hosts(10002, "auto", pinned), hosts(10002));
});

Deno.test("a pinned signed id comes before its absolute value, and is not it", () => {
  const pinned = new Map([
    [-2, [{ host: "192.0.2.22", port: 443 }]],
    [2, [{ host: "192.0.2.2", port: 443 }]],
    [-4, [{ host: "192.0.2.44", port: 443 }]],
    [77, [{ host: "192.0.2.77", port: 443 }]],
  ]);
  assertEquals(hosts(-2, "auto", pinned), ["192.0.2.22"]);
  assertEquals(hosts(2, "auto", pinned), ["192.0.2.2"]);
  assertEquals(hosts(-4, "auto", pinned), ["192.0.2.44"]);
  assertEquals(hosts(4, "auto", pinned), hosts(4));
  assertEquals(hosts(77, "auto", pinned), ["192.0.2.77"]);
  assertEquals(hosts(-77, "auto", pinned), ["192.0.2.77"]);
});

Deno.test("ip orders and filters the built-in addresses", () => {
  const [first, second, six] = ["149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"];
  assertEquals(hosts(2, "auto"), [first, second, six]);
  assertEquals(hosts(2, "4"), [first, second, six]);
  assertEquals(hosts(2, "6"), [six, first, second]);
  assertEquals(hosts(2, "4only"), [first, second]);
  assertEquals(hosts(2, "6only"), [six]);
});

Deno.test("ip orders and filters pinned addresses; a name passes each filter", () => {
  const [four, six, name] = ["192.0.2.1", "2001:db8::1", "dc.example"];
  const pinned = new Map([
    [2, [six, name, four].map((host) => ({ host, port: 443 }))],
    [3, [{ host: four, port: 443 }]],
  ]);
  assertEquals(hosts(2, "auto", pinned), [name, four, six]);
  assertEquals(hosts(2, "6", pinned), [six, name, four]);
  assertEquals(hosts(2, "4only", pinned), [name, four]);
  assertEquals(hosts(2, "6only", pinned), [six, name]);
  // Pinned, so the built-in IPv6 address is none of its.
  assertEquals(addressesOf(3, pinned, "6only"), null);
});

Deno.test("ports of pinned addresses stay", () => {
  const target = { host: "127.0.0.1", port: 18443 };
  assertEquals(addressesOf(2, new Map([[2, [target]]]), "auto"), [target]);
});

Deno.test("ruleTargetOf() is the ordinary IPv4 address", () => {
  const table: [number, string][] = [
    ...[[1, "149.154.175.50"], [-1, "149.154.175.50"], [2, "149.154.167.51"], [
      -2,
      "149.154.167.51",
    ]] as const,
    ...[[0, "149.154.167.51"], [-4, "149.154.167.91"], [5, "149.154.171.5"], [
      203,
      "91.105.192.100",
    ]] as const,
    ...[[10001, "149.154.175.10"], [-10003, "149.154.175.117"]] as const,
    // Found nowhere: Telegram all the same.
    ...[[6, "149.154.167.51"], [-777, "149.154.167.51"], [32767, "149.154.167.51"]] as const,
  ].map(([dc, host]) => [dc, host]);
  for (const [dc, host] of table) assertEquals(ruleTargetOf(dc), { host, port: 443 });
});

Deno.test("ruleTargets() is all that ruleTargetOf() answers", () => {
  const key = ({ host, port }: Target) => `${host}:${port}`;
  const answers = new Set<string>();
  for (let dc = -32768; dc <= 32767; dc++) answers.add(key(ruleTargetOf(dc)));
  assertEquals(new Set(ruleTargets().map(key)), answers);
});
