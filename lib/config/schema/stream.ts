import type * as v from "valibot";
import { runtime } from "../../runtime/mod.ts";
import { PRIVATE_NETWORKS } from "../../transport/behind_proxy.ts";
import {
  httpUpgradeSettings,
  inboundSockopt,
  outboundSockopt,
  streamSettings,
  tcpSettings,
  tlsSettings,
  wsSettings,
} from "../../transport/settings.ts";
import { plainTcp, type TransportSettings } from "../../transport/types.ts";
import { check, type Reading } from "../check.ts";
import { keyOf, type Place, within } from "../complaint.ts";

type Found = v.InferOutput<typeof streamSettings>;

/** What is known of the handler. */
export interface StreamContext {
  kind: "inbound" | "outbound";
  protocol: string;
  /** What the protocol can use. */
  transports: "all" | "tcp";
  /** Of the handler. */
  place: Place;
  reading: Reading;
}

/**
 * `streamSettings` of an inbound or outbound. Files that it names are read.
 *
 * @param value as written, if it is
 * @returns null when there are complaints in the report
 */
export function readStream(value: unknown, context: StreamContext): TransportSettings | null {
  if (value === undefined || value === null) return plainTcp;
  const { kind, place, reading } = context;
  const at = { place: within(place, "streamSettings"), pattern: `${kind}s[].streamSettings` };
  const found = check(streamSettings, value, at, reading);
  return found === null ? null : new StreamReader(found, context).read();
}

/** V2Ray's part for each network, and Xray's newer names for them. */
const PARTS = {
  tcp: ["tcpSettings", "rawSettings"],
  ws: ["wsSettings"],
  httpupgrade: ["httpupgradeSettings"],
} as const;

class StreamReader {
  readonly #found: Found;
  readonly #context: StreamContext;
  readonly #errorsBefore: number;

  constructor(found: Found, context: StreamContext) {
    this.#found = found;
    this.#context = context;
    this.#errorsBefore = context.reading.report.errorCount;
  }

  read(): TransportSettings | null {
    const { network } = this.#found;
    this.#judgeProtocol();
    this.#warnOfOthers();
    const part = this.#readPart();
    const tls = this.#found.security === "tls" ? this.#readTls() : undefined;
    const socket = this.#readSockopt();
    const proxyProtocol = this.#proxyProtocol([part?.introduced, socket?.introduced]);
    if (this.#context.reading.report.errorCount > this.#errorsBefore) return null;
    return {
      network,
      ...part?.settings,
      ...(tls !== undefined && { tls }),
      ...(proxyProtocol !== undefined && { proxyProtocol }),
      ...socket?.settings,
    };
  }

  get #isInbound(): boolean {
    return this.#context.kind === "inbound";
  }

  #at(...steps: (string | number)[]): Place {
    return within(this.#context.place, "streamSettings", ...steps);
  }

