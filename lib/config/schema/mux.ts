import * as v from "valibot";
import { type Mux, noMux } from "../../proxy/types.ts";
import { complain, oneOf, read } from "../../settings/words.ts";
import { type Place, type Report, within } from "../complaint.ts";

/** V2Ray's and Xray's `mux`; `mtproto` is mtray's own. */
export const muxSchema = v.object({
  enabled: v.optional(v.boolean(), false),
  concurrency: v.optional(sessions(), 0),
  mtproto: v.optional(v.boolean(), false),
  xudpConcurrency: v.optional(sessions(), 0),
  xudpProxyUDP443: v.optional(oneOf(["", "reject", "allow", "skip"]), ""),
});

/** V2Ray's own number where the config says 0. */
const USUAL = noMux.concurrency;
const MOST = 1024;

/** Sessions in a connection; 0 is V2Ray's own number, and less is none. */
function sessions() {
  return read(v.unknown(), (value) => {
    if (Number.isInteger(value) && Number(value) >= -32768 && Number(value) <= MOST) return Number(value);
    return complain(`must be a whole number of at most ${MOST}; below 0 is off`);
  });
}

/** What is known of the outbound. */
interface Context {
  place: Place;
  protocol: string;
  muxes: boolean;
  /** Protocols that can, for messages. */
  able: readonly string[];
  report: Report;
}

/** `mux` of an outbound. What it says is worth nothing unless it is enabled. */
export function readMux(found: v.InferOutput<typeof muxSchema> | undefined, context: Context): Mux {
  if (found?.enabled !== true) return noMux;
  const { place, protocol, muxes, able, report } = context;
  const at = (key: string): Place => ({ ...within(place, "mux", key), key: true });
  const { concurrency, mtproto, xudpConcurrency, xudpProxyUDP443 } = found;
  const shared = concurrency >= 0;
  if (!muxes) {
    // Off by its number, it asks for nothing.
    if (shared || xudpConcurrency > 0) {
      const others = able.length === 0 ? "" : `; write it in an outbound that is ${able.join(" or ")}`;
      report.error(
        at("enabled"),
        `must not be true: ${protocol} connections carry one session each${others}`,
      );
    }
    return noMux;
  }
  if (xudpConcurrency < 0 && shared) {
    report.warn(at("xudpConcurrency"), "has no effect: datagrams share the connections, too");
  }
  if (xudpProxyUDP443 === "skip") {
    report.warn(at("xudpProxyUDP443"), "has no effect: datagrams to port 443 go the way of all others");
  }
  if (xudpProxyUDP443 === "reject") {
    report.error(
      at("xudpProxyUDP443"),
      "is not in this version: remove it, and add a rule " +
        '{"network": "udp", "port": 443, "outboundTag": …} that names a blackhole outbound',
    );
  }
  return {
    enabled: shared,
    concurrency: concurrency > 0 ? concurrency : USUAL,
    mtproto,
    xudp: xudpConcurrency > 0,
  };
}
