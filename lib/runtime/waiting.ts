import { timedOut } from "../stream/types.ts";
import { runtimeName } from "./name.ts";

/** @param deadline milliseconds of the monotonic clock */
export function sleepUntil(deadline: number): Promise<void> {
  return pause(Math.max(0, deadline - performance.now()));
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Does something again and again. It does not keep a program alive that has nothing else to do.
 *
 * @param interval milliseconds
 * @returns what ends it
 */
export function every(interval: number, work: () => void): () => void {
  const timer: unknown = setInterval(work, interval);
  if (runtimeName === "deno") Deno.unrefTimer(timer as number);
  else (timer as { unref(): void }).unref();
  return () => clearInterval(timer as number);
}

/**
 * The reading half that every lowest stream shares: one wait at a time, and a wait that outlives a deadline.
 */
export abstract class WaitingStream {
  #wait: Promise<boolean> | null = null;

  /** Starts one wait. Never called while another is unsettled. */
  protected abstract wait(): Promise<boolean>;

  ready(): Promise<boolean> {
    const wait = this.#wait;
    if (wait === null) return this.wait();
    this.#wait = null;
    return wait;
  }

  readyBefore(deadline: number): Promise<boolean | typeof timedOut> {
    const wait = this.#wait ??= this.wait();
    const left = deadline - performance.now();
    if (left <= 0) {
      // Also when bytes are there: whoever sends without pause must not outlast a deadline.
      wait.catch(() => {});
      return Promise.resolve(timedOut);
    }
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve(timedOut);
      }, left);
      wait.then((more) => {
        clearTimeout(timer);
        // After the deadline the answer waits for the next call, which takes the promise itself.
        if (late) return;
        this.#wait = null;
        resolve(more);
      }, (error) => {
        clearTimeout(timer);
        if (late) return;
        this.#wait = null;
        reject(error);
      });
    });
  }
}
