import { type Place, type Report, within } from "../complaint.ts";
import { type Piece, written } from "../merge.ts";

/** How an outbound is carried by another one. */
export interface Chain {
  /** Absent: it is not. */
  proxyTag?: string;
  /** Whether its whole transport runs over the other one, or only TLS. */
  transportLayer: boolean;
  /** The outbound without what has no effect in a chain. */
  piece: Piece;
}

/**
 * What an outbound says of the one that carries it: V2Ray's `proxySettings`, or Xray's `sockopt.dialerProxy`, which is
 * the same with `transportLayer`. A carried outbound opens no socket, so what it says of sockets is left out, with one
 * warning.
 */
export function readChain(piece: Piece, report: Report): Chain {
  const { place, value } = piece;
  const settings = written(value, "proxysettings");
  const sockopt = written(written(value, "streamsettings"), "sockopt");
  const tag = textOf(written(settings, "tag"));
  const dialer = textOf(written(sockopt, "dialerproxy"));
  if (tag !== "" && dialer !== "") {
    report.error(
      { ...dialerPlace(place), key: true },
      "must not stand beside proxySettings.tag: each names the outbound that carries this one",
    );
  }
  const proxyTag = tag || dialer;
  if (proxyTag === "") return { transportLayer: false, piece };
  warnOfSockets(piece, proxyTag, report);
  return {
    proxyTag,
    transportLayer: tag === "" || written(settings, "transportlayer") === true,
    piece: { place, value: withoutSockets(value) },
  };
}

/** Where an outbound names the one that carries it. */
export function chainPlace(place: Place): Place {
  const at = within(place, "proxySettings", "tag");
  return textOf(place.source.nodeAt(at.path)?.value) === "" ? dialerPlace(place) : at;
}

function dialerPlace(place: Place): Place {
  return within(place, "streamSettings", "sockopt", "dialerProxy");
}

function warnOfSockets({ place, value }: Piece, carrier: string, report: Report): void {
  const sockopt = written(written(value, "streamsettings"), "sockopt");
  const said = [
    ...(saysMore(sockopt) ? [within(place, "streamSettings", "sockopt")] : []),
    ...(textOf(written(value, "sendthrough")) === "" ? [] : [within(place, "sendThrough")]),
  ];
  if (said.length === 0) return;
  const both = said.length > 1 ? ", nor has sendThrough" : "";
  report.warn(
    { ...said[0], key: true },
    `has no effect${both}: this outbound opens no socket, ${JSON.stringify(carrier)} carries it`,
  );
}

/** Whether socket options hold anything beside the tag of the carrying outbound. */
function saysMore(sockopt: unknown): boolean {
  return isObject(sockopt) &&
    Object.entries(sockopt).some(([key, value]) => key.toLowerCase() !== "dialerproxy" && value !== null);
}

function withoutSockets(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key.toLowerCase() !== "sendthrough");
  return Object.fromEntries(entries.map(([key, inner]) => {
    if (key.toLowerCase() !== "streamsettings" || !isObject(inner)) return [key, inner];
    const kept = Object.entries(inner).filter(([name, each]) =>
      name.toLowerCase() !== "sockopt" || !isObject(each)
    );
    return [key, Object.fromEntries(kept)];
  }));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
