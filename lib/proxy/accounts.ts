// @ts-types="../types/std_crypto.d.ts"
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

/** Whether a user has that password, in a time that tells nothing about it. */
export function passes(accounts: ReadonlyMap<string, string>, user: string, pass: string): boolean {
  const [given, right] = [pass, accounts.get(user) ?? ""].map(padded);
  return timingSafeEqual(given, right) && accounts.has(user);
}

/** The text and its length, in an array of the same length for all texts of up to 255 bytes. */
function padded(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text).subarray(0, 512);
  const whole = new Uint8Array(514);
  whole.set(bytes);
  whole.set([bytes.length >> 8, bytes.length], 512);
  return whole;
}
