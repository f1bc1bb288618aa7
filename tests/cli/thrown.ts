import { MtrayError } from "../../lib/errors.ts";

/** The error that something raises on purpose; anything else fails the test. */
export function thrown(body: () => unknown): MtrayError {
  try {
    body();
  } catch (error) {
    if (error instanceof MtrayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Fails with the whole text where it lacks a part. */
export function assertHolds(text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`there is no ${JSON.stringify(part)} in:\n${text}`);
}
