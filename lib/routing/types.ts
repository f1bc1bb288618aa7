/** Inclusive. */
export interface PortRange {
  from: number;
  to: number;
}

/** Rules in order; the first that matches decides. */
export interface RoutingConfig {
  rules: RuleConfig[];
}

/** All fields that are there must match; within a field, one item must. At least one field is there. */
export interface RuleConfig {
  outboundTag: string;
  inboundTag?: string[];
  user?: string[];
  network?: ("tcp" | "udp")[];
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
