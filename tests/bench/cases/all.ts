import type { Case } from "../case.ts";
import { idle } from "./idle.ts";
import { mtproto, seedChain } from "./mtproto.ts";
import { plain } from "./plain.ts";
import { roundTrips, shortConnections } from "./small.ts";
import { stalled } from "./stalled.ts";
import { start } from "./start.ts";
import { vmess } from "./vmess.ts";

/** How many connections the dearer kinds of work have, which would make a run too long with all of them. */
const USUAL = 8;

/**
 * Every case, in the order of the table.
 *
 * @param asked numbers of connections instead of 1, 8 and 64; null: those, and 8 for what is not tried with each
 */
export function allCases(asked: readonly number[] | null): Case[] {
  const each = asked ?? [1, USUAL, 64];
  const usual = asked ?? [USUAL];
  return [
    start,
    idle,
    stalled,
    ...[16, 64].map(shortConnections),
    ...[1, 64].map(roundTrips),
    ...each.flatMap((connections) => [
      mtproto({ name: "download", direction: "down", connections }),
      mtproto({ name: "upload", direction: "up", connections }),
      mtproto({ name: "download, ee", direction: "down", connections, secret: "ee" }),
      ...(usual.includes(connections)
        ? [mtproto({ name: "download, key not adopted", direction: "down", connections, adopt: false })]
        : []),
    ]),
    ...each.flatMap((connections) => [plain("down", connections), plain("up", connections)]),
    ...usual.flatMap((connections) => [
      ...vmess("aes-128-gcm", connections),
      ...vmess("chacha20-poly1305", connections),
      seedChain("down", connections),
      seedChain("up", connections),
    ]),
  ];
}
