// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ConfigError } from "../../lib/config/complaint.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { MtrayError } from "../../lib/errors.ts";
import type { MtprotoInboundSettings } from "../../lib/proxy/mtproto/settings.ts";
import { CLASSIC, complaints, configLike, EE, inboundLike, load } from "./helpers.ts";
import { plainInbound } from "./plain.ts";

/** As a V2Ray user writes it, with a direct way out. */
const GATEWAY = `{
  // The user's own pieces, put into one file.
  "log": { "access": "none", "loglevel": "info" },
  "inbounds": [
    {
      "tag": "tg-in",
      "port": 443,
      "protocol": "mtproto",
      "settings": {
        "users": [{"secret": "${CLASSIC}"}, {"secret": "${EE}", "email": "phone", "level": 1}],
        "fallbacks": [{"dest": "127.0.0.1:8080", "xver": 1}],
      },
    },
  ],
  "outbounds": [
    { "tag": "direct", "protocol": "freedom", "settings": {} },  // 默认
    {
      "tag": "tg-out",
      "protocol": "mtproto",
      "settings": {},
      "proxySettings": { "tag": "direct" }
    }, # the way to Telegram
  ],
  "policy": { "levels": { "1": { "connIdle": 600 } } },
  "routing": {
    "domainStrategy": "AsIs",
    "rules": [
      { "type": "field", "ip": ["geoip:private"], "outboundTag": "direct" },
      { "type": "field", "inboundTag": ["tg-in"], "outboundTag": "tg-out" }
    ]
  }
}
`;

Deno.test("a V2Ray user's config runs as it is", () => {
  for (const text of [GATEWAY, new TextEncoder().encode(`\ufeff${GATEWAY.replaceAll("\n", "\r\n")}`)]) {
    const { config, warnings } = loadConfig([{ name: "gateway.jsonc", text }]);
    assertEquals(warnings, []);
    assertEquals(config.log, { access: "none", error: "", level: "info" });
    assertEquals([...config.policies.keys()], [0, 1]);
    const [{ settings, ...inbound }] = config.inbounds;
    assertEquals(inbound, {
      tag: "tg-in",
      protocol: "mtproto",
      listen: "0.0.0.0",
      ports: [443],
      ...plainInbound,
      path: "inbounds[0]",
    });
    const { users, fallbacks } = settings as MtprotoInboundSettings;
    assertEquals(users.map(({ email, level, secret }) => [email, level, secret.kind, secret.domain]), [
      ["", 0, "classic", ""],
      ["phone", 1, "ee", "example.com"],
    ]);
    assertEquals(fallbacks, [{
      name: "",
      dest: { host: "127.0.0.1", port: 8080 },
      xver: 1,
      outboundTag: "",
    }]);
    assertEquals(config.outbounds.map(({ tag, protocol, proxyTag }) => [tag, protocol, proxyTag]), [
      ["direct", "freedom", undefined],
      ["tg-out", "mtproto", "direct"],
    ]);
    assertEquals(config.routing.rules, [
      { ip: ["geoip:private"], outboundTag: "direct", path: "routing.rules[0]" },
      { inboundTag: ["tg-in"], outboundTag: "tg-out", path: "routing.rules[1]" },
    ]);
  }
});

Deno.test("an outbound that this version has not is one complaint, not many", () => {
  const text = configLike({
    outbounds: [
      { tag: "tg-out", protocol: "mtproto", settings: {}, proxySettings: { tag: "vless-out" } },
      {
        tag: "vless-out",
        protocol: "vless",
        settings: { vnext: [{ address: "v2ray.com", users: [{ id: "x" }] }] },
      },
    ],
    routing: { rules: [{ type: "field", inboundTag: ["in"], outboundTag: "tg-out" }] },
  });
  const [only, ...more] = complaints(text);
  assertMatch(only, /^outbounds\[1\]\.protocol: "vless" is not in this version: run it beside mtray /);
  assertEquals(more, []);
});

