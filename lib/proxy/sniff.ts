import type { Session } from "../session.ts";
import { cipherStream } from "../stream/cipher_stream.ts";
import { FirstBytes } from "../stream/first_bytes.ts";
import type { ByteStream } from "../stream/types.ts";
import { complain } from "../settings/words.ts";
import { sniffHttp } from "./sniff_http.ts";
import { sniffTls } from "./sniff_tls.ts";
import type { Clock, Sniffing } from "./types.ts";

/** How long a client may say nothing, and how long it may go on after its first byte. Milliseconds. */
const PATIENCE = 300;
/** Bytes in which a domain must be found. */
const MOST_SNIFFED = 8 << 10;

/** What the first bytes of a client say. */
export interface Sniffed {
  protocol: "http" | "tls";
  domain?: string;
}

/** @returns "more" while it is open, null when it is nothing that is known here */
export function sniff(bytes: Uint8Array): Sniffed | "more" | null {
  if (bytes.length === 0) return "more";
  const parsers = [["tls", sniffTls], ["http", sniffHttp]] as const;
  for (const [protocol, parse] of parsers) {
    const found = parse(bytes);
    if (found !== null) return found === "more" ? "more" : { protocol, ...found };
  }
  return null;
}

/**
 * Waits for the first bytes of a client, if it is the one who speaks first.
 *
 * @returns what they say, and a stream that begins with them
 */
export async function sniffStream(
  stream: ByteStream,
  clock: Clock,
): Promise<{ found: Sniffed | null; stream: ByteStream }> {
  const first = new FirstBytes(stream);
  let found: Sniffed | "more" | null = "more";
  for (let deadline = clock.now() + PATIENCE; found === "more" && first.bytes.length < MOST_SNIFFED;) {
    const silent = first.bytes.length === 0;
    if (await first.more(deadline) !== true) break;
    if (silent) deadline = clock.now() + PATIENCE;
    found = sniff(first.bytes);
  }
  return {
    found: found === "more" ? null : found,
    stream: first.bytes.length === 0
      ? stream
      : cipherStream(stream, { reading: null, writing: null, first: first.bytes }),
  };
}

/** What an inbound makes of what its clients' first bytes say. */
export class Sniffer {
  readonly #sniffing: Sniffing;
  readonly #excluded: (domain: string) => boolean;

  constructor(sniffing: Sniffing) {
    this.#sniffing = sniffing;
    this.#excluded = matcherOf(sniffing.domainsExcluded);
  }

  /**
   * Puts it into the session: the protocol for rules, and the domain, if it is of a protocol that the config lists,
   * for rules and, without `routeOnly`, in place of the target's host.
   */
  apply(session: Session, { protocol, domain }: Sniffed): void {
    const used = domain !== undefined && this.#sniffing.protocols.includes(protocol) &&
      !this.#excluded(domain);
    session.sniffed = used ? { protocol, domain } : { protocol };
    if (used && !this.#sniffing.routeOnly) session.target = { ...session.target, host: domain };
  }
}

/** As rules write domains: plain text and `keyword:` anywhere in the name, `domain:`, `full:`, `regexp:`. */
function matcherOf(items: readonly string[]): (domain: string) => boolean {
  const matchers = items.map((item): (domain: string) => boolean => {
    const [, kind = "keyword", written] = /^(?:(keyword|domain|full|regexp):)?(.*)$/is.exec(item)!;
    const text = written.toLowerCase();
    switch (kind.toLowerCase()) {
      case "full":
        return (domain) => domain === text;
      case "domain":
        return (domain) => domain === text || domain.endsWith(`.${text}`);
      case "regexp": {
        const pattern = patternOf(written);
        return (domain) => pattern.test(domain);
      }
      default:
        return (domain) => domain.includes(text);
    }
  });
  return (domain) => matchers.some((matches) => matches(domain));
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text.replace(/^\(\?i\)/, ""), "i");
  } catch {
    return complain(
      "cannot sniff: domainsExcluded has something after regexp: that is no regular expression",
    );
  }
}
