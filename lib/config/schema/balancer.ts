import * as v from "valibot";
import type { BalancerConfig, BalancerStrategy } from "../../routing/types.ts";
import { complain, read } from "../../settings/words.ts";
import { check, type Reading } from "../check.ts";
import type { Place } from "../complaint.ts";
import { type Piece, writtenTag } from "../merge.ts";
import { formatPath } from "../position.ts";
import { stringList } from "./words.ts";

/** A balancer and where it stands, before it is known which outbounds there are. */
export interface PlacedBalancer {
  tag: string;
  /** Beginnings of outbound tags. */
  selector: string[];
  strategy: BalancerStrategy;
  /** Empty: none. */
  fallbackTag: string;
  place: Place;
}

const schema = v.object({
  tag: v.pipe(v.string(), v.minLength(1, "is empty: rules name a balancer by it")),
  selector: v.pipe(stringList(), v.minLength(1, "must have the beginning of an outbound's tag")),
  strategy: v.optional(v.object({ type: v.optional(read(v.string(), readStrategy), "random") }), {}),
  fallbackTag: v.optional(v.string(), ""),
});

/** One entry of `routing.balancers`. When there are complaints in the report it has its tag and nothing else. */
export function readBalancer(piece: Piece, reading: Reading): PlacedBalancer {
  const { place, value } = piece;
  const found = check(schema, value, { place, pattern: "routing.balancers[]" }, reading);
  if (found === null) {
    return { tag: writtenTag(piece), selector: [], strategy: "random", fallbackTag: "", place };
  }
  if (found.fallbackTag !== "") {
    // Xray takes it when its observatory finds no member alive; without one it never does, either.
    const at: Place = { source: place.source, path: [...place.path, "fallbackTag"], key: true };
    reading.report.warn(at, "has no effect: nothing probes outbounds, so each member has its turn");
  }
  return { ...found, strategy: found.strategy.type, place };
}

/** What the router needs of a balancer: the outbounds whose tags begin as its selector says, each once. */
export function balancerOf(
  { tag, selector, strategy, place }: PlacedBalancer,
  outboundTags: readonly string[],
): BalancerConfig {
  const members = outboundTags.filter((each) => selector.some((beginning) => each.startsWith(beginning)));
  return { tag, members, strategy, path: formatPath(place.path) };
}

function readStrategy(text: string): BalancerStrategy {
  const name = text.toLowerCase();
  if (name === "" || name === "random") return "random";
  if (name === "roundrobin") return "roundRobin";
  const probing = name === "leastping" || name === "leastload";
  return complain(
    `must be "random" or "roundRobin"${probing ? ": this version does not probe outbounds" : ""}`,
  );
}
