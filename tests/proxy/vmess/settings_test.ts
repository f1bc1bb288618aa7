// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import { workingProviders } from "../../../lib/crypto/provider.ts";
import { OPTION } from "../../../lib/proxy/vmess/header.ts";
import { planBody } from "../../../lib/proxy/vmess/security.ts";
import { inboundSettings, outboundSettings, SECURITIES } from "../../../lib/proxy/vmess/settings.ts";
import { toHex } from "../../../lib/stream/bytes.ts";

const ID = "27848739-7e62-4138-9fd3-098a63964b6b";
const OTHER = "27848739-7e62-4138-9fd3-098a63964b6c";
const plain = ID.replaceAll("-", "");

/** Path and message of each issue. */
function complaints(schema: v.GenericSchema, value: unknown): string[] {
  const result = v.safeParse(schema, value);
  return (result.issues ?? []).map((issue) => `${v.getDotPath(issue) ?? ""}: ${issue.message}`);
}

const server = (users: unknown[]) => ({ address: "Example.com", port: 443, users });

Deno.test("an inbound's users, under both names", () => {
  for (const key of ["clients", "users"]) {
    const { users, disableInsecureEncryption } = v.parse(inboundSettings, {
      [key]: [{ id: ID, email: "a@b", level: 3, alterId: 0 }, { id: "somebody" }],
    });
    assertEquals(users.map(({ id, email, level }) => [toHex(id), email, level]), [
      [plain, "a@b", 3],
      ["0d3f2a03a5cb595b8acd11ef28111e5c", "", 0],
    ]);
    assertEquals(disableInsecureEncryption, false);
  }
  assertEquals(v.parse(inboundSettings, { clients: [{ id: ID }], disableInsecureEncryption: true }), {
    users: [{ id: v.parse(inboundSettings, { clients: [{ id: ID }] }).users[0].id, email: "", level: 0 }],
    disableInsecureEncryption: true,
  });
});

Deno.test("an inbound needs users, in one list", () => {
  const expected = ["clients: must have a user with an id"];
  assertEquals(complaints(inboundSettings, {}), expected);
  assertEquals(complaints(inboundSettings, { clients: [] }), expected);
  assertEquals(complaints(inboundSettings, { clients: [{ id: ID }], users: [{ id: OTHER }] }), [
    "users: must not be there beside clients",
  ]);
});

Deno.test("no id stands twice, in whatever form, and none is shown", () => {
  const twice = complaints(inboundSettings, {
    clients: [{ id: ID }, { id: OTHER }, { id: plain.toUpperCase() }],
  });
  assertEquals(twice, ["clients.2.id: must not be the id of clients[0] again"]);
  const wrong = complaints(inboundSettings, { clients: [{ id: ID + "0" }] });
  assert(wrong.length === 1 && wrong[0].startsWith("clients.0.id: must be a UUID") && !wrong[0].includes(ID));
});

Deno.test("alterId is 0 in any spelling, or a sentence says that it must be", () => {
  for (const alterId of [0, "0", "", undefined]) {
    assertEquals(complaints(inboundSettings, { clients: [{ id: ID, alterId }] }), []);
    assertEquals(complaints(outboundSettings, { vnext: [server([{ id: ID, alterId }])] }), []);
  }
  const why = "must be 0: write 0 here and at the other end, for mtray has no header but the AEAD one";
  for (const alterId of [1, 64, "64", null, -1]) {
    assertEquals(complaints(inboundSettings, { clients: [{ id: ID, alterId }] }), [
      `clients.0.alterId: ${why}`,
    ]);
    assertEquals(complaints(outboundSettings, { vnext: [server([{ id: ID, alterId }])] }), [
      `vnext.0.users.0.alterId: ${why}`,
    ]);
  }
});

