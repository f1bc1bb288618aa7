import type { Config, InboundConfig } from "../config/types.ts";
import { MtrayError } from "../errors.ts";
import { formatSecret } from "../proxy/mtproto/secret.ts";
import type { MtprotoInboundSettings } from "../proxy/mtproto/settings.ts";
import { late } from "../runtime/late.ts";
import { hostName, ipOf } from "../settings/address.ts";
import { qrLines } from "./qr.ts";
import type { Screen } from "./screen.ts";

const url = late<typeof import("node:url")>("node:url");

/** The two forms of one link. Both hold the secret. */
export interface Link {
  /** The address or name that clients connect to. */
  server: string;
  tg: string;
  https: string;
}

/** What one user needs to connect. */
export interface UserLinks {
  inbound: string;
  /** As in the config; empty where it gives none. */
  email: string;
  port: number;
  /** How many more ports the inbound listens on. */
  morePorts: number;
  /** At least one; the first is the one to hand out. */
  links: Link[];
}

/** Builds the links that Telegram apps open. The secret goes in as lower-case hex, which every app reads. */
export function linkTo(server: string, port: number, secret: string): Link {
  const query = `server=${encodeURIComponent(server)}&port=${port}&secret=${secret}`;
  return { server, tg: `tg://proxy?${query}`, https: `https://t.me/proxy?${query}` };
}

/**
 * Links for every user of every mtproto inbound, in the config's order.
 *
 * @param addresses those of this box, best first; an inbound that listens on one address uses just that
 * @param host replaces all of them
 */
export function userLinks(config: Config, addresses: readonly string[], host?: string): UserLinks[] {
  const found: UserLinks[] = [];
  for (const inbound of config.inbounds) {
    if (inbound.protocol !== "mtproto") continue;
    const servers = host === undefined ? serversOf(inbound, addresses) : [host];
    const [port, ...more] = inbound.ports;
    for (const { email, secret } of (inbound.settings as MtprotoInboundSettings).users) {
      const links = servers.map((server) => linkTo(server, port, formatSecret(secret)));
      found.push({ inbound: inbound.tag, email, port, morePorts: more.length, links });
    }
  }
  return found;
}

function serversOf({ listen }: InboundConfig, addresses: readonly string[]): readonly string[] {
  const everywhere = listen === "0.0.0.0" || listen === "::";
  if (!everywhere) return [listen];
  return addresses.length > 0 ? addresses : ["127.0.0.1"];
}

/**
 * The name or address that `--host` gives, without the brackets of IPv6.
 *
 * @throws MtrayError `usage` for anything else
 */
export function checkedHost(text: string): string {
  const host = ipOf(text.trim()) ?? hostName(url().domainToASCII(text.trim()));
  if (host !== null) return host;
  const why = /:\d+$/.test(text) ? "the port comes from the config" : "it must be a name or an IP address";
  throw new MtrayError("usage", `cannot use ${JSON.stringify(text)} as a host: ${why}`);
}

/** Prints links for people: the first address with its QR code, the others in short. */
export function printLinks(users: readonly UserLinks[], screen: Screen): void {
  for (const { inbound, email, port, morePorts, links: [first, ...others] } of users) {
    screen.out("");
    screen.out(`${email || "A user without a name"}, through ${inbound}, at ${first.server} port ${port}:`);
    screen.out(`  ${first.tg}`);
    screen.out(`  ${first.https}`);
    for (const line of qrLines(first.tg, screen.colours)) screen.out(line);
    if (others.length > 0) screen.out("  At this box's other addresses:");
    for (const { tg, https } of others) {
      screen.out(`  ${tg}`);
      screen.out(`  ${https}`);
    }
    if (morePorts > 0) {
      screen.out(`  The inbound has ${morePorts} more ports; the links work with each of them.`);
    }
  }
  screen.out("");
}

/** The same for programs. */
export function linksAsJson(users: readonly UserLinks[]): string {
  const list = users.map(({ inbound, email, port, links }) => ({
    inbound,
    email,
    server: links[0].server,
    port,
    tg: links[0].tg,
    https: links[0].https,
    all: links,
  }));
  return JSON.stringify({ users: list }, null, 2);
}
