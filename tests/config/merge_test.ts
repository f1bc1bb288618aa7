// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { complaints, configLike, inboundLike, load, outboundLike, screen } from "./helpers.ts";

/** A file with some parts of a config. */
function file(parts: Record<string, unknown>): string {
  return JSON.stringify(parts);
}

const base = configLike({
  inbounds: [inboundLike({ tag: "a", port: 1001 }), inboundLike({ tag: "b", port: 1002 })],
  outbounds: [outboundLike({ tag: "x" }), outboundLike({ tag: "y" })],
  log: { access: "/a.log", loglevel: "debug" },
  routing: { rules: [{ port: 443, outboundTag: "y" }] },
});

/** Ports of inbounds and tags of outbounds of these files together. */
function merged(files: Record<string, string>) {
  const { config } = load(files);
  return {
    ports: config.inbounds.map(({ ports }) => ports[0]),
    tags: config.outbounds.map(({ tag }) => tag),
  };
}

Deno.test("a later file replaces whole sections", () => {
  const { config } = load({ "a.json": base, "b.json": file({ log: { error: "none" }, routing: {} }) });
  assertEquals(config.log, { access: "", error: "none", level: "warning" });
  assertEquals(config.routing.rules, []);
  const kept = load({ "a.json": base, "b.json": file({ policy: {} }) }).config;
  assertEquals([kept.log.access, kept.routing.rules.length], ["/a.log", 1]);
  assertEquals(load({ "a.json": base, "b.json": file({ log: null }) }).config.log.access, "/a.log");
  const workers = (...numbers: unknown[]) => {
    const files = numbers.map((
      workers,
      i,
    ) => [`${i}.json`, i === 0 ? configLike({ workers }) : file({ workers })]);
    return load(Object.fromEntries(files)).config.workers;
  };
  assertEquals([workers(2, 3), workers(2, undefined), workers(undefined, "auto"), workers(2, null)], [
    3,
    2,
    "auto",
    2,
  ]);
});

Deno.test("a later file's only inbound replaces the one with its tag, or comes last", () => {
  const replaced = file({ inbounds: [inboundLike({ tag: "a", port: 2001 })] });
  assertEquals(merged({ "a.json": base, "b.json": replaced }).ports, [2001, 1002]);
  const added = file({ inbounds: [inboundLike({ tag: "c", port: 2001 })] });
  assertEquals(merged({ "a.json": base, "b.json": added }).ports, [1001, 1002, 2001]);
});

Deno.test("a later file's only outbound replaces the one with its tag, or comes first, or last in a tail file", () => {
  const replaced = file({ outbounds: [outboundLike({ tag: "y", settings: { ip: "6" } })] });
  assertEquals(merged({ "a.json": base, "b.json": replaced }).tags, ["x", "y"]);
  assertEquals(load({ "a.json": base, "b.json": replaced }).config.outbounds[1].settings, {
    adoptDownlinkKey: "auto",
    dataCenters: new Map(),
    ip: "6",
  });
  const added = file({ outbounds: [outboundLike({ tag: "z" })] });
  assertEquals(merged({ "a.json": base, "b.json": added }).tags, ["z", "x", "y"]);
  assertEquals(merged({ "a.json": base, "99_Tail.json": added }).tags, ["x", "y", "z"]);
  assertEquals(merged({ "a.json": base, "detail/b.json": added }).tags, ["z", "x", "y"]);
});

Deno.test("an entry without a tag replaces one without a tag", () => {
  const first = configLike({
    inbounds: [inboundLike({ tag: "", port: 1001 }), inboundLike({ tag: "b", port: 1002 })],
  });
  const second = file({ inbounds: [inboundLike({ tag: undefined, port: 2001 })] });
  assertEquals(merged({ "a.json": first, "b.json": second }).ports, [2001, 1002]);
});

Deno.test("a later list of several replaces the list, an empty one changes nothing", () => {
  const several = file({
    inbounds: [inboundLike({ tag: "c", port: 2001 }), inboundLike({ tag: "a", port: 2002 })],
  });
  assertEquals(merged({ "a.json": base, "b.json": several }).ports, [2001, 2002]);
  assertEquals(merged({ "a.json": base, "b.json": file({ inbounds: [], outbounds: [] }) }).ports, [
    1001,
    1002,
  ]);
  assertEquals(merged({ "a.json": file({}), "b.json": base }).ports, [1001, 1002]);
});

Deno.test("three files merge from left to right", () => {
  const inbound = (tag: string, port: number) => file({ inbounds: [inboundLike({ tag, port })] });
  const files = { "1": base, "2": inbound("c", 2001), "3": inbound("c", 3001) };
  assertEquals(merged(files).ports, [1001, 1002, 3001]);
});

Deno.test("complaints point into the file that holds the mistake", () => {
  const files = {
    "a.json": base,
    "b.json": '{\n  "inbounds": [{ "tag": "c", "port": "x", "protocol": "mtproto" }]\n}',
    "c.json": '{ "routing": { "rules": [{ "port": 80, "outboundTag": "nowhere" }] } }',
  };
  assertEquals(
    screen(files),
    `b.json:2:16 inbounds[0].settings.users: must have a user with a secret
    "inbounds": [{ "tag": "c", "port": "x", "protocol": "mtproto" }]
                 ^
b.json:2:38 inbounds[0].port: must be a port, a range such as 1000-2000, or a list of these; got "x"
    "inbounds": [{ "tag": "c", "port": "x", "protocol": "mtproto" }]
                                       ^
c.json:1:55 routing.rules[0].outboundTag: names an outbound that is not there; there is x, y
  { "routing": { "rules": [{ "port": 80, "outboundTag": "nowhere" }] } }
                                                        ^`,
  );
});

Deno.test("what is replaced need not be right", () => {
  const wrong = configLike({
    inbounds: [inboundLike({ tag: "a", protocol: "vmess" })],
    log: { loglevel: "loud" },
  });
  const right = file({ inbounds: [inboundLike({ tag: "a" })], log: {} });
  assertEquals(complaints({ "a.json": wrong, "b.json": right }), []);
});

Deno.test("a place in another file is named with the file", () => {
  assertEquals(
    complaints({ "a.json": base, "b.json": file({ inbounds: [inboundLike({ tag: "c", port: 1002 })] }) }),
    [
      "inbounds[0].port: must not be 1002, where inbounds[1] of a.json listens",
    ],
  );
});

Deno.test("one file that does not parse leaves the others unjudged", () => {
  assertEquals(complaints({ "a.json": "{", "b.json": "{}", "c.json": "[" }), [
    "cannot be read: a closing } must stand here",
    "cannot be read: a closing ] must stand here",
  ]);
});
