import { sha1 } from "../../crypto/hash.ts";
import { complain } from "../../settings/words.ts";
import { fromHex } from "../../stream/bytes.ts";

/** Bytes of the longest text that Xray takes for a name. */
const LONGEST_NAME = 30;

/**
 * Reads a user's id: 32 hex digits with the dashes of a UUID or without any, or, as Xray has it, a text of 1 to 30
 * bytes that stands for the UUID made of it.
 *
 * @returns 16 bytes
 * @throws {MtrayError} `config`, with a message that goes on from a path and never holds the id
 */
export function parseId(text: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(text);
  if (name.length >= 1 && name.length <= LONGEST_NAME) return idOfName(name);
  const digits = /^.{8}-.{4}-.{4}-.{4}-.{12}$/.test(text) ? text.replaceAll("-", "") : text;
  if (!/^[0-9a-f]{32}$/i.test(digits)) {
    complain(
      "must be a UUID (32 hex digits, grouped 8-4-4-4-12 or not at all), or a text of 1 to " +
        `${LONGEST_NAME} bytes; got ${name.length} bytes`,
    );
  }
  return fromHex(digits);
}

/** UUID version 5 (RFC 9562, 5.5) in the namespace of 16 zero bytes. */
function idOfName(name: Uint8Array): Uint8Array<ArrayBuffer> {
  const id = Uint8Array.from(sha1(new Uint8Array(16), name).subarray(0, 16));
  id[6] = id[6] & 0x0f | 0x50;
  id[8] = id[8] & 0x3f | 0x80;
  return id;
}
