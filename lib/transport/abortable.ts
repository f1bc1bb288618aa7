import type { ByteStream } from "../stream/types.ts";

/**
 * Does something with a stream until a signal fires, which closes the stream.
 *
 * @throws the signal's reason then, and otherwise whatever the work throws
 */
export async function abortable<T>(
  stream: ByteStream,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const abort = () => stream.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
