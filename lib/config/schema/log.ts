import * as v from "valibot";
import { oneOf } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import type { Piece } from "../merge.ts";
import type { LogConfig } from "../../observe/types.ts";

const schema = v.object({
  access: v.optional(v.string(), ""),
  error: v.optional(v.string(), ""),
  loglevel: v.optional(oneOf(["debug", "info", "warning", "error", "none"]), "warning"),
});

/** `log`. The level is V2Ray's default, "warning", where none is given. */
export function readLog(piece: Piece | undefined, reading: Reading): LogConfig {
  const at = piece && { place: piece.place, pattern: "log" };
  const found = at && check(schema, piece.value ?? {}, at, reading);
  const { access, error, loglevel } = found ?? v.parse(schema, {});
  return { access: asNone(access), error: asNone(error), level: loglevel };
}

function asNone(path: string): string {
  return path.toLowerCase() === "none" ? "none" : path;
}
