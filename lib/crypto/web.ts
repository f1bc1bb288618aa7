import { nodeProvider } from "./node.ts";
import type { CryptoProvider } from "./types.ts";
import { WebAes } from "./web_aes.ts";
import { WebCtr } from "./web_ctr.ts";

const web = new WebAes();

/**
 * Web Crypto for large pieces of AES-256-CTR; node:crypto for small ones, and for whole messages, which are small: the
 * way to another thread and back costs more than it saves.
 */
export const webProvider: CryptoProvider = {
  ...nodeProvider,
  name: `Web Crypto for large pieces of AES-CTR, ${nodeProvider.name} for the rest`,
  aes256Ctr: (key, iv) => new WebCtr(key, iv, web),
};
