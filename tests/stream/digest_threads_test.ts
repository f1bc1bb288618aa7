/**
 * Threads that add the same digests to one table at the same time. This file is the program of the threads, too: under
 * Bun it is a bundle, and no other file lies beside it.
 */
import { assertEquals } from "@std/assert";
import { runtime } from "../../lib/runtime/mod.ts";
import { DIGEST_WORDS, DigestTable, GENERATION } from "../../lib/stream/digest_table.ts";

const THREADS = 3;
/** In a round every thread adds the same digests, each in an order of its own, and begins when the others do. */
interface Plan {
  rounds: number;
  /** Digests of a round. A digest is never older than that many when it comes again. */
  digests: number;
  /** Whether the generation is to turn in the middle of every round. */
  turns: boolean;
}

interface Work extends Plan {
  thread: number;
  /** Of the table. */
  words: Int32Array;
  /** How often each digest was new to somebody. */
  accepted: Int32Array;
  /** How many threads have come to the beginning of a round, over all rounds. */
  gate: Int32Array;
}

/** Where the table counts what was added, which says when the generation turns. */
const TOTAL = 0;

if (!runtime.isMainThread) {
  const thread = globalThis as unknown as {
    onmessage: (event: { data: Work }) => void;
    postMessage(message: string): void;
  };
  thread.onmessage = ({ data }) => {
    work(data);
    thread.postMessage("done");
  };
} else {
  Deno.test("of several threads that add a digest at the same time one is told that it is new", async () => {
    await addTogether({ rounds: 50, digests: 4096, turns: false });
  });

  Deno.test("the same while the generation turns", async () => {
    await addTogether({ rounds: 3000, digests: 12, turns: true });
  });
}

async function addTogether(plan: Plan): Promise<void> {
  const shared = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  const memory = {
    words: shared(DIGEST_WORDS),
    accepted: shared(plan.rounds * plan.digests),
    gate: shared(1),
  };
  const threads = Array.from({ length: THREADS }, () => new Worker(import.meta.url, { type: "module" }));
  try {
    await Promise.all(threads.map((worker, thread) =>
      new Promise<void>((resolve, reject) => {
        worker.onmessage = () => resolve();
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage({ ...plan, ...memory, thread } satisfies Work);
      })
    ));
  } finally {
    for (const worker of threads) worker.terminate();
  }
  const wrong = [...memory.accepted.entries()].filter(([, times]) => times !== 1);
  assertEquals(wrong.slice(0, 10), [], `${wrong.length} digests were not new exactly once`);
  const table = new DigestTable(memory.words);
  const digest = new Uint8Array(16);
  for (let i = memory.accepted.length - plan.digests; i < memory.accepted.length; i++) {
    assertEquals(table.has(write(digest, i)), true);
  }
}

function work({ thread, rounds, digests, turns, words, accepted, gate }: Work): void {
  const table = new DigestTable(words);
  const digest = new Uint8Array(16);
  for (let round = 0; round < rounds; round++) {
    // The last to come sets the stage, while the others wait.
    const first = 2 * round * THREADS;
    if (arrive(gate) === first + THREADS && turns) skipTo(words, digests >> 1);
    untilArrived(gate, first + THREADS);
    arrive(gate);
    untilArrived(gate, first + 2 * THREADS);
    for (let i = 0; i < digests; i++) {
      // Forwards and backwards, and from the middle.
      const at = thread === 0 ? i : thread === 1 ? digests - 1 - i : (i + (digests >> 1)) % digests;
      if (table.add(write(digest, round * digests + at))) Atomics.add(accepted, round * digests + at, 1);
    }
  }
}

/** @returns how many have arrived */
function arrive(gate: Int32Array): number {
  const count = Atomics.add(gate, 0, 1) + 1;
  Atomics.notify(gate, 0);
  return count;
}

/** Looks for a while first: threads that are woken do not begin at the same moment. */
function untilArrived(gate: Int32Array, count: number): void {
  for (let looks = 0;; looks++) {
    const seen = Atomics.load(gate, 0);
    if (seen >= count) return;
    if (looks > 2000) Atomics.wait(gate, 0, seen);
  }
}

/** Makes the table believe that so few digests are left until the generation turns. */
function skipTo(words: Int32Array, left: number): void {
  const total = Atomics.load(words, TOTAL);
  Atomics.store(words, TOTAL, (Math.floor(total / GENERATION) + 1) * GENERATION - left);
}

/** Digests of neighbours look for their slots in the same place. */
function write(digest: Uint8Array, i: number): Uint8Array {
  const view = new DataView(digest.buffer);
  view.setUint32(0, Math.imul(i >> 3, 2_654_435_761));
  view.setUint32(4, i);
  view.setUint32(8, ~i);
  view.setUint32(12, Math.imul(i, 40_503));
  return digest;
}
