// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import * as v from "valibot";
import { inboundSettings, outboundSettings } from "../../../lib/proxy/mtproto/settings.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const EE = `ee${KEY}6578616d706c652e636f6d`;

/** Path and message of each issue. */
function complaints(schema: v.GenericSchema, value: unknown): string[] {
  const result = v.safeParse(schema, value);
  return (result.issues ?? []).map((issue) => `${v.getDotPath(issue) ?? ""}: ${issue.message}`);
}

function inbound(value: object) {
  return v.parse(inboundSettings, value);
}

Deno.test("an inbound's defaults", () => {
  const { users, fallbacks, maxTimeDiff } = inbound({ users: [{ secret: KEY }] });
  assertEquals(users.map(({ email, level, secret }) => [email, level, secret.kind]), [["", 0, "classic"]]);
  assertEquals([fallbacks, maxTimeDiff], [[], 120_000]);
});

Deno.test("an inbound needs a user", () => {
  const expected = ["users: must have a user with a secret"];
  assertEquals(complaints(inboundSettings, {}), expected);
  assertEquals(complaints(inboundSettings, { users: [] }), expected);
});

Deno.test("users", () => {
  const { users } = inbound({ users: [{ secret: KEY, email: "a@b", level: 3 }, { secret: EE }] });
  assertEquals(users.map(({ email, level }) => ({ email, level })), [
    { email: "a@b", level: 3 },
    { email: "", level: 0 },
  ]);
  assertEquals(complaints(inboundSettings, { users: [{ secret: KEY, level: 256 }] }), [
    "users.0.level: must be a whole number from 0 to 255",
  ]);
  assertEquals(complaints(inboundSettings, { users: [{ secret: KEY, level: 0.5 }, { secret: "dd" }] }), [
    "users.0.level: must be a whole number from 0 to 255",
    "users.1.secret: must be 32 hex characters, or dd/ee and a secret; got 2 characters",
  ]);
});

Deno.test("no secret stands twice", () => {
  const twice = { users: [{ secret: KEY }, { secret: EE }, { secret: KEY.toUpperCase() }] };
  assertEquals(complaints(inboundSettings, twice), [
    "users.2.secret: must not be the secret of users[0] again",
  ]);
  const other = `ee${KEY}${"612e6578616d706c652e636f6d"}`;
  const kinds = { users: [{ secret: KEY }, { secret: `dd${KEY}` }, { secret: EE }, { secret: other }] };
  assertEquals(complaints(inboundSettings, kinds), []);
});

Deno.test("fallbacks[].dest takes a target, a port of this machine, or nothing", () => {
  const dest = (value: unknown) =>
    inbound({ users: [{ secret: EE }], fallbacks: [{ dest: value }] }).fallbacks[0].dest;
  assertEquals(dest("site.example:8443"), { host: "site.example", port: 8443 });
  assertEquals(dest("[2001:DB8::1]:443"), { host: "2001:db8::1", port: 443 });
  assertEquals(dest(8080), { host: "127.0.0.1", port: 8080 });
  assertEquals(dest("8080"), { host: "127.0.0.1", port: 8080 });
  assertEquals(dest(undefined), { host: "example.com", port: 443 });
});

Deno.test("a fallback without dest leads to its own name, else to the first ee domain", () => {
  const users = [{ secret: KEY }, { secret: EE }];
  const { fallbacks } = inbound({ users, fallbacks: [{ outboundTag: "out" }, { name: "Other.Example" }] });
  assertEquals(fallbacks, [
    { name: "", dest: { host: "example.com", port: 443 }, xver: 0, outboundTag: "out" },
    { name: "other.example", dest: { host: "other.example", port: 443 }, xver: 0, outboundTag: "" },
  ]);
  assertEquals(
    complaints(inboundSettings, { users: [{ secret: KEY }], fallbacks: [{ outboundTag: "out" }] }),
    [
      "fallbacks.0.dest: is missing: no ee secret names a site to show",
    ],
  );
});

