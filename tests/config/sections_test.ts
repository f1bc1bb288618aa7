// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { complaints, configLike, inboundLike, load, outboundLike, screen, warnings } from "./helpers.ts";
import { plainInbound, plainOutbound } from "./plain.ts";

function inbound(fields: Record<string, unknown>) {
  return load(configLike({ inbounds: [inboundLike(fields)] })).config.inbounds[0];
}

function wrongInbound(fields: Record<string, unknown>) {
  return complaints(configLike({ inbounds: [inboundLike(fields)] }));
}

function rule(fields: Record<string, unknown>) {
  const text = configLike({ routing: { rules: [{ outboundTag: "out", ...fields }] } });
  const { outboundTag: _, path: __, ...conditions } = load(text).config.routing.rules[0];
  return conditions;
}

function wrongRule(fields: Record<string, unknown>) {
  return complaints(configLike({ routing: { rules: [{ outboundTag: "out", ...fields }] } }));
}

Deno.test("log", () => {
  const log = (log: unknown) => load(configLike({ log })).config.log;
  assertEquals(log(undefined), { access: "", error: "", level: "warning" });
  assertEquals(log({ access: "None", error: "/var/log/e", loglevel: "NONE" }), {
    access: "none",
    error: "/var/log/e",
    level: "none",
  });
  assertEquals(complaints(configLike({ log: { loglevel: "loud", access: 5 } })), [
    'log.loglevel: must be one of "debug", "info", "warning", "error", "none"; got "loud"',
    "log.access: must be text in quotes; got a number",
  ]);
});

Deno.test("workers", () => {
  const workers = (workers: unknown) => load(configLike({ workers })).config.workers;
  assertEquals([undefined, null, 1, 4, 64, "auto", "Auto"].map(workers), [1, 1, 1, 4, 64, "auto", "auto"]);
  const why = 'must be a whole number from 1 to 64, or "auto"';
  for (const wrong of [0, 65, -1, 1.5, "4", "", "all", true]) {
    assertEquals(complaints(configLike({ workers: wrong })), [
      `workers: ${why}; got ${JSON.stringify(wrong)}`,
    ]);
  }
  for (const wrong of [[2], { count: 2 }]) {
    assertEquals(complaints(configLike({ workers: wrong })), [`workers: ${why}`]);
  }
  assertEquals(complaints(configLike({ worker: 2 })), [
    'worker: is not a known key: did you mean "workers"?',
  ]);
  assertEquals(load(configLike({ WORKERS: 2 })).config.workers, 2);
  assertEquals(
    screen('{\n  "workers": "many",\n  "inbounds": [], "outbounds": []\n}').split("\n").slice(0, 3),
    [
      `config.jsonc:2:14 workers: ${why}; got "many"`,
      '    "workers": "many",',
      "               ^",
    ],
  );
});

Deno.test("policy: defaults, levels, seconds to milliseconds", () => {
  const policies = (policy: unknown) => load(configLike({ policy })).config.policies;
  const defaults = { handshake: 10_000, connIdle: 300_000, uplinkOnly: 60_000, downlinkOnly: 60_000 };
  assertEquals(policies(undefined), new Map([[0, defaults]]));
  assertEquals(policies({}), new Map([[0, defaults]]));
  assertEquals(
    policies({ levels: { "0": { handshake: 4, uplinkOnly: 0 }, "7": { connIdle: 1.5 } } }),
    new Map([
      [0, { ...defaults, handshake: 4000, uplinkOnly: 0 }],
      [7, { ...defaults, connIdle: 1500 }],
    ]),
  );
});

Deno.test("policy: ranges", () => {
  const wrong = (level: unknown) => complaints(configLike({ policy: { levels: { "0": level } } }));
  assertEquals(wrong({ handshake: 0 }), [
    'policy.levels["0"].handshake: must be a time in seconds, from 1 to 3600; got 0',
  ]);
  assertEquals(wrong({ connIdle: 86401, uplinkOnly: -1, downlinkOnly: "5" }), [
    'policy.levels["0"].connIdle: must be a time in seconds, from 1 to 86400; got 86401',
    'policy.levels["0"].uplinkOnly: must be a time in seconds, from 0 to 86400; got -1',
    'policy.levels["0"].downlinkOnly: must be a time in seconds, from 0 to 86400; got "5"',
  ]);
  assertEquals(complaints(configLike({ policy: { levels: { "256": {}, "01": {}, x: {} } } })), [
    'policy.levels["256"]: must be a level from 0 to 255',
    'policy.levels["01"]: must be a level from 0 to 255',
    "policy.levels.x: must be a level from 0 to 255",
  ]);
});

Deno.test("inbound: defaults and name", () => {
  const { settings: _, ...rest } = inbound({ tag: undefined });
  assertEquals(rest, {
    tag: "inbound 1",
    protocol: "mtproto",
    listen: "0.0.0.0",
    ports: [8443],
    ...plainInbound,
    path: "inbounds[0]",
  });
});

