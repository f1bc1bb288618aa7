import { assertEquals } from "@std/assert";
import { proxyHeader } from "../../../lib/transport/proxy_protocol.ts";
import { parseSecret } from "../../../lib/proxy/mtproto/secret.ts";
import type { Fallback } from "../../../lib/proxy/mtproto/settings.ts";
import { Sites } from "../../../lib/proxy/mtproto/sites.ts";
import { toHex } from "../../../lib/stream/bytes.ts";

const ee = (domain: string) => ({
  secret: parseSecret("ee" + "00".repeat(16) + toHex(new TextEncoder().encode(domain))),
  email: "",
  level: 0,
});
const classic = { secret: parseSecret("11".repeat(16)), email: "", level: 0 };

const fallback = (name: string, port: number): Fallback => ({
  name,
  dest: { host: "127.0.0.1", port },
  xver: 0,
  outboundTag: "",
});
const hostAndPort = (sites: Sites, name: string) =>
  `${sites.for(name).dest.host}:${sites.for(name).dest.port}`;

Deno.test("without ee users and fallbacks there is no site", () => {
  assertEquals(new Sites({ users: [classic], fallbacks: [] }).any, false);
});

Deno.test("the site of an ee user is its domain, and the first one's is everybody else's", () => {
  const sites = new Sites({ users: [classic, ee("a.example"), ee("b.example")], fallbacks: [] });
  assertEquals(sites.any, true);
  assertEquals(hostAndPort(sites, "a.example"), "a.example:443");
  assertEquals(hostAndPort(sites, "b.example"), "b.example:443");
  assertEquals(hostAndPort(sites, "c.example"), "a.example:443");
  assertEquals(hostAndPort(sites, ""), "a.example:443");
});

Deno.test("a fallback stands for its name, one without a name for every other", () => {
  const users = [ee("a.example"), ee("b.example")];
  const named = new Sites({ users, fallbacks: [fallback("b.example", 1), fallback("c.example", 2)] });
  assertEquals(hostAndPort(named, "a.example"), "a.example:443");
  assertEquals(hostAndPort(named, "b.example"), "127.0.0.1:1");
  assertEquals(hostAndPort(named, "c.example"), "127.0.0.1:2");
  assertEquals(hostAndPort(named, "d.example"), "127.0.0.1:1");
  const any = new Sites({ users, fallbacks: [fallback("c.example", 2), fallback("", 3)] });
  assertEquals(hostAndPort(any, "a.example"), "127.0.0.1:3");
  assertEquals(hostAndPort(any, "c.example"), "127.0.0.1:2");
  assertEquals(hostAndPort(any, "d.example"), "127.0.0.1:3");
});

Deno.test("PROXY headers", () => {
  const client = { host: "192.0.2.1", port: 40000 }, gateway = { host: "198.51.100.2", port: 443 };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(text(proxyHeader(1, client, gateway)), "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n");
  const six = { host: "2001:db8::1", port: 1 };
  assertEquals(text(proxyHeader(1, six, six)), "PROXY TCP6 2001:db8::1 2001:db8::1 1 1\r\n");
  assertEquals(text(proxyHeader(1, client, six)), "PROXY TCP6 ::ffff:c000:201 2001:db8::1 40000 1\r\n");
  assertEquals(
    toHex(proxyHeader(2, client, gateway)),
    "0d0a0d0a000d0a515549540a" + "2111000c" + "c0000201c6336402" + "9c4001bb",
  );
  assertEquals(proxyHeader(2, six, client).length, 16 + 36);
});
