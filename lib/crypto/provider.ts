import { libcryptoProvider } from "./libcrypto.ts";
import { nobleProvider } from "./noble.ts";
import { nodeProvider } from "./node.ts";
import type { CryptoProvider } from "./types.ts";

/**
 * AES-256-CTR of 40 zero bytes with a counter that overflows into its upper half, in two pieces that end inside a
 * block. Computed with `openssl enc -aes-256-ctr`.
 */
const TEST = {
  key: Uint8Array.from({ length: 32 }, (_, i) => i),
  iv: new Uint8Array(16).fill(0xff, 8),
  pieces: [23, 17],
  result: "a6fbdb5cfde07d1b58fd362177bcffdf511dd5ef9a682b7da49f91c86c4f7ac340c53cef92ef2d64",
};

let chosen: CryptoProvider | undefined;

/**
 * The first provider, in a fixed order, that computes a known vector rightly. The order does not depend on a
 * measurement: two runs on one box must not differ.
 */
export function cryptoProvider(): CryptoProvider {
  return chosen ??= candidates().find((make) => passes(make)) ?? nobleProvider;
}

/** Every provider that works here, best first. */
export function workingProviders(): CryptoProvider[] {
  return candidates().filter(passes);
}

function candidates(): CryptoProvider[] {
  const libcrypto = libcryptoProvider();
  return libcrypto === null ? [nodeProvider, nobleProvider] : [libcrypto, nodeProvider, nobleProvider];
}

function passes(provider: CryptoProvider): boolean {
  try {
    const cipher = provider.aes256Ctr(TEST.key, TEST.iv);
    const text = TEST.pieces.map((length) => hex(cipher.update(new Uint8Array(length)))).join("");
    cipher.close();
    return text === TEST.result;
  } catch {
    return false;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
