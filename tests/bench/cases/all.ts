import type { Case } from "../case.ts";
import { bulk } from "./bulk.ts";
import { start } from "./start.ts";

/** Every case, in the order of the table, for these numbers of connections. */
export function allCases(connections: readonly number[]): Case[] {
  const reencrypted = { adoptDownlinkKey: false };
  return [
    start,
    ...connections.flatMap((count) => [
      bulk({ name: "download", direction: "down", connections: count, secret: "classic" }),
      bulk({ name: "upload", direction: "up", connections: count, secret: "classic" }),
      bulk({ name: "download, ee", direction: "down", connections: count, secret: "ee" }),
      bulk({
        name: "download, key not adopted",
        direction: "down",
        connections: count,
        secret: "classic",
        slow: true,
        outboundSettings: reencrypted,
      }),
    ]),
  ];
}
