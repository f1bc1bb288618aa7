/** Settings of dokodemo-door, socks and http, as V2Ray and Xray write them. */
// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import * as dokodemo from "../../lib/proxy/dokodemo_door/settings.ts";
import * as http from "../../lib/proxy/http/settings.ts";
import { inboundKinds, outboundKinds } from "../../lib/proxy/registry.ts";
import * as socks from "../../lib/proxy/socks/settings.ts";

/** What a schema makes of a value, or the first complaint about it. */
function read<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T | string {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : result.issues[0].message;
}

const me = { user: "me", pass: "pass" };
const flat = { address: "Proxy.example", port: 1080 };

Deno.test("the registry has the neighbours, with all transports", () => {
  for (const name of ["dokodemo-door", "tunnel", "socks", "http"]) {
    assertEquals(inboundKinds[name].transports, "all");
  }
  for (const name of ["socks", "http"]) assertEquals(outboundKinds[name].transports, "all");
});

Deno.test("dokodemo-door: V2Ray's words and Xray's", () => {
  const plain = { target: { host: "1.2.3.4", port: 53 }, tcp: true, udp: false, userLevel: 0 };
  const given: [object, object][] = [
    [{}, {}],
    [{ network: "tcp,udp", followRedirect: false }, { udp: true }],
    [{ network: ["UDP"], timeout: 0 }, { tcp: false, udp: true }],
    [{ network: "" }, {}],
    [{ timeout: 30 }, { timeout: 30_000 }],
    [{ timeout: 30, userLevel: 1 }, { userLevel: 1 }],
  ];
  for (const [more, expected] of given) {
    const settings = { address: "1.2.3.4", port: 53, ...more };
    assertEquals(read(dokodemo.settings, settings), { ...plain, ...expected });
  }
  assertEquals(
    read(dokodemo.settings, { rewriteAddress: "[::1]", rewritePort: 53, allowedNetwork: ["tcp", "udp"] }),
    { target: { host: "::1", port: 53 }, tcp: true, udp: true, userLevel: 0 },
  );
  for (
    const [wrong, why] of [
      [{}, "must have an address"],
      [{ address: "a" }, "must have a port"],
      [{ address: "a", port: 0 }, "must be a whole number from 1 to 65535"],
      [{ address: "a b", port: 1 }, "must be a host name or an IP address"],
      [{ address: "a", port: 1, rewriteAddress: "b" }, "must have address or rewriteAddress, and not both"],
      [{ address: "a", port: 1, network: "tls" }, 'must be "tcp", "udp" or both'],
      [
        { address: "a", port: 1, followRedirect: true },
        "is not in this version: mtray does no transparent proxying",
      ],
    ] as const
  ) {
    const complaint = read(dokodemo.settings, wrong);
    assert(typeof complaint === "string" && complaint.startsWith(why), JSON.stringify(complaint));
  }
});

Deno.test("socks inbound: accounts count where auth asks for them", () => {
  const inbound = (value: object) => read(socks.inboundSettings, value);
  assertEquals(inbound({}), { accounts: null, udp: false, userLevel: 0 });
  assertEquals(inbound({ accounts: [me], udp: true, ip: "127.0.0.1", userLevel: 2 }), {
    accounts: null,
    udp: true,
    ip: "127.0.0.1",
    userLevel: 2,
  });
  assertEquals(inbound({ auth: "Password", accounts: [me] }), {
    accounts: new Map([["me", "pass"]]),
    udp: false,
    userLevel: 0,
  });
  assertEquals(
    inbound({ auth: "password" }),
    'must list accounts: "auth" is "password", and nobody could log in',
  );
  assertEquals(inbound({ accounts: [{ user: "", pass: "" }] }), "must be 1 to 255 bytes long");
  assertEquals(
    inbound({ accounts: [{ user: "a", pass: "ä".repeat(128) }] }),
    "must be at most 255 bytes long",
  );
});