  #error(text: string, ...steps: string[]): void {
    this.#context.reading.report.error(keyOf(this.#at(...steps)), text);
  }

  #warn(text: string, ...steps: string[]): void {
    this.#context.reading.report.warn(keyOf(this.#at(...steps)), text);
  }

  #check<T>(schema: v.GenericSchema<unknown, T>, key: keyof Found): T | null {
    const { kind, reading } = this.#context;
    const at = { place: this.#at(key), pattern: `${kind}s[].streamSettings.${key}` };
    return check(schema, this.#found[key] ?? {}, at, reading);
  }

  /** Some protocols are what they are on the wire. */
  #judgeProtocol(): void {
    const { transports, protocol, kind } = this.#context;
    if (transports === "all") return;
    const why = protocol !== "mtproto"
      ? `${protocol} opens no connection`
      : kind === "inbound"
      ? "no Telegram app speaks MTProto inside WebSocket or TLS (an ee secret is what looks like TLS)"
      : "data centres take plain TCP (TLS belongs into the outbound that proxySettings.tag names)";
    if (this.#found.network !== "tcp") this.#error(`must be "tcp": ${why}`, "network");
    if (this.#found.security !== "none") this.#error(`must be "none": ${why}`, "security");
  }

  /** Parts that belong to what is not chosen. */
  #warnOfOthers(): void {
    const { network, security } = this.#found;
    for (const [other, keys] of Object.entries(PARTS)) {
      if (other === network) continue;
      for (const key of keys) {
        if (saysSomething(this.#found[key])) this.#warn(`has no effect: network is ${network}`, key);
      }
    }
    if (security === "none" && saysSomething(this.#found.tlsSettings)) {
      this.#warn("has no effect: security is none", "tlsSettings");
    }
  }

  /** The part of the network that is chosen. */
  #readPart(): Part | null {
    const { network } = this.#found;
    if (network === "ws") {
      const found = this.#check(wsSettings, "wsSettings");
      if (found === null) return null;
      this.#warnOfHttp(found, "wsSettings");
      return { settings: { ws: found.settings }, introduced: { ...found, key: "wsSettings" } };
    }
    if (network === "httpupgrade") {
      const found = this.#check(httpUpgradeSettings, "httpupgradeSettings");
      if (found === null) return null;
      this.#warnOfHttp(found, "httpupgradeSettings");
      return {
        settings: { httpUpgrade: found.settings },
        introduced: { ...found, key: "httpupgradeSettings" },
      };
    }
    const both = saysSomething(this.#found.tcpSettings) && saysSomething(this.#found.rawSettings);
    if (both) this.#error("is tcpSettings again, by Xray's name", "rawSettings");
    const key = saysSomething(this.#found.rawSettings) ? "rawSettings" : "tcpSettings";
    const found = this.#check(tcpSettings, key);
    if (found === null) return null;
    const { httpHeader } = found;
    if (httpHeader !== undefined) this.#judgeHeader(key);
    return { settings: httpHeader === undefined ? {} : { httpHeader }, introduced: { ...found, key } };
  }

  #judgeHeader(key: string): void {
    const { protocol, transports } = this.#context;
    if (this.#isInbound) {
      this.#error(
        'must not be "http", of which mtray has the client\'s side only: write "none", or network "httpupgrade" on both sides',
        ...[key, "header", "type"],
      );
    } else if (transports === "tcp") {
      this.#error(`must not be "http": ${protocol} connections are what they are`, key, "header", "type");
    }
  }

  #warnOfHttp({ host, headers }: { host: string; headers: Record<string, string> }, key: string): void {
    if (!this.#isInbound) return;
    if (host !== "") this.#warn("has no effect: any host is taken, as by V2Ray", key, "host");
    if (Object.keys(headers).length > 0) {
      this.#warn("has no effect: clients say headers, and any are taken", key, "headers");
    }
  }

  #readTls() {
    const found = this.#check(tlsSettings, "tlsSettings");
    if (found === null) return undefined;
    const { settings, raised } = found;
    if (raised) this.#warn("has no effect: 1.2 is the oldest that mtray takes", "tlsSettings", "minVersion");
    if (this.#isInbound) this.#judgeServer(settings);
    else this.#judgeClient(settings);
    return settings;
  }

  #judgeServer(tls: NonNullable<TransportSettings["tls"]>): void {
    if (tls.certificates.length === 0) {
      this.#error(
        "must have a certificate with its key: an inbound shows one",
        ...(this.#found.tlsSettings === undefined ? ["security"] : ["tlsSettings", "certificates"]),
      );
    }
    const idle: [boolean, string][] = [
      [tls.serverName !== "", "serverName"],
      [tls.allowInsecure, "allowInsecure"],
      [tls.disableSystemRoot, "disableSystemRoot"],
      [tls.pinnedChains.length > 0, "pinnedPeerCertificateChainSha256"],
      [tls.pinnedCertificates.length > 0, "pinnedPeerCertSha256"],
    ];
    for (const [said, key] of idle) {
      if (said) this.#warn("has no effect: it is for outbounds", "tlsSettings", key);
    }
    if (tls.authorities.length > 0) {
      this.#warn('has no effect: usage "verify" is for outbounds', "tlsSettings", "certificates");
    }
  }

  #judgeClient(tls: NonNullable<TransportSettings["tls"]>): void {
    const pinned = tls.pinnedChains.length + tls.pinnedCertificates.length > 0;
    if (tls.certificates.length > 0) {
      this.#error(
        'must have usage "verify" only: an outbound shows no certificate, it looks at those of others',
        ...["tlsSettings", "certificates"],
      );
    }
    if (tls.disableSystemRoot && tls.authorities.length === 0 && !pinned && !tls.allowInsecure) {
      this.#error(
        'must not be true without a certificate of usage "verify": nobody would be trusted',
        ...["tlsSettings", "disableSystemRoot"],
      );
    }
    if (tls.allowInsecure && !pinned) {
      this.#warn(
        "MAKES TLS WORTHLESS AGAINST ATTACKS: whoever sits on the way can show a certificate of its own, and read and " +
          "change everything; write pinnedPeerCertSha256 instead",
        ...["tlsSettings", "allowInsecure"],
      );
    }
  }

  #readSockopt() {
    const found: v.InferOutput<typeof outboundSockopt> | null = this.#isInbound
      ? this.#check(inboundSockopt, "sockopt")
      : this.#check(outboundSockopt, "sockopt");
    if (found === null) return null;
    const { tcpKeepAliveIdle: idle, tcpKeepAliveInterval: interval } = found;
    const { keepAliveParts, name } = runtime;
    if (idle > 0 && !keepAliveParts.idle) this.#warnOfRuntime(name, "tcpKeepAliveIdle");
    if (interval > 0 && !keepAliveParts.interval) this.#warnOfRuntime(name, "tcpKeepAliveInterval");
    const keepAlive = { ...(idle > 0 && { idle }), ...(interval > 0 && { interval }) };
    return {
      settings: {
        ...(idle + interval > 0 && { keepAlive }),
        ...(found.dialerProxy && { dialerProxy: found.dialerProxy }),
      },
      introduced: { ...found, key: "sockopt" },
    };
  }

  #warnOfRuntime(name: string, key: string): void {
    this.#warn(`has no effect: ${name} cannot set it on this system`, "sockopt", key);
  }

  /** Wherever it stands, it is one setting. */
  #proxyProtocol(all: (Introduced | undefined)[]): TransportSettings["proxyProtocol"] {
    const said = all.filter((each) => each !== undefined);
    const accepts = said.some(({ acceptProxyProtocol }) => acceptProxyProtocol);
    for (const { key, acceptProxyProtocol, trustedProxies } of said) {
      if (acceptProxyProtocol && !this.#isInbound) {
        this.#warn("has no effect: it is for inbounds", key, "acceptProxyProtocol");
      }
      if (trustedProxies.length > 0 && (!accepts || !this.#isInbound)) {
        this.#warn("has no effect without acceptProxyProtocol, which is for inbounds", key, "trustedProxies");
      }
    }
    if (!accepts || !this.#isInbound) return undefined;
    const trusted = said.flatMap(({ trustedProxies }) => trustedProxies);
    return { trusted: trusted.length > 0 ? trusted : [...PRIVATE_NETWORKS] };
  }
}

/** Where a handler says that relays tell whose connection it is. */
interface Introduced {
  key: string;
  acceptProxyProtocol: boolean;
  trustedProxies: string[];
}

interface Part {
  settings: Pick<TransportSettings, "ws" | "httpUpgrade" | "httpHeader">;
  introduced: Introduced;
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
