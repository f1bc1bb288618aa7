import * as v from "valibot";
import { MtrayError } from "../errors.ts";
import type { RoutingConfig } from "../routing/types.ts";
import { check, type Reading } from "./check.ts";
import { type Complaint, ConfigError, Report } from "./complaint.ts";
import { checkChains, checkSniffing, checkTags, type Parts, type Placed, selectable } from "./cross.ts";
import { mergeFiles, type Piece, type TopLevel, writtenTag } from "./merge.ts";
import { checkPorts } from "./ports.ts";
import { checkReach } from "./reach.ts";
import { balancerOf } from "./schema/balancer.ts";
import { readInbound } from "./schema/inbound.ts";
import { readLog } from "./schema/log.ts";
import { readOutbound } from "./schema/outbound.ts";
import { readPolicies } from "./schema/policy.ts";
import { readRouting } from "./schema/routing.ts";
import { readWorkers } from "./schema/workers.ts";
import { parseText } from "./text.ts";
import type { Config } from "./types.ts";

/** A file of the config, read into memory. */
export interface ConfigFile {
  /** As messages call it; a file named "…tail…" is merged differently, see lib/config/merge.ts. */
  name: string;
  text: Uint8Array | string;
}

export interface LoadOptions {
  /** Whether a key that nobody knows is an error. */
  strict?: boolean;
  /** Environment variables, for ports written as "env:NAME". None by default. */
  env?: (name: string) => string | undefined;
}

export interface Loaded {
  config: Config;
  /** What is taken and has no effect, in file order. */
  warnings: Complaint[];
}

/**
 * Text to a config that passed every check, several files merged into one as V2Ray does.
 *
 * @throws {MtrayError} `usage`, without a file
 * @throws {ConfigError} with every complaint that could be found, in file order
 */
export function loadConfig(files: readonly ConfigFile[], options: LoadOptions = {}): Loaded {
  if (files.length === 0) throw new MtrayError("usage", "cannot load a config: no file is named");
  const report = new Report();
  const reading: Reading = { report, strict: options.strict ?? false, env: options.env ?? (() => undefined) };
  const tops = files.map((file) => readTopLevel(file, reading));
  const readable = tops.filter((top) => top !== null);
  // Half of a config says nothing about the other half.
  if (readable.length < tops.length) throw new ConfigError(report.errors());

  const merged = mergeFiles(readable, report);
  const log = readLog(merged.log, reading);
  const policies = readPolicies(merged.policy, reading);
  const workers = readWorkers(merged.workers, reading);
  const parts: Parts = {
    inbounds: readAll(merged.inbounds, "inbound", readInbound, reading),
    outbounds: readAll(merged.outbounds, "outbound", readOutbound, reading),
    ...readRouting(merged.routing, reading),
  };
  const failed = report.errorCount > 0;
  for (const list of ["inbounds", "outbounds"] as const) {
    if (parts[list].length > 0 || failed) continue;
    report.error(
      { source: merged.first, path: [list] },
      "must have an entry: without one there is nothing to do",
    );
  }
  checkTags(parts, report);
  checkChains(parts, report);
  checkPorts(parts, report);
  checkSniffing(parts, report);
  // A proof needs all that it is about.
  if (report.errorCount === 0) checkReach(parts, report);
  if (report.errorCount > 0) throw new ConfigError(report.errors());

  const [inbounds, outbounds] = [configsOf(parts.inbounds), configsOf(parts.outbounds)];
  const routing: RoutingConfig = {
    rules: parts.rules.map(({ rule }) => rule),
    balancers: parts.balancers.map((each) => balancerOf(each, selectable(parts.outbounds))),
  };
  return {
    config: { log, policies, workers, inbounds, outbounds, routing },
    warnings: report.warnings(),
  };
}

const topLevel = v.object({
  log: v.optional(v.unknown()),
  policy: v.optional(v.unknown()),
  inbounds: v.optional(v.unknown()),
  outbounds: v.optional(v.unknown()),
  routing: v.optional(v.unknown()),
  workers: v.optional(v.unknown()),
});

function readTopLevel({ name, text }: ConfigFile, reading: Reading): TopLevel | null {
  const parsed = parseText(name, text, reading.report);
  if (parsed === null) return null;
  const { source } = parsed;
  const value = check(topLevel, parsed.value, { place: { source, path: [] }, pattern: "" }, reading);
  if (value !== null) return { source, value };
  // Refused keys at the top do not keep the sections beside them from being checked.
  const isObject = source.tree?.type === "object";
  return isObject ? { source, value: knownSections(parsed.value as Record<string, unknown>) } : null;
}

function knownSections(value: Record<string, unknown>): TopLevel["value"] {
  const names = new Map(Object.keys(topLevel.entries).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [names.get(key.toLowerCase()), inner] as const)
      .filter(([name, inner]) => name !== undefined && inner !== null),
  );
}

function readAll<T>(
  pieces: readonly Piece[],
  kind: string,
  read: (piece: Piece, index: number, reading: Reading) => T | null,
  reading: Reading,
): Placed<T>[] {
  return pieces.map((piece, index) => ({
    place: piece.place,
    tag: writtenTag(piece) || `${kind} ${index + 1}`,
    named: writtenTag(piece) !== "",
    config: read(piece, index, reading),
  }));
}

function configsOf<T>(parts: readonly Placed<T>[]): T[] {
  return parts.flatMap(({ config }) => config === null ? [] : [config]);
}
