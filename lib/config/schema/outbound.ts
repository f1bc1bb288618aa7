import * as v from "valibot";
import { outboundKinds } from "../../proxy/registry.ts";
import { ipOf } from "../../settings/address.ts";
import { complain, read } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import { type Piece, written } from "../merge.ts";
import { formatPath } from "../position.ts";
import type { OutboundConfig } from "../types.ts";
import { readChain } from "./chain.ts";
import { muxSchema, readMux } from "./mux.ts";
import { readProtocol } from "./protocol.ts";
import { readStream } from "./stream.ts";

const schema = v.object({
  tag: v.optional(v.string(), ""),
  protocol: v.string(),
  settings: v.optional(v.unknown()),
  sendThrough: v.optional(read(v.string(), refuseSendThrough)),
  streamSettings: v.optional(v.unknown()),
  proxySettings: v.optional(v.object({
    tag: v.optional(v.string(), ""),
    transportLayer: v.optional(v.boolean(), false),
  })),
  mux: v.optional(muxSchema),
});

/**
 * One entry of `outbounds`.
 *
 * @param index its place among all outbounds, for its name where the config gives none
 * @returns null when there are complaints in the report
 */
export function readOutbound(whole: Piece, index: number, reading: Reading): OutboundConfig | null {
  const { proxyTag, transportLayer, piece } = readChain(whole, reading.report);
  const { place } = piece;
  const found = check(schema, piece.value, { place, pattern: "outbounds[]" }, reading);
  const kind = readProtocol("outbound", piece, outboundKinds, reading);
  const transport = readStream(written(piece.value, "streamsettings"), {
    kind: "outbound",
    protocol: kind?.protocol ?? "",
    transports: kind === null ? "all" : outboundKinds[kind.protocol].transports,
    place,
    reading,
  });
  if (found === null || kind === null || transport === null) return null;
  return {
    tag: found.tag || `outbound ${index + 1}`,
    ...kind,
    ...(proxyTag !== undefined && { proxyTag }),
    transport,
    transportLayer,
    mux: readMux(found.mux, {
      place,
      protocol: kind.protocol,
      muxes: outboundKinds[kind.protocol].muxes === true,
      able: Object.keys(outboundKinds).filter((name) => outboundKinds[name].muxes),
      report: reading.report,
    }),
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