Deno.test("inbound: listen", () => {
  for (
    const [listen, expected] of [["127.0.0.1", "127.0.0.1"], ["::", "::"], ["[::1]", "::1"], [
      "LocalHost",
      "127.0.0.1",
    ]]
  ) {
    assertEquals(inbound({ listen }).listen, expected);
  }
  const unix = "inbounds[0].listen: must be an IP address: mtray does not listen on unix sockets";
  assertEquals(wrongInbound({ listen: "/run/m.sock" }), [`${unix}; got "/run/m.sock"`]);
  assertEquals(wrongInbound({ listen: "@abstract" }), [`${unix}; got "@abstract"`]);
  assertEquals(wrongInbound({ listen: "example.com" }), [
    'inbounds[0].listen: must be an IP address or localhost; got "example.com"',
  ]);
});

Deno.test("inbound: port", () => {
  const cases: [unknown, number[]][] = [
    [443, [443]],
    ["443", [443]],
    ["20000-20002", [20000, 20001, 20002]],
    ["443, 8443,20000-20001", [443, 8443, 20000, 20001]],
    [[443, "8443-8444", 443], [443, 8443, 8444]],
    [0, [0]],
  ];
  for (const [port, expected] of cases) assertEquals(inbound({ port }).ports, expected);
  const list = "must be a port, a range such as 1000-2000, or a list of these";
  assertEquals(wrongInbound({ port: undefined }), ["inbounds[0].port: is missing"]);
  assertEquals(wrongInbound({ port: "https" }), [`inbounds[0].port: ${list}; got "https"`]);
  assertEquals(wrongInbound({ port: 65536 }), [
    "inbounds[0].port: must be a port from 0 to 65535; got 65536",
  ]);
  assertEquals(wrongInbound({ port: 1.5 }), ["inbounds[0].port: must be a port from 0 to 65535; got 1.5"]);
  assertEquals(wrongInbound({ port: "2-1" }), [
    'inbounds[0].port: must be a range from the lower port to the higher one; got "2-1"',
  ]);
  assertEquals(wrongInbound({ port: [] }), ["inbounds[0].port: must have a port"]);
  assertEquals(wrongInbound({ port: "1-65535" }), [
    "inbounds[0].port: must not be more than 1024 ports",
  ]);
  assertEquals(inbound({ port: "20000-21023" }).ports.length, 1024);
});

Deno.test("inbound: a port from the environment", () => {
  const text = configLike({ inbounds: [inboundLike({ port: "env:MTRAY_PORT" })] });
  const env = (value?: string) => ({ env: (name: string) => name === "MTRAY_PORT" ? value : undefined });
  assertEquals(load(text, env("9443")).config.inbounds[0].ports, [9443]);
  assertEquals(load(text, env("9443-9444,1")).config.inbounds[0].ports, [9443, 9444, 1]);
  const unset = "inbounds[0].port: names MTRAY_PORT, which is not set in the environment";
  assertEquals(complaints(text, env()), [unset]);
  assertEquals(complaints(text), [unset]);
  assertEquals(complaints(text, env("https")).length, 1);
});

Deno.test("outbound: defaults, sendThrough and proxySettings", () => {
  const outbounds = (...list: unknown[]) => load(configLike({ outbounds: list })).config.outbounds;
  assertEquals(outbounds({ protocol: "blackhole" }, { protocol: "freedom", settings: { redirect: ":5" } }), [
    {
      tag: "outbound 1",
      protocol: "blackhole",
      settings: { response: { type: "none" } },
      ...plainOutbound,
      path: "outbounds[0]",
    },
    {
      tag: "outbound 2",
      protocol: "freedom",
      settings: { domainStrategy: "AsIs", redirect: { port: 5 } },
      ...plainOutbound,
      path: "outbounds[1]",
    },
  ]);
  const [tg, hop] = outbounds(
    outboundLike({ sendThrough: "0.0.0.0", proxySettings: { tag: "hop" } }),
    { tag: "hop", protocol: "freedom", sendThrough: "::", proxySettings: {} },
  );
  assertEquals([tg.proxyTag, hop.proxyTag], ["hop", undefined]);
  assertEquals(complaints(configLike({ outbounds: [outboundLike({ sendThrough: "192.168.1.2" })] })), [
    "outbounds[0].sendThrough: is not in this version: choose the way in the system, for example " +
    "ip route add 149.154.160.0/20 dev tun0",
  ]);
  assertEquals(complaints(configLike({ outbounds: [outboundLike({ sendThrough: "origin" })] })), [
    'outbounds[0].sendThrough: must be an IP address of this machine; got "origin"',
  ]);
});

