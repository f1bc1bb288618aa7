// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import * as v from "valibot";
import { check } from "../../lib/config/check.ts";
import { formatComplaint, Report } from "../../lib/config/complaint.ts";
import { parseText } from "../../lib/config/text.ts";
import { secret } from "../../lib/settings/words.ts";
import { CLASSIC, complaints, configLike, inboundLike, load, outboundLike, warnings } from "./helpers.ts";

Deno.test("keys match in any case, names of protocols and the like too", () => {
  const text = `{
    "INBOUNDS": [{ "Tag": "in", "PORT": 8443, "Protocol": "MTProto", "Settings": { "Users": [{ "Secret": "${CLASSIC}" }] },
      "StreamSettings": { "Network": "TCP", "Security": "None" } }],
    "Outbounds": [{ "tag": "out", "protocol": "FREEDOM" }, { "tag": "tg", "protocol": "mtproto" }],
    "Routing": { "DomainStrategy": "asis", "Rules": [{ "Type": "Field", "InboundTag": "in", "Network": "TCP", "OutboundTag": "tg" }] },
    "Log": { "LogLevel": "Debug" }, "Policy": { "Levels": { "0": { "ConnIdle": 7 } } }
  }`;
  const { config, warnings } = load(text);
  assertEquals(warnings, []);
  assertEquals(config.inbounds.map(({ tag, protocol }) => [tag, protocol]), [["in", "mtproto"]]);
  assertEquals(config.outbounds.map(({ protocol }) => protocol), ["freedom", "mtproto"]);
  assertEquals(config.routing.rules, [
    { inboundTag: ["in"], network: ["tcp"], outboundTag: "tg", path: "routing.rules[0]" },
  ]);
  assertEquals([config.log.level, config.policies.get(0)?.connIdle], ["debug", 7000]);
});

Deno.test("keys of maps are data, and stay as written", () => {
  const dataCenters = { "2": "a.example:443", "-2": "b.example:443" };
  assertEquals(complaints(configLike({ outbounds: [outboundLike({ settings: { dataCenters } })] })), []);
  assertEquals(
    complaints(configLike({ outbounds: [outboundLike({ settings: { DATAcenters: { "2 ": "a:1" } } })] })),
    [
      'outbounds[0].settings.dataCenters["2 "]: must be the id of a data centre, such as "2" or "-2"',
    ],
  );
});

Deno.test("null is as good as nothing, as for V2Ray", () => {
  const nothing = { settings: null, streamSettings: null, proxySettings: null, mux: null, sendThrough: null };
  const text = configLike({
    dns: null,
    api: null,
    log: null,
    outbounds: [outboundLike(nothing)],
    whatever: null,
  });
  assertEquals(complaints(text), []);
  assertEquals(warnings(text), []);
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ port: null })] })), [
    "inbounds[0].port: is missing",
  ]);
});

Deno.test("a key that resembles a known one is an error, any other unknown key a warning", () => {
  const text = configLike({
    inbounds: [inboundLike({ lissten: "::", comment: "x", streamSetting: {} })],
    routting: {},
    whatever: 1,
  });
  assertEquals(complaints(text), [
    'inbounds[0].lissten: is not a known key: did you mean "listen"?',
    'inbounds[0].streamSetting: is not a known key: did you mean "streamSettings"?',
    'routting: is not a known key: did you mean "routing"?',
  ]);
  const harmless = configLike({ inbounds: [inboundLike({ comment: "x" })], whatever: 1 });
  assertEquals(warnings(harmless), [
    "inbounds[0].comment: is not a known key, and has no effect",
    "whatever: is not a known key, and has no effect",
  ]);
  assertEquals(complaints(harmless, { strict: true }), [
    "inbounds[0].comment: is not a known key",
    "whatever: is not a known key",
  ]);
});

Deno.test("what a misspelt key leaves missing is not said again", () => {
  const users = [{ secert: CLASSIC }];
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ settings: { users } })] })), [
    'inbounds[0].settings.users[0].secert: is not a known key: did you mean "secret"?',
  ]);
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ settings: { user: users } })] })), [
    'inbounds[0].settings.user: is not a known key: did you mean "users"?',
  ]);
});

Deno.test("a refused key is suggested, one without effect is not", () => {
  assertEquals(complaints(configLike({ outbounds: [outboundLike({ targetStrategi: "UseIP" })] })), [
    'outbounds[0].targetStrategi: is not a known key: did you mean "targetStrategy"?',
  ]);
  assertEquals(warnings(configLike({ stat: {} })), ["stat: is not a known key, and has no effect"]);
});

Deno.test("two spellings of one key are an error at the second", () => {
  const text = configLike().replace('"port": 8443', '"port": 8443,\n      "Port": 9443');
  assertEquals(complaints(text), ['inbounds[0].Port: is "port" again, spelt another way']);
  assertEquals(complaints(configLike({ DNS: {}, dns: {} })), ['dns: is "DNS" again, spelt another way']);
});

Deno.test("an object or a list where the other belongs", () => {
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ settings: [] })] })), [
    "inbounds[0].settings: must be an object; got a list",
  ]);
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ settings: { users: {} } })] })), [
    "inbounds[0].settings.users: must be a list; got an object",
  ]);
  assertEquals(complaints(configLike({ inbounds: [inboundLike({ settings: { users: [CLASSIC] } })] })), [
    "inbounds[0].settings.users[0]: must be an object; got text",
  ]);
  assertEquals(complaints(configLike({ policy: { levels: [{}] } })), [
    "policy.levels: must be an object; got a list",
  ]);
  assertEquals(
    complaints(configLike({ inbounds: [inboundLike({ sniffing: true, streamSettings: { sockopt: 5 } })] })),
    [
      "inbounds[0].sniffing: must be an object; got true",
      "inbounds[0].streamSettings.sockopt: must be an object; got a number",
    ],
  );
  assertEquals(complaints(configLike({ log: "none", routing: [], policy: 5 })), [
    "log: must be an object; got text",
    "routing: must be an object; got a list",
    "policy: must be an object; got a number",
  ]);
});

Deno.test("keys that objects have by birth are unknown keys", () => {
  assertEquals(warnings(configLike({ constructor: 1, toString: 2, hasOwnProperty: 3 })).length, 3);
});

Deno.test("what a schema marks secret is hidden, whatever its key is called", () => {
  const report = new Report();
  const { source, value } = parseText(
    "f",
    '{ "nick": "hunter2", "nicks": ["hunter3"], "name": "x" }',
    report,
  )!;
  const schema = v.object({
    nick: v.optional(secret(v.pipe(v.string(), v.minLength(10, "must be longer")))),
    nicks: v.array(secret(v.string())),
    name: v.pipe(v.string(), v.minLength(10, "must be longer")),
  });
  check(schema, value, { place: { source, path: [] }, pattern: "" }, {
    report,
    strict: false,
    env: () => undefined,
  });
  assertEquals(report.errors().map(formatComplaint), [
    'f:1:11 nick: must be longer\n  { "nick": "•••••••", "nicks": ["•••••••"], "name": "x" }\n            ^',
    'f:1:52 name: must be longer; got "x"\n  { "nick": "•••••••", "nicks": ["•••••••"], "name": "x" }\n' +
    `  ${" ".repeat(51)}^`,
  ]);
});
