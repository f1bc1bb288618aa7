import * as v from "valibot";
import { check, type Reading } from "../check.ts";
import type { Piece } from "../merge.ts";

/** Each is a thread with memory of its own; more of them than any machine of ours has cores is a slip. */
const MOST = 64;

const schema = v.pipe(
  v.unknown(),
  v.check(
    (value) => isAuto(value) || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST),
    `must be a whole number from 1 to ${MOST}, or "auto"`,
  ),
  v.transform((value) => isAuto(value) ? "auto" : Number(value)),
);

/** `workers`: how many routers serve, each in a thread of its own; "auto" is one for each core. */
export function readWorkers(piece: Piece | undefined, reading: Reading): number | "auto" {
  if (piece === undefined) return 1;
  return check(schema, piece.value, { place: piece.place, pattern: "workers" }, reading) ?? 1;
}

function isAuto(value: unknown): boolean {
  return typeof value === "string" && value.toLowerCase() === "auto";
}