Deno.test("what fallbacks do not take", () => {
  const wrong = (fallback: object) =>
    complaints(inboundSettings, { users: [{ secret: EE }], fallbacks: [fallback] });
  assertEquals(wrong({ xver: 1 }), [
    "fallbacks.0.xver: needs dest: other people's sites take no PROXY header",
  ]);
  assertEquals(wrong({ dest: 80, xver: 2 }), []);
  assertEquals(wrong({ dest: 80, xver: 3 }), ["fallbacks.0.xver: must be a whole number from 0 to 2"]);
  assertEquals(wrong({ dest: 0 }), ["fallbacks.0.dest: must be a port from 1 to 65535"]);
  assertEquals(wrong({ dest: 1.5 }), ["fallbacks.0.dest: must be a port from 1 to 65535"]);
  assertEquals(wrong({ dest: "65536" }), ["fallbacks.0.dest: must be a port from 1 to 65535"]);
  assertEquals(wrong({ dest: "host" }), ["fallbacks.0.dest: must be host:port"]);
  assertEquals(wrong({ dest: "/run/web.sock" }), [
    "fallbacks.0.dest: must be host:port: mtray does not dial unix sockets",
  ]);
  assertEquals(wrong({ dest: [] }), ["fallbacks.0.dest: must be host:port, or a port of this machine"]);
  assertEquals(wrong({ name: "192.0.2.1" }), ["fallbacks.0.name: must be a host name"]);
  assertEquals(
    complaints(inboundSettings, { users: [{ secret: EE }], fallbacks: [{ name: "A.b" }, { name: "a.B" }] }),
    ["fallbacks.1.name: must differ from that of fallbacks[0]"],
  );
});

Deno.test("maxTimeDiff is in milliseconds", () => {
  const diff = (maxTimeDiff: number) => ({ users: [{ secret: KEY }], maxTimeDiff });
  assertEquals(inbound(diff(3000)).maxTimeDiff, 3000);
  assertEquals(complaints(inboundSettings, diff(120)), [
    "maxTimeDiff: must be a whole number from 1000 to 86400000",
  ]);
});

Deno.test("an outbound's defaults", () => {
  assertEquals(v.parse(outboundSettings, {}), {
    adoptDownlinkKey: "auto",
    dataCenters: new Map(),
    ip: "auto",
  });
});

Deno.test("adoptDownlinkKey and ip", () => {
  for (const adoptDownlinkKey of ["auto", true, false] as const) {
    assertEquals(v.parse(outboundSettings, { adoptDownlinkKey }).adoptDownlinkKey, adoptDownlinkKey);
  }
  for (const ip of ["auto", "4", "6", "4only", "6only"] as const) {
    assertEquals(v.parse(outboundSettings, { ip: ip.toUpperCase() }).ip, ip);
  }
  assertEquals(complaints(outboundSettings, { adoptDownlinkKey: "yes", ip: "5" }), [
    'adoptDownlinkKey: must be "auto", true or false',
    'ip: must be one of "auto", "4", "6", "4only", "6only"',
  ]);
});

Deno.test("dataCenters", () => {
  const dataCenters = {
    "2": ["127.0.0.1:18443", "[::1]:18443"],
    "-2": "media.example:443",
    "10001": ["192.0.2.1:80"],
  };
  assertEquals(
    v.parse(outboundSettings, { dataCenters }).dataCenters,
    new Map([
      [2, [{ host: "127.0.0.1", port: 18443 }, { host: "::1", port: 18443 }]],
      [-2, [{ host: "media.example", port: 443 }]],
      [10001, [{ host: "192.0.2.1", port: 80 }]],
    ]),
  );
  const notAnId = 'must be the id of a data centre, such as "2" or "-2"';
  for (const key of ["02", "+2", " 2", "2.0", "two", "", "-0", "32768", "-32769", "99999", "1e3"]) {
    assertEquals(
      complaints(outboundSettings, { dataCenters: { [key]: ["a:1"] } }).map((text) =>
        text.split(": ").at(-1)
      ),
      [
        notAnId,
      ],
      key,
    );
  }
  assertEquals(complaints(outboundSettings, { dataCenters: { "0": ["a:1"] } }), [
    'dataCenters.0: must not be 0, which means 2: write "2"',
  ]);
  const wrong = (value: unknown) => complaints(outboundSettings, { dataCenters: { "2": value } });
  assertEquals(wrong([]), ["dataCenters.2: must list an address"]);
  assertEquals(wrong(443), ['dataCenters.2: must be "host:port" or a list of these']);
  assertEquals(wrong(["127.0.0.1"]), ["dataCenters.2.0: must be host:port"]);
  assertEquals(wrong(["127.0.0.1:0"]), ["dataCenters.2.0: must end in a port from 1 to 65535"]);
  assertEquals(wrong(["::1"]), [
    "dataCenters.2.0: must be host:port, with the IPv6 address in brackets: [address]:port",
  ]);
  assertEquals(wrong(["[127.0.0.1]:443"]), ["dataCenters.2.0: must have an IPv6 address in the brackets"]);
  assertEquals(wrong(["a_b:443"]), ["dataCenters.2.0: must begin with a host name or an IP address"]);
  assertEquals(wrong(["127.1:443"]), ["dataCenters.2.0: must begin with a host name or an IP address"]);
  assert(wrong([443]).length === 1);
});