Deno.test("an outbound's servers and users", () => {
  const { servers } = v.parse(outboundSettings, {
    vnext: [
      server([{ id: ID, security: "Zero" }, { id: OTHER, experiments: "AuthenticatedLength" }]),
      {
        address: "[2001:DB8::1]",
        port: "8443",
        users: [{ id: ID, experiments: "NoTerminationSignal|AuthenticatedLength" }],
      },
    ],
  });
  assertEquals(servers.map(({ address }) => address), [
    { host: "example.com", port: 443 },
    { host: "2001:db8::1", port: 8443 },
  ]);
  const users = servers.flatMap(({ users }) => users);
  assertEquals(users.map((user) => [user.security, user.authenticatedLength, user.noTerminationSignal]), [
    ["zero", false, false],
    ["auto", true, false],
    ["auto", true, true],
  ]);
  assertEquals(toHex(users[0].id), plain);
});

Deno.test("Xray's flat form of one server", () => {
  const flat = { address: "192.0.2.1", port: 443, id: ID, security: "none", email: "a@b", level: 0 };
  const { servers } = v.parse(outboundSettings, flat);
  assertEquals(servers.map(({ address, users }) => [address, users[0].security, users.length]), [
    [{ host: "192.0.2.1", port: 443 }, "none", 1],
  ]);
  assertEquals(complaints(outboundSettings, { ...flat, vnext: [server([{ id: ID }])] }), [
    "address: must not be there beside vnext",
  ]);
  assertEquals(complaints(outboundSettings, { vnext: [server([{ id: ID }])], id: ID }), [
    "id: must not be there beside vnext",
  ]);
  assertEquals(complaints(outboundSettings, { address: "a.example", id: ID }), ["port: is missing"]);
  assertEquals(complaints(outboundSettings, { address: "a.example", port: 1 }), ["id: is missing"]);
  assertEquals(complaints(outboundSettings, {}), ["vnext: must have a server"]);
});

Deno.test("what an outbound is not told, or told wrongly", () => {
  const of = (value: object) => complaints(outboundSettings, { vnext: [value] });
  assertEquals(complaints(outboundSettings, { vnext: [] }), ["vnext: must have a server"]);
  assertEquals(of(server([])), ["vnext.0.users: must have a user with an id"]);
  assertEquals(of({ ...server([{ id: ID }]), address: "not a name" }), [
    "vnext.0.address: must be a host name or an IP address",
  ]);
  assertEquals(of({ ...server([{ id: ID }]), port: 0 }), ["vnext.0.port: must be a port from 1 to 65535"]);
  for (const security of ["aes-128-cfb", "", "gcm"]) {
    const [why] = of(server([{ id: ID, security }]));
    assert(why.startsWith("vnext.0.users.0.security: must be one of"), why);
  }
  for (const experiments of ["Faster", "AuthenticatedLength,NoTerminationSignal"]) {
    const [why] = of(server([{ id: ID, experiments }]));
    assert(why.startsWith("vnext.0.users.0.experiments: must be"), why);
  }
});

Deno.test("what goes on the wire for each security", () => {
  const [crypto] = workingProviders();
  const plan = (
    security: (typeof SECURITIES)[number],
    command: "tcp" | "udp" = "tcp",
    authenticatedLength = false,
  ) => {
    const { security: chosen, options } = planBody({ security, authenticatedLength }, command, crypto);
    return [chosen, options];
  };
  assertEquals(plan("aes-128-gcm"), ["aes-128-gcm", 0x0d]);
  assertEquals(plan("chacha20-poly1305", "tcp", true), ["chacha20-poly1305", 0x1d]);
  assertEquals(plan("none"), ["none", 0x05]);
  assertEquals(plan("zero"), ["none", 0]);
  // Datagrams need their ends.
  assertEquals(plan("zero", "udp"), ["none", OPTION.chunks]);
  const auto = (fastAes128Gcm: boolean) =>
    planBody({ security: "auto", authenticatedLength: false }, "tcp", { ...crypto, fastAes128Gcm }).security;
  assertEquals(auto(false), "chacha20-poly1305");
  assert(["aes-128-gcm", "chacha20-poly1305"].includes(auto(true)));
});
