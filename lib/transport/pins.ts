import { sha256 } from "../crypto/hash.ts";
import { MtrayError } from "../errors.ts";
import { toHex } from "../stream/bytes.ts";
import type { TlsSettings } from "./types.ts";

/**
 * V2Ray's hash of a certificate chain, in base64: that of the first certificate, then of it and the next one's, and so
 * on.
 *
 * @param chain DER, the server's own certificate first
 */
export function chainHash(chain: readonly Uint8Array[]): string {
  return btoa(String.fromCharCode(...hashesAlong(chain).at(-1) ?? []));
}

/**
 * Holds what a server showed against the pins.
 *
 * @returns true where a pin speaks for the server's own certificate, as Xray's do: nothing else needs to be checked
 * @throws {MtrayError} `unreachable`, when it is not what was pinned
 */
export function judgePins(
  chain: readonly Uint8Array[],
  { pinnedChains, pinnedCertificates }: Pick<TlsSettings, "pinnedChains" | "pinnedCertificates">,
): boolean {
  // A root that the server did not show may stand at the end. Whatever the length, its own certificate is part of it.
  const hashes = hashesAlong(chain).map((hash) => btoa(String.fromCharCode(...hash)));
  if (pinnedChains.length > 0 && !hashes.some((hash) => pinnedChains.includes(hash))) {
    throw new MtrayError(
      "unreachable",
      `its certificate chain is not a pinned one; its hash is ${hashes.at(-1)}`,
    );
  }
  if (pinnedCertificates.length === 0) return false;
  const each = chain.map((certificate) => toHex(sha256(certificate)));
  const found = each.findIndex((hash) => pinnedCertificates.includes(hash));
  if (found < 0) {
    throw new MtrayError("unreachable", `its certificate is not a pinned one; its hash is ${each[0]}`);
  }
  return found === 0;
}

function hashesAlong(chain: readonly Uint8Array[]): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (const certificate of chain) {
    const own = sha256(certificate);
    const before = hashes.at(-1);
    hashes.push(before === undefined ? own : sha256(before, own));
  }
  return hashes;
}
