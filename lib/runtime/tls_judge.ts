import type { PeerCertificate } from "node:tls";
import { MtrayError } from "../errors.ts";
import { nodeTls } from "./node_net.ts";
import { tlsReason, wrongNames } from "./tls_errors.ts";
import type { TlsOptions } from "./types.ts";

/** What a server showed. */
export interface Peer {
  /** Whether its chain leads to a root. */
  trusted: boolean;
  /** Why not. */
  error?: unknown;
  leaf: PeerCertificate;
}

/** Throws where a certificate is not good enough. */
export function judgePeer({ trusted, error, leaf }: Peer, serverName: string, options: TlsOptions): void {
  const refuse = (why: string) => {
    throw new MtrayError("unreachable", why);
  };
  if (options.judge?.(chainOf(leaf))) return;
  if (options.allowInsecure) return;
  const otherName = (error as { code?: string } | undefined)?.code === "ERR_TLS_CERT_ALTNAME_INVALID";
  if (!trusted) {
    // Deno calls everything that is not trusted signed by nobody.
    if (Date.parse(leaf.valid_to) < Date.now()) refuse(tlsReason("CERT_HAS_EXPIRED"));
    if (Date.parse(leaf.valid_from) > Date.now()) refuse(tlsReason("CERT_NOT_YET_VALID"));
  }
  if (!trusted && !otherName) refuse(tlsReason(error ?? "its certificate is not trusted"));
  // A name in the subject alone counts no more, for V2Ray and browsers neither; node:tls still takes it.
  if (!trusted || !leaf.subjectaltname || nodeTls().checkServerIdentity(serverName, leaf) !== undefined) {
    refuse(wrongNames(leaf.subjectaltname));
  }
}

/** Its own certificate first. A root that it did not show may stand at the end. */
function chainOf(leaf: PeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<unknown>();
  let next: (PeerCertificate & { issuerCertificate?: PeerCertificate }) | undefined = leaf;
  while (next?.raw !== undefined && !seen.has(next)) {
    seen.add(next);
    const der: Uint8Array = new Uint8Array(next.raw);
    if (chain.length > 0 && der.every((byte, i) => byte === chain.at(-1)![i])) break;
    chain.push(der);
    next = next.issuerCertificate;
  }
  return chain;
}
