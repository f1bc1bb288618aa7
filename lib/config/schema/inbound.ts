import * as v from "valibot";
import { inboundKinds } from "../../proxy/registry.ts";
import type { PortRange } from "../../routing/types.ts";
import { ipOf } from "../../settings/address.ts";
import { complain, read } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import { type Piece, written } from "../merge.ts";
import { formatPath } from "../position.ts";
import type { InboundConfig } from "../types.ts";
import { readProtocol } from "./protocol.ts";
import { readStream } from "./stream.ts";
import { readSniffing, sniffingSchema } from "./sniffing.ts";
import { portList } from "./words.ts";

/** More listeners than one inbound should have; a range that wide is a slip. */
const MOST_PORTS = 1024;

function schemaFor(reading: Reading) {
  return v.object({
    tag: v.optional(v.string(), ""),
    listen: v.optional(read(v.string(), readListen), "0.0.0.0"),
    port: read(portList(0, reading.env), allPorts),
    protocol: v.string(),
    settings: v.optional(v.unknown()),
    streamSettings: v.optional(v.unknown()),
    sniffing: v.optional(sniffingSchema),
  });
}

/**
 * One entry of `inbounds`.
 *
 * @param index its place among all inbounds, for its name where the config gives none
 * @returns null when there are complaints in the report
 */
export function readInbound(piece: Piece, index: number, reading: Reading): InboundConfig | null {
  const { place } = piece;
  const found = check(schemaFor(reading), piece.value, { place, pattern: "inbounds[]" }, reading);
  const kind = readProtocol("inbound", piece, inboundKinds, reading);
  const transport = readStream(written(piece.value, "streamsettings"), {
    kind: "inbound",
    protocol: kind?.protocol ?? "",
    transports: kind === null ? "all" : inboundKinds[kind.protocol].transports,
    place,
    reading,
  });
  if (found === null || kind === null || transport === null) return null;
  const { listen, port } = found;
  const { protocol } = kind;
  const sniffing = readSniffing(found.sniffing, { place, protocol, report: reading.report });
  return {
    tag: found.tag || `inbound ${index + 1}`,
    ...kind,
    listen,
    ports: port,
    transport,
    ...(sniffing !== undefined && { sniffing }),
    path: formatPath(place.path),
  };
}

function readListen(text: string): string {
  if (/^[@/]/.test(text)) complain("must be an IP address: mtray does not listen on unix sockets");
  if (text.toLowerCase() === "localhost") return "127.0.0.1";
  return ipOf(text) ?? complain("must be an IP address or localhost");
}

function allPorts(ranges: PortRange[]): number[] {
  const ports = new Set<number>();
  for (const { from, to } of ranges) {
    if (ports.size + to - from >= MOST_PORTS) complain(`must not be more than ${MOST_PORTS} ports`);
    for (let port = from; port <= to; port++) ports.add(port);
  }
  return [...ports];
}