Deno.test("the root must be an object", () => {
  for (
    const [text, got] of [["[]", "a list"], ["5", "a number"], ['"x"', "text"], ["null", "null"], [
      "true",
      "true",
    ]]
  ) {
    assertEquals(complaints(text), [`must be an object; got ${got}`]);
  }
});

Deno.test("without a file there is no config", () => {
  const error = assertThrows(() => loadConfig([]), MtrayError) as MtrayError;
  assertEquals([error.code, error.message], ["usage", "cannot load a config: no file is named"]);
});

/** Whether a text is a config, or a ConfigError with a place for each complaint. */
function mustNotCrash(text: string | Uint8Array): void {
  try {
    loadConfig([{ name: "f", text }]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert(error.complaints.length > 0);
    for (const { line, column } of error.complaints) assert(line >= 1 && column >= 1);
  }
}

Deno.test("a config cut at any byte is a ConfigError", () => {
  const bytes = new TextEncoder().encode(GATEWAY);
  // Behind the last brace it is whole.
  for (let length = 0; length < bytes.length - 1; length++) {
    const text = bytes.subarray(0, length);
    let error: unknown;
    try {
      loadConfig([{ name: "f", text }]);
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof ConfigError, `cut at ${length}: ${error}`);
    assertEquals(error.complaints.length, 1);
  }
});

Deno.test("bytes at random are a ConfigError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), mustNotCrash), { numRuns: 500 });
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 64 }), mustNotCrash), { numRuns: 500 });
});

Deno.test("JSON at random is a ConfigError", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => mustNotCrash(JSON.stringify(value))), { numRuns: 500 });
});

/** Puts something else in place of one value of a config. */
function mutated(value: unknown, pick: number, put: unknown): unknown {
  let seen = 0;
  const visit = (inner: unknown): unknown => {
    if (seen++ === pick) return put;
    if (Array.isArray(inner)) return inner.map(visit);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, visit(each)]));
  };
  return visit(value);
}

Deno.test("a config with any value replaced is a config or a ConfigError", () => {
  const whole = JSON.parse(configLike({
    inbounds: [inboundLike({
      listen: "::",
      streamSettings: { network: "tcp", sockopt: { mark: 0 } },
      sniffing: { enabled: false },
      settings: {
        users: [{ secret: EE, email: "a", level: 0 }],
        fallbacks: [{ name: "a.b", dest: "c:1", xver: 0 }],
      },
    })],
    outbounds: [
      {
        tag: "out",
        protocol: "mtproto",
        settings: { dataCenters: { "2": ["a:1"] }, ip: "4" },
        sendThrough: "::",
      },
      { tag: "free", protocol: "freedom", settings: { redirect: "a:1" }, proxySettings: { tag: "hole" } },
      {
        tag: "hole",
        protocol: "blackhole",
        settings: { response: { type: "http" } },
        mux: { enabled: false },
      },
    ],
    log: { access: "none" },
    policy: { levels: { "0": { connIdle: 5 } } },
    routing: {
      rules: [{
        type: "field",
        inboundTag: ["in"],
        port: "1-9",
        ip: ["::1"],
        domain: "a",
        outboundTag: "out",
      }],
    },
  }));
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>("", [], {}, null, 0, -1, 1e308, "env:X", "in", "out", { tag: "out" }, [[]], [
      null,
    ], [{}]),
  );
  fc.assert(
    fc.property(fc.nat(60), values, fc.nat(60), values, (pick, put, pick2, put2) => {
      mustNotCrash(JSON.stringify(mutated(mutated(whole, pick, put), pick2, put2)));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("one config for all warnings and one for all errors", () => {
  const { warnings } = load(configLike({ stats: { a: 1 }, whatever: 1 }));
  assertEquals(warnings.map(({ file, line, path }) => [file, line, path]), [
    ["config.jsonc", 22, "stats"],
    ["config.jsonc", 25, "whatever"],
  ]);
});