Deno.test("http inbound: whoever lists accounts asks for them", () => {
  const inbound = (value: object) => read(http.inboundSettings, value);
  const plain = { accounts: null, allowTransparent: false, userLevel: 0 };
  assertEquals(inbound({}), plain);
  assertEquals(inbound({ accounts: [], timeout: 0 }), plain);
  assertEquals(inbound({ accounts: [me], timeout: 5, allowTransparent: true }), {
    accounts: new Map([["me", "pass"]]),
    allowTransparent: true,
    timeout: 5000,
    userLevel: 0,
  });
  assertEquals(
    inbound({ accounts: [{ user: "a:b", pass: "" }] }),
    "must not have a user with a colon: HTTP cannot send it",
  );
});

Deno.test("outbounds: V2Ray's list of servers and Xray's flat form mean the same", () => {
  const address = { host: "proxy.example", port: 1080 };
  for (
    const [schema, more] of [[socks.outboundSettings, {}], [http.outboundSettings, { headers: [] }]] as const
  ) {
    const outbound = (value: object): unknown => read<unknown>(schema, value);
    assertEquals(outbound({ servers: [{ ...flat, users: [{ ...me, email: "x" }] }] }), {
      servers: [{ address, users: [me] }],
      ...more,
    });
    assertEquals(outbound({ ...flat, ...me, email: "x" }), { servers: [{ address, users: [me] }], ...more });
    assertEquals(outbound({ servers: [flat, { ...flat, address: "::1" }] }), {
      servers: [{ address, users: [] }, { address: { host: "::1", port: 1080 }, users: [] }],
      ...more,
    });
    for (
      const [wrong, why] of [
        [{}, "must list a server in servers"],
        [{ servers: [] }, "must list a server in servers"],
        [{ ...flat, servers: [flat] }, "must have either servers, or address and port, and not both"],
        [{ address: "a" }, "must have both address and port"],
        [{ ...flat, pass: "x" }, "must have a user for pass"],
        [{ ...flat, port: 0 }, "must be a whole number from 1 to 65535"],
        [{ ...flat, address: "a:1" }, "must be a host name or an IP address"],
      ] as const
    ) assertEquals(outbound(wrong), why);
  }
  assertEquals(
    read(socks.outboundSettings, { ...flat, version: "4a" }),
    'must be "5": no other SOCKS is spoken',
  );
  assert(typeof read(socks.outboundSettings, { ...flat, version: "5" }) === "object");
});

Deno.test("http outbound: headers are words of HTTP, and not those that follow from the rest", () => {
  const outbound = (headers: object) => read(http.outboundSettings, { ...flat, headers });
  assertEquals(outbound({ "User-Agent": "x y" }), {
    servers: [{ address: { host: "proxy.example", port: 1080 }, users: [] }],
    headers: [["User-Agent", "x y"]],
  });
  assertEquals(outbound({ "A b": "x" }), "must not have headers whose name is no word of HTTP");
  assertEquals(outbound({ "A": "x\r\nB: y" }), "must be one line of ASCII");
  assertEquals(outbound({ "host": "x" }), "must not set the header host, which follows from the rest");
});

Deno.test("passwords and headers are marked as secrets", () => {
  const isSecret = (schema: unknown) =>
    (v.getMetadata(schema as v.GenericSchema) as { secret?: boolean }).secret;
  const entries = (schema: unknown) => (schema as { entries: Record<string, unknown> }).entries;
  const item = (schema: unknown): unknown => {
    const { wrapped, item } = schema as { wrapped?: { item: unknown }; item?: unknown };
    return item ?? wrapped?.item;
  };
  const bare = (schema: unknown) => (schema as { wrapped?: unknown }).wrapped ?? schema;
  for (const inbound of [socks.inboundSettings, http.inboundSettings]) {
    assertEquals(isSecret(entries(item(entries(inbound).accounts)).pass), true);
  }
  for (const outbound of [socks.outboundSettings, http.outboundSettings]) {
    assertEquals(isSecret(bare(entries(outbound).pass)), true);
    assertEquals(isSecret(entries(item(entries(item(entries(outbound).servers)).users)).pass), true);
  }
  const headers = bare(entries(http.outboundSettings).headers) as { value: unknown };
  assertEquals(isSecret(headers.value), true);
});
