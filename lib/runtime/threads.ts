import { MtrayError } from "../errors.ts";

/** This program a second time, in a thread of its own. What is posted is copied, except memory that is shared. */
export interface Thread {
  post(message: unknown): void;
  /** Ends it in the middle of whatever it does. */
  end(): void;
}

/** What is heard of a thread. */
export interface ThreadListener {
  said(message: unknown): void;
  /** It could not be loaded, or threw what nobody caught. */
  failed(error: unknown): void;
}

/** The way back to the thread that started this one. */
export interface Parent {
  post(message: unknown): void;
}

/**
 * Starts the program again in a thread.
 *
 * @param program the file that was started, or its URL
 * @param isMainThread a thread that started threads would never come to an end
 */
export function startThread(program: string, isMainThread: boolean, listener: ThreadListener): Thread {
  if (!isMainThread) throw new MtrayError("unsupported", "cannot start a thread: this is one already");
  const worker = new Worker(program, { type: "module" });
  worker.onmessage = ({ data }) => listener.said(data);
  worker.onerror = (event) => {
    // Not handled, Deno throws it once more in this thread.
    event.preventDefault();
    listener.failed(event.error ?? new Error(sentenceOf(event.message)));
  };
  return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
}

/** Bun quotes the source around the error. */
function sentenceOf(message: string): string {
  return /^\w*error: (.*)$/mi.exec(message)?.[1] ?? message;
}

/**
 * In a thread: listens to the one that started it.
 *
 * @param said is told what it posts, also what it posted while this thread was loading
 */
export function parentThread(said: (message: unknown) => void): Parent {
  const thread = globalThis as unknown as {
    onmessage: (event: { data: unknown }) => void;
    postMessage(message: unknown): void;
  };
  thread.onmessage = ({ data }) => said(data);
  return { post: (message) => thread.postMessage(message) };
}
