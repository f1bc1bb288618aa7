/** Inclusive. */
export interface PortRange {
  from: number;
  to: number;
}

/** Rules in order; the first that matches decides. */
export interface RoutingConfig {
  rules: RuleConfig[];
  balancers: BalancerConfig[];
}

/**
 * All fields that are there must match; within a field, one item must. At least one field is there, and exactly one of
 * `outboundTag` and `balancerTag`.
 */
export interface RuleConfig {
  outboundTag?: string;
  balancerTag?: string;
  inboundTag?: string[];
  user?: string[];
  network?: ("tcp" | "udp")[];
  /** What was sniffed. */
  protocol?: SniffedProtocol[];
  /** As written: "10.0.0.0/8", "1.2.3.4", "geoip:private". Checked. */
  ip?: string[];
  source?: string[];
  /** As written: "example.com" (substring), "domain:", "full:", "keyword:", "regexp:". Checked. */
  domain?: string[];
  port?: PortRange[];
  sourcePort?: PortRange[];
  /** Where it stands, for messages: "routing.rules[0]". */
  path: string;
}

export type SniffedProtocol = "http" | "tls";

/** Several outbounds that take turns. */
export interface BalancerConfig {
  tag: string;
  /** Tags of outbounds; at least one, each once. */
  members: string[];
  strategy: BalancerStrategy;
  /** Where it stands, for messages: "routing.balancers[0]". */
  path: string;
}

export type BalancerStrategy = "random" | "roundRobin";