Deno.test("outbound: settings of freedom and blackhole", () => {
  const settings = (protocol: string, settings: unknown) =>
    load(configLike({ outbounds: [outboundLike(), { protocol, settings }] })).config.outbounds[1].settings;
  const redirect = (redirect: string) =>
    (settings("freedom", { redirect }) as { redirect: unknown }).redirect;
  assertEquals(redirect("127.0.0.1:8080"), { host: "127.0.0.1", port: 8080 });
  assertEquals(redirect("[::1]:8080"), { host: "::1", port: 8080 });
  assertEquals(redirect(""), undefined);
  assertEquals(settings("blackhole", { response: { type: "HTTP" } }), { response: { type: "http" } });
  const wrong = (protocol: string, settings: unknown) =>
    complaints(configLike({ outbounds: [outboundLike(), { protocol, settings }] }));
  assertEquals(wrong("freedom", { redirect: "here" }), [
    'outbounds[1].settings.redirect: must be host:port; got "here"',
  ]);
  assertEquals(wrong("freedom", { redirect: ":0" }), [
    'outbounds[1].settings.redirect: must end in a port from 1 to 65535; got ":0"',
  ]);
  assertEquals(wrong("blackhole", { response: { type: "tarpit" } }), [
    'outbounds[1].settings.response.type: must be one of "none", "http"; got "tarpit"',
  ]);
});

Deno.test("rules: lists are lists or text with commas", () => {
  assertEquals(rule({ inboundTag: "in, in" }), { inboundTag: ["in", "in"] });
  assertEquals(rule({ user: ["a@b", "c,d"] }), { user: ["a@b", "c,d"] });
  assertEquals(rule({ network: "tcp,UDP" }), { network: ["tcp", "udp"] });
  assertEquals(rule({ port: 53 }), { port: [{ from: 53, to: 53 }] });
  assertEquals(rule({ port: "53,443,1000-2000", sourcePort: ["1-2", 9] }), {
    port: [{ from: 53, to: 53 }, { from: 443, to: 443 }, { from: 1000, to: 2000 }],
    sourcePort: [{ from: 1, to: 2 }, { from: 9, to: 9 }],
  });
  assertEquals(rule({ ip: "10.0.0.0/8,geoip:private", source: ["::1"] }), {
    ip: ["10.0.0.0/8", "geoip:private"],
    source: ["::1"],
  });
  assertEquals(
    rule({ domain: "a,domain:b", domains: ["full:c"], source: "1.1.1.1", sourceIP: ["2.2.2.2"] }),
    {
      domain: ["a", "domain:b", "full:c"],
      source: ["1.1.1.1", "2.2.2.2"],
    },
  );
});

Deno.test("rules: each item is checked", () => {
  const network = "must be an IP address, a network such as 10.0.0.0/8, or geoip:private";
  assertEquals(wrongRule({ ip: ["10.0.0.1", "10.0.0.0/33", "x"] }), [
    'routing.rules[0].ip[1]: must have a prefix length from 0 to 32 after the slash; got "10.0.0.0/33"',
    `routing.rules[0].ip[2]: ${network}; got "x"`,
  ]);
  assertEquals(wrongRule({ source: "x" }), [`routing.rules[0].source: ${network}; got "x"`]);
  assertEquals(wrongRule({ domain: ["regexp:("] }), [
    'routing.rules[0].domain[0]: must be a regular expression after regexp:; got "regexp:("',
  ]);
  assertEquals(wrongRule({ port: "0" }), [
    'routing.rules[0].port: must be a port from 1 to 65535; got "0"',
  ]);
  assertEquals(wrongRule({ network: "icmp" }), [
    'routing.rules[0].network: must be one of "tcp", "udp"; got "icmp"',
  ]);
  assertEquals(wrongRule({ user: [5] }), ["routing.rules[0].user[0]: must be text in quotes; got a number"]);
  assertEquals(wrongRule({ inboundTag: {} }), [
    "routing.rules[0].inboundTag: must be text or a list of texts",
  ]);
});

Deno.test("rules: a rule needs a condition and an outbound", () => {
  const none =
    "routing.rules[0]: must have a condition, such as inboundTag or network: without one it says nothing";
  assertEquals(wrongRule({}), [none]);
  assertEquals(wrongRule({ type: "field" }), [none]);
  assertEquals(wrongRule({ inboundTag: [] }), [none]);
  assertEquals(wrongRule({ port: 443, outboundTag: undefined }), [
    "routing.rules[0].outboundTag: is missing, and so is balancerTag: a rule names one of them",
  ]);
});

Deno.test("rules: an empty list is no condition, and that is said", () => {
  const text = configLike({ routing: { rules: [{ outboundTag: "out", port: 443, user: [], domain: "" }] } });
  assertEquals(warnings(text), [
    "routing.rules[0].user: is empty, and so is no condition",
    "routing.rules[0].domain: is empty, and so is no condition",
  ]);
  assertEquals(load(text).config.routing.rules, [
    { port: [{ from: 443, to: 443 }], outboundTag: "out", path: "routing.rules[0]" },
  ]);
});
