// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import * as v from "valibot";
import { check } from "../../lib/config/check.ts";
import { Report } from "../../lib/config/complaint.ts";
import { muxSchema, readMux } from "../../lib/config/schema/mux.ts";
import { parseText } from "../../lib/config/text.ts";
import { type Mux, noMux } from "../../lib/proxy/types.ts";
import { complaints, configLike, load, outboundLike, warnings } from "./helpers.ts";

/** What is made of `mux`, and what is said about it. */
function read(mux: unknown, muxes = true): { mux: Mux | null; errors: string[]; warnings: string[] } {
  const report = new Report();
  const { source, value } = parseText("f", JSON.stringify({ mux }), report)!;
  const place = { source, path: [] };
  const schema = v.object({ mux: v.optional(muxSchema) });
  const reading = { report, strict: false, env: () => undefined };
  const found = check(schema, value, { place, pattern: "outbounds[]" }, reading);
  const context = { place, protocol: "freedom", muxes, able: ["vmess"], report };
  const texts = (list: { path: string; text: string }[]) => list.map(({ path, text }) => `${path}: ${text}`);
  return {
    mux: found && readMux(found.mux, context),
    errors: texts(report.errors()),
    warnings: texts(report.warnings()),
  };
}

Deno.test("mux: the number of sessions, as V2Ray counts", () => {
  const quiet = (mux: unknown) => {
    const { errors, warnings, mux: result } = read(mux);
    assertEquals([errors, warnings], [[], []]);
    return result;
  };
  const on = { ...noMux, enabled: true };
  assertEquals(quiet(undefined), noMux);
  assertEquals(quiet({}), noMux);
  assertEquals(quiet({ enabled: false, concurrency: 1024, mtproto: true, xudpConcurrency: 16 }), noMux);
  assertEquals(quiet({ enabled: true }), { ...on, concurrency: 8 });
  assertEquals(quiet({ enabled: true, concurrency: 0 }), { ...on, concurrency: 8 });
  assertEquals(quiet({ enabled: true, concurrency: 1 }), { ...on, concurrency: 1 });
  assertEquals(quiet({ Enabled: true, Concurrency: 1024 }), { ...on, concurrency: 1024 });
  assertEquals(quiet({ enabled: true, concurrency: -1 }), noMux);
  assertEquals(quiet({ enabled: true, mtproto: true }), { ...on, mtproto: true });
  assertEquals(quiet({ enabled: true, xudpConcurrency: 16, xudpProxyUDP443: "allow" }), {
    ...on,
    xudp: true,
  });
  assertEquals(quiet({ enabled: true, concurrency: -1, xudpConcurrency: 16 }), { ...noMux, xudp: true });
});

Deno.test("mux: what it is not", () => {
  const whole = "must be a whole number of at most 1024; below 0 is off";
  assertEquals(read({ enabled: true, concurrency: 1025 }).errors, [`mux.concurrency: ${whole}; got 1025`]);
  assertEquals(read({ enabled: true, concurrency: 1.5 }).errors, [`mux.concurrency: ${whole}; got 1.5`]);
  assertEquals(read({ enabled: true, xudpConcurrency: "8" }).errors, [
    `mux.xudpConcurrency: ${whole}; got "8"`,
  ]);
  assertEquals(read({ enabled: 1 }).errors, ["mux.enabled: must be true or false; got a number"]);
  assertEquals(read({ enabled: true, xudpProxyUDP443: "drop" }).errors, [
    'mux.xudpProxyUDP443: must be one of "reject", "allow", "skip"; got "drop"',
  ]);
  assertEquals(read({ enabled: true, xudpProxyUDP443: "reject" }).errors, [
    "mux.xudpProxyUDP443: is not in this version: remove it, and add a rule " +
    '{"network": "udp", "port": 443, "outboundTag": …} that names a blackhole outbound',
  ]);
  assertEquals(read({ enabled: true, xudpConcurrency: -1, xudpProxyUDP443: "skip" }).warnings, [
    "mux.xudpConcurrency: has no effect: datagrams share the connections, too",
    "mux.xudpProxyUDP443: has no effect: datagrams to port 443 go the way of all others",
  ]);
});

Deno.test("mux: an outbound that cannot is told so by name, unless it is off", () => {
  assertEquals(read({ enabled: true }, false).errors, [
    "mux.enabled: must not be true: freedom connections carry one session each; write it in an outbound that is vmess",
  ]);
  assertEquals(read({ enabled: true, concurrency: -1 }, false), { mux: noMux, errors: [], warnings: [] });
  assertEquals(read({ enabled: false }, false), { mux: noMux, errors: [], warnings: [] });
  const inConfig = (mux: unknown) => configLike({ outbounds: [outboundLike({ mux })] });
  assertEquals(complaints(inConfig({ enabled: true })).map((text) => text.split(":")[0]), [
    "outbounds[0].mux.enabled",
  ]);
  const off = inConfig({ enabled: false, concurrency: -1, xudpConcurrency: 16, xudpProxyUDP443: "reject" });
  assertEquals(warnings(off), []);
  assertEquals(load(off).config.outbounds[0].mux, noMux);
});
