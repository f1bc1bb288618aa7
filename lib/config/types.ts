import type { LogConfig } from "../observe/types.ts";
import type { Mux, Policy, Sniffing } from "../proxy/types.ts";
import type { RoutingConfig } from "../routing/types.ts";
import type { TransportSettings } from "../transport/types.ts";

/** A configuration that passed every check. Nothing in it needs to be doubted again. */
export interface Config {
  log: LogConfig;
  /** By level; level 0 is always there and serves for levels that are not. */
  policies: Map<number, Policy>;
  /** Routers that serve, each in a thread of its own: 1–64, or one for each core. */
  workers: number | "auto";
  inbounds: InboundConfig[];
  /** At least one; the first takes what no rule takes. */
  outbounds: OutboundConfig[];
  routing: RoutingConfig;
}

export interface InboundConfig {
  /** As written, or "inbound 1" counted from one where the config gives none. */
  tag: string;
  protocol: string;
  /** IP address. */
  listen: string;
  /** One listener each. */
  ports: number[];
  /** What the protocol's own schema made of `settings`. */
  settings: unknown;
  transport: TransportSettings;
  sniffing?: Sniffing;
  /** Where it stands, for messages: "inbounds[0]". */
  path: string;
}

export interface OutboundConfig {
  tag: string;
  protocol: string;
  settings: unknown;
  transport: TransportSettings;
  /** Tag of the outbound that carries this one. */
  proxyTag?: string;
  /** Whether the whole transport runs over that outbound, or only TLS. */
  transportLayer: boolean;
  mux: Mux;
  path: string;
}
