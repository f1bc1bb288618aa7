// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MtrayError } from "../../lib/errors.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { timedOut } from "../../lib/stream/types.ts";
import { DelayedStream } from "../../lib/transport/delayed_stream.ts";
import { bytesOf, errorOf, readSome, textOf } from "./streams.ts";

/** A delayed stream, its far end, and what went into the request. */
function delayed(most: number) {
  const [near, far] = memoryPair();
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  const stream = new DelayedStream(most, (early, signal) => {
    asked.push(textOf(early));
    signals.push(signal);
    return Promise.resolve(near);
  });
  return { stream, far, asked, signals };
}

Deno.test("the first write goes into the request, as much of it as may", async () => {
  const cases: [number, string, string | undefined, string, string][] = [
    [100, "hello", undefined, "hello", ""],
    [5, "hello", undefined, "hello", ""],
    [3, "hello", undefined, "hel", "lo"],
    [3, "hello", "world", "hel", "loworld"],
    [5, "hello", "world", "hello", "world"],
    [7, "hello", "world", "hellowo", "rld"],
    [10, "hello", "world", "helloworld", ""],
  ];
  for (const [most, a, b, early, sent] of cases) {
    const { stream, far, asked } = delayed(most);
    await stream.write(bytesOf(a), b === undefined ? undefined : bytesOf(b));
    await stream.write(bytesOf("!"));
    assertEquals(asked, [early]);
    assertEquals(textOf(await readSome(far, sent.length + 1)), `${sent}!`);
  }
});

Deno.test("a reader who asks first does not wait for a write", async () => {
  const { stream, far, asked } = delayed(100);
  const ready = stream.ready();
  await far.write(bytesOf("welcome"));
  assertEquals(await ready, true);
  assertEquals(textOf(stream.take()), "welcome");
  assertEquals(asked, [""]);
});

Deno.test("a reader who waits already is served by the first write", async () => {
  const { stream, far, asked } = delayed(100);
  const ready = stream.ready();
  await stream.write(bytesOf("question"));
  assertEquals(asked, ["question"]);
  await far.write(bytesOf("answer"));
  assertEquals(await ready, true);
  assertEquals(textOf(stream.take()), "answer");
});

Deno.test("a deadline that passes before anything is opened loses nothing", async () => {
  const { stream, far, asked } = delayed(100);
  assertEquals(await stream.readyBefore(performance.now() + 5), timedOut);
  assertEquals(asked, []);
  await stream.write(bytesOf("x"));
  await far.write(bytesOf("y"));
  assertEquals(await stream.readyBefore(performance.now() + 10_000), true);
  assertEquals(textOf(stream.take()), "y");
});

Deno.test("what cannot be opened fails for readers and writers alike", async () => {
  const failure = new MtrayError("refused", "no");
  const stream = new DelayedStream(10, () => Promise.reject(failure));
  const reading = errorOf(stream.ready());
  assertEquals((await errorOf(Promise.resolve(stream.write(bytesOf("x"))))).code, "refused");
  assertEquals((await reading).code, "refused");
  assertEquals((await errorOf(stream.ready())).code, "refused");
  stream.close();
});

Deno.test("closed before it was opened, it never is; closed while, what opens late is closed", async () => {
  const { stream, asked } = delayed(10);
  const reading = errorOf(stream.ready());
  stream.close();
  stream.close();
  assertEquals((await reading).code, "closed");
  assertEquals((await errorOf(Promise.resolve(stream.write(bytesOf("x"))))).code, "closed");
  assertEquals(asked, []);

  const [near, far] = memoryPair();
  const late = Promise.withResolvers<void>();
  let signal: AbortSignal | undefined;
  const slow = new DelayedStream(10, async (_, limit) => {
    signal = limit;
    await late.promise;
    return near;
  });
  const writing = errorOf(Promise.resolve(slow.write(bytesOf("x"))));
  slow.close();
  assert(signal!.aborted);
  late.resolve();
  assertEquals((await writing).code, "closed");
  assertEquals(await far.ready(), false);
});
