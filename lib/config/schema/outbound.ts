import * as v from "valibot";
import { outboundKinds } from "../../proxy/registry.ts";
import { noMux } from "../../proxy/types.ts";
import { ipOf } from "../../settings/address.ts";
import { complain, read } from "../../settings/words.ts";
import { streamSettings } from "../../transport/settings.ts";
import { plainTcp } from "../../transport/types.ts";
import { check, type Reading } from "../check.ts";
import type { Piece } from "../merge.ts";
import { formatPath } from "../position.ts";
import type { OutboundConfig } from "../types.ts";
import { readProtocol } from "./protocol.ts";

const schema = v.object({
  tag: v.optional(v.string(), ""),
  protocol: v.string(),
  settings: v.optional(v.unknown()),
  sendThrough: v.optional(read(v.string(), refuseSendThrough)),
  streamSettings: v.optional(streamSettings),
  proxySettings: v.optional(v.object({ tag: v.optional(v.string(), "") })),
});

/**
 * One entry of `outbounds`.
 *
 * @param index its place among all outbounds, for its name where the config gives none
 * @returns null when there are complaints in the report
 */
export function readOutbound(piece: Piece, index: number, reading: Reading): OutboundConfig | null {
  const { place } = piece;
  const found = check(schema, piece.value, { place, pattern: "outbounds[]" }, reading);
  const kind = readProtocol("outbound", piece, outboundKinds, reading);
  if (found === null || kind === null) return null;
  return {
    tag: found.tag || `outbound ${index + 1}`,
    ...kind,
    ...(found.proxySettings?.tag && { proxyTag: found.proxySettings.tag }),
    transport: plainTcp,
    transportLayer: false,
    mux: noMux,
    path: formatPath(place.path),
  };
}

/** The unspecified addresses leave the choice to the system, as leaving the key out does. No runtime offers another. */
function refuseSendThrough(text: string): void {
  const address = ipOf(text) ?? complain("must be an IP address of this machine");
  if (address === "0.0.0.0" || address === "::") return;
  complain(
    "is not in this version: choose the way in the system, for example ip route add 149.154.160.0/20 dev tun0",
  );
}
