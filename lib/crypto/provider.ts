import { runtimeName } from "../runtime/name.ts";
import { libcryptoProvider } from "./libcrypto.ts";
import { nobleProvider } from "./noble.ts";
import { nodeProvider } from "./node.ts";
import { passesSelfTest } from "./self_test.ts";
import type { CryptoProvider } from "./types.ts";
import { webProvider } from "./web.ts";

let chosen: CryptoProvider | undefined;

function choose(): CryptoProvider {
  return chosen ??= candidates().find(passesSelfTest) ?? nobleProvider;
}

/** Chooses when something is first asked of it: OpenSSL is 7 MB that a program without clients has no use for. */
const late: CryptoProvider = {
  get name() {
    return choose().name;
  },
  get fastAes128Gcm() {
    return choose().fastAes128Gcm;
  },
  aes256Ctr: (key, iv) => choose().aes256Ctr(key, iv),
  sealer: (algorithm, key) => choose().sealer(algorithm, key),
  opener: (algorithm, key) => choose().opener(algorithm, key),
};

/**
 * The first provider, in a fixed order, that computes known vectors rightly. The order does not depend on a
 * measurement: two runs on one box must not differ.
 */
export function cryptoProvider(): CryptoProvider {
  return late;
}

/** Every provider that works here, best first. */
export function workingProviders(): CryptoProvider[] {
  return candidates().filter(passesSelfTest);
}

function candidates(): CryptoProvider[] {
  const libcrypto = libcryptoProvider();
  // Bun's node:crypto is OpenSSL's equal, Deno's is not.
  const builtIn = runtimeName === "bun" ? [nodeProvider, webProvider] : [webProvider, nodeProvider];
  return [...libcrypto === null ? [] : [libcrypto], ...builtIn, nobleProvider];
}
