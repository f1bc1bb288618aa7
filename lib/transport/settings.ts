import * as v from "valibot";
import { complain, read } from "../settings/words.ts";

/**
 * What the transport of a handler may be in this version: plain TCP, nothing around it. What else V2Ray knows here is
 * refused by name in lib/config/unsupported.ts.
 */
export const streamSettings = v.object({
  network: only("tcp", ["tcp", "raw"], "this version has no other transport"),
  security: only("none", ["none", ""], "this version wraps nothing in TLS"),
});

/** A setting with one possible value so far. */
function only<const Word extends string>(word: Word, spellings: readonly string[], why: string) {
  return v.optional(
    read(v.string(), (text): Word => {
      if (spellings.includes(text.toLowerCase())) return word;
      return complain(`must be ${JSON.stringify(word)}: ${why}`);
    }),
    word,
  );
}
