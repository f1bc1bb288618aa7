import * as v from "valibot";
import { oneOf } from "../../settings/words.ts";

/** `settings` of a blackhole outbound: what a refused client is told. "http" is a short 403 answer. */
export const settings = v.object({
  response: v.optional(v.object({ type: v.optional(oneOf(["none", "http"]), "none") }), {}),
});

export type BlackholeSettings = v.InferOutput<typeof settings>;
