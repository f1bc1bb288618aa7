import * as v from "valibot";
import type { Policy } from "../../proxy/types.ts";
import { check, type Reading } from "../check.ts";
import { within } from "../complaint.ts";
import type { Piece } from "../merge.ts";

/**
 * In seconds. They differ from V2Ray's on purpose: one second for a half-closed connection loses slow answers, and a
 * client that says nothing for a minute will not say anything.
 */
const DEFAULTS = { handshake: 10, connIdle: 300, uplinkOnly: 60, downlinkOnly: 60 };

const DAY = 86_400;

const level = v.object({
  handshake: v.optional(seconds(1, 3600), DEFAULTS.handshake),
  connIdle: v.optional(seconds(1, DAY), DEFAULTS.connIdle),
  uplinkOnly: v.optional(seconds(0, DAY), DEFAULTS.uplinkOnly),
  downlinkOnly: v.optional(seconds(0, DAY), DEFAULTS.downlinkOnly),
});

const schema = v.object({ levels: v.optional(v.record(v.string(), level), {}) });

/** `policy.levels`, in milliseconds by level. Level 0 is always there. */
export function readPolicies(piece: Piece | undefined, reading: Reading): Map<number, Policy> {
  const policies = new Map<number, Policy>([[0, v.parse(level, {})]]);
  if (piece === undefined) return policies;
  const found = check(schema, piece.value ?? {}, { place: piece.place, pattern: "policy" }, reading);
  for (const [key, policy] of Object.entries(found?.levels ?? {})) {
    if (/^(?:0|[1-9][0-9]{0,2})$/.test(key) && Number(key) <= 255) policies.set(Number(key), policy);
    else {reading.report.error(
        { ...within(piece.place, "levels", key), key: true },
        "must be a level from 0 to 255",
      );}
  }
  return policies;
}

/** A time in seconds, fractions too; the result is in milliseconds. */
function seconds(least: number, most: number) {
  return v.pipe(
    v.unknown(),
    v.check(
      (value) => typeof value === "number" && value >= least && value <= most,
      `must be a time in seconds, from ${least} to ${most}`,
    ),
    v.transform((value) => Math.round(Number(value) * 1000)),
  );
}
