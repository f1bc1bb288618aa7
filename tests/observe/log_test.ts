import { assert, assertEquals } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Event, Events } from "../../lib/observe/events.ts";
import { openLog } from "../../lib/observe/log.ts";
import { accessLineOf, lineOf } from "../../lib/observe/log_lines.ts";

const opened: Event = {
  kind: "session-opened",
  id: 7,
  inboundTag: "tg-in",
  source: "192.168.1.5:40000",
  target: "tcp:149.154.167.51:443",
  email: "me@home",
  via: ["hop", "tg-out"],
  adopted: true,
};
const refused: Event = {
  kind: "refused",
  inboundTag: "tg-in",
  source: "192.0.2.9:1",
  reason: "unreachable",
  detail: "cannot connect to data centre 2: no route",
  email: "me",
  target: "tcp:149.154.167.51:443",
};

Deno.test("access lines have V2Ray's shape", () => {
  assertEquals(
    accessLineOf(opened),
    "192.168.1.5:40000 accepted tcp:149.154.167.51:443 [tg-in -> tg-out] email: me@home",
  );
  assertEquals(
    accessLineOf({ ...opened, email: "" }),
    "192.168.1.5:40000 accepted tcp:149.154.167.51:443 [tg-in -> tg-out]",
  );
  assertEquals(
    accessLineOf(refused),
    "192.0.2.9:1 rejected tcp:149.154.167.51:443 cannot connect to data centre 2: no route email: me",
  );
  assertEquals(
    accessLineOf({ kind: "refused", inboundTag: "a", source: "s:1", reason: "no-user", detail: "no user" }),
    "s:1 rejected  no user",
  );
  assertEquals(accessLineOf({ kind: "note", level: "info", text: "x" }), undefined);
});

Deno.test("every event has a line, and strangers are no warning", () => {
  const stranger: Event = {
    kind: "fronted",
    inboundTag: "tg-in",
    source: "192.0.2.9:1",
    reason: "stale",
    site: "example.com:443",
    detail: "clock differs by +143 s",
  };
  assertEquals(lineOf(stranger), {
    level: "info",
    text: "tg-in: 192.0.2.9:1 is shown example.com:443: clock differs by +143 s",
  });
  assertEquals(lineOf(refused).level, "warning");
  assertEquals(lineOf({ ...refused, kind: "refused", reason: "no-user" } as Event).level, "info");
  const rest: Event[] = [
    { kind: "listening", inboundTag: "a", protocol: "mtproto", address: "0.0.0.0:443" },
    { kind: "stopped-listening", inboundTag: "a", address: "0.0.0.0:443" },
    { kind: "fronting-ended", inboundTag: "a", source: "s", site: "t", up: 1, down: 2 },
    { kind: "clock-differs", inboundTag: "a", source: "s", seconds: 130 },
    { ...opened, kind: "session-closed", up: 1, down: 2, milliseconds: 3450, reason: "finished" } as Event,
    opened,
  ];
  for (const event of rest) assert(lineOf(event).text.length > 10);
  assertEquals(lineOf(rest[4]).text, "#7 192.168.1.5:40000 closed after 3.5 s, 1 bytes up, 2 down: finished");
});

Deno.test("logs go to files of mode 0600, at their level, one line an event", () => {
  const folder = mkdtempSync(join(tmpdir(), "mtray-log-"));
  try {
    const access = join(folder, "access.log"), error = join(folder, "error.log");
    const events = new Events();
    const wall = () => new Date(2026, 10, 22, 9, 8, 7).getTime();
    const close = openLog({ access, error, level: "warning" }, events, wall);
    events.emit(opened);
    events.note("info", "not written");
    events.note("warning", "two\nlines \u001b[31mred");
    close();
    events.note("warning", "after the end");
    assertEquals(readFileSync(error, "utf8"), "2026/11/22 09:08:07 [Warning] two?lines ?[31mred\n");
    assertEquals(readFileSync(access, "utf8").split("\n").length, 2);
    assertEquals(statSync(access).mode & 0o777, 0o600);
    const again = openLog({ access: "none", error, level: "none" }, events, wall);
    events.note("error", "not at this level");
    again();
    assertEquals(readFileSync(error, "utf8").split("\n").length, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

Deno.test("a listener that fails breaks nothing", () => {
  const events = new Events();
  const seen: string[] = [];
  const complaints: unknown[] = [];
  const original = console.error;
  console.error = (...words: unknown[]) => complaints.push(words);
  try {
    events.listen(() => {
      throw new Error("broken");
    });
    const end = events.listen((event) => seen.push(event.kind));
    events.note("info", "one");
    end();
    end();
    events.note("info", "two");
  } finally {
    console.error = original;
  }
  assertEquals([seen.length, complaints.length], [1, 2]);
});
