import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { runtime } from "../../lib/runtime/mod.ts";
import type { Accepted } from "../../lib/stream/types.ts";
import { never } from "./layers.ts";

/** Seconds until the system asks a silent peer; Linux writes a timer's kind and its time. */
function secondsToQuestion(local: number, remote: number): number {
  const end = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = "01", keepAlive = "02";
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, from, to, state, , timer] = line.trim().split(/\s+/);
    // A port may be the end of another program's connections, too.
    if (!from?.endsWith(end(local)) || !to.endsWith(end(remote)) || state !== established) continue;
    const [kind, ticks] = timer.split(":");
    assertEquals(kind, keepAlive);
    return parseInt(ticks, 16) / 100;
  }
  throw new Error("there is no such connection");
}

Deno.test("keepalive is set on what is dialled and on what is accepted", async () => {
  assertEquals(runtime.keepAliveParts, { idle: true, interval: true });
  const accepted = Promise.withResolvers<Accepted>();
  const listener = await runtime.listen({ host: "127.0.0.1", port: 0 }, accepted.resolve);
  const dialled = await runtime.dial(listener.address, { keepAlive: { idle: 444, interval: 5 } }, never);
  const { stream, remote, local } = await accepted.promise;
  runtime.keepAlive(stream, { idle: 333 });
  for (const [from, to, idle] of [[remote.port, local.port, 444], [local.port, remote.port, 333]]) {
    const seconds = secondsToQuestion(from, to);
    assert(seconds > idle - 30 && seconds <= idle, `${seconds} of ${idle} s`);
  }
  dialled.close();
  stream.close();
  listener.close();
  // Nothing to be set any more.
  runtime.keepAlive(stream, { idle: 1 });
});
