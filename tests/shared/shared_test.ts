import { assertEquals } from "@std/assert";
import { type Event, Events } from "../../lib/observe/events.ts";
import { GatewayClock } from "../../lib/shared/gateway_clock.ts";
import { Preferences } from "../../lib/shared/preferences.ts";
import { RecentUsers } from "../../lib/shared/recent_users.ts";
import { createShared } from "../../lib/shared.ts";
import { createMemory } from "../../lib/shared/memory.ts";
import { runtime } from "../../lib/runtime/mod.ts";
import { RELEASED } from "../../lib/version.ts";

/** A clock that stands until it is moved. */
function standing(wall = RELEASED + 1) {
  const clock = { at: 1000, day: wall, now: () => clock.at, wall: () => clock.day };
  return clock;
}

const MINUTE = 60_000;

Deno.test("an address that failed goes last for ten minutes, or until it works", () => {
  const clock = standing();
  const preferences = new Preferences(clock);
  const [a, b, c] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map((host) => ({ host, port: 443 }));
  assertEquals(preferences.order([a, b, c]), [a, b, c]);
  preferences.failed(a);
  assertEquals(preferences.order([a, b, c]), [b, c, a]);
  clock.at += MINUTE;
  preferences.failed(b);
  assertEquals(preferences.order([a, b, c]), [c, a, b]);
  preferences.worked(b);
  assertEquals(preferences.order([a, b, c]), [b, c, a]);
  clock.at += 9 * MINUTE;
  assertEquals(preferences.order([a, b, c]), [b, c, a]);
  clock.at += 1;
  assertEquals(preferences.order([a, b, c]), [a, b, c]);
  // The port is part of the address.
  preferences.failed({ ...a, port: 80 });
  assertEquals(preferences.order([a, b, c]), [a, b, c]);
});

Deno.test("the last user of an address is remembered, for the last few thousand addresses", () => {
  const users = new RecentUsers();
  users.set("in", "192.0.2.1", "first");
  users.set("in", "192.0.2.1", "second");
  users.set("other", "192.0.2.1", "third");
  assertEquals([users.get("in", "192.0.2.1"), users.get("other", "192.0.2.1")], ["second", "third"]);
  assertEquals(users.get("in", "192.0.2.2"), undefined);
  for (let i = 0; i < 4095; i++) users.set("in", `host ${i}`, "x");
  assertEquals([users.get("in", "192.0.2.1"), users.get("other", "192.0.2.1")], [undefined, "third"]);
});

function watched(wall?: number, flags?: Int32Array) {
  const clock = standing(wall);
  const events = new Events();
  const said: string[] = [];
  events.listen((event: Event) =>
    said.push(event.kind === "note" ? `${event.level}: ${event.text}` : event.kind)
  );
  return { clock, said, warnings: new GatewayClock(clock, events, flags) };
}

Deno.test("a clock before the release is not set, which is said once", () => {
  const { clock, said, warnings } = watched(RELEASED - 1);
  assertEquals([warnings.beforeRelease(), warnings.beforeRelease()], [true, true]);
  assertEquals(said, [
    "warning: the clock of this gateway is not set: until it is, clients are let in whatever their time is",
  ]);
  clock.day = RELEASED;
  assertEquals(warnings.beforeRelease(), false);
});

Deno.test("three clients that agree accuse the gateway's clock, once", () => {
  const { said, warnings } = watched();
  warnings.differs("192.0.2.1", 400);
  warnings.differs("192.0.2.1", 401);
  warnings.differs("192.0.2.2", 420);
  assertEquals(said, []);
  warnings.differs("192.0.2.3", 415);
  assertEquals(said, [
    "warning: the clock of this gateway is probably 415 s behind: 3 clients from different addresses agree on it, " +
    "and are refused. Set it, for example with ntpd",
  ]);
  warnings.differs("192.0.2.4", 415);
  assertEquals(said.length, 1);
});

Deno.test("clients that disagree, or came long ago, accuse nobody", () => {
  const { clock, said, warnings } = watched();
  warnings.differs("192.0.2.1", -200);
  warnings.differs("192.0.2.2", 200);
  warnings.differs("192.0.2.3", -260);
  warnings.differs("192.0.2.4", -215);
  assertEquals(said, []);
  clock.at += 10 * MINUTE + 1;
  warnings.differs("192.0.2.5", -200);
  warnings.differs("192.0.2.6", -200);
  assertEquals(said, []);
  warnings.differs("192.0.2.7", -210);
  assertEquals(said[0]?.slice(0, 64), "warning: the clock of this gateway is probably 210 s ahead: 3 cl");
});

Deno.test("what is wrong with the clock is said once by all routers of a process", () => {
  const flags = new Int32Array(2);
  const [one, other] = [watched(RELEASED - 1, flags), watched(RELEASED - 1, flags)];
  assertEquals([one, other, one].map(({ warnings }) => warnings.beforeRelease()), [true, true, true]);
  for (const { warnings } of [one, other]) {
    for (const host of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) warnings.differs(host, 400);
  }
  assertEquals([one.said.length, other.said.length], [2, 0]);
});

Deno.test("routers that share memory number their sessions together, and know each other's digests", () => {
  const memory = createMemory(2);
  const routers = [createShared(runtime, memory), createShared(runtime, memory)];
  const ids = [0, 1, 1, 0].map((router) => routers[router].nextSessionId());
  assertEquals(ids, [1, 2, 3, 4]);
  const digest = new Uint8Array(16).fill(3);
  assertEquals(routers.map(({ digests }) => digests.add(digest)), [true, false]);
  assertEquals(createShared(runtime).nextSessionId(), 1);
});
