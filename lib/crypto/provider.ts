import { libcryptoProvider } from "./libcrypto.ts";
import { nobleProvider } from "./noble.ts";
import { nodeProvider } from "./node.ts";
import { passesSelfTest } from "./self_test.ts";
import type { CryptoProvider } from "./types.ts";

let chosen: CryptoProvider | undefined;

/**
 * The first provider, in a fixed order, that computes known vectors rightly. The order does not depend on a
 * measurement: two runs on one box must not differ.
 */
export function cryptoProvider(): CryptoProvider {
  return chosen ??= candidates().find(passesSelfTest) ?? nobleProvider;
}

/** Every provider that works here, best first. */
export function workingProviders(): CryptoProvider[] {
  return candidates().filter(passesSelfTest);
}

function candidates(): CryptoProvider[] {
  const libcrypto = libcryptoProvider();
  return libcrypto === null ? [nodeProvider, nobleProvider] : [libcrypto, nodeProvider, nobleProvider];
}
