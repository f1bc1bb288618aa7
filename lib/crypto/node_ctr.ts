import type { createCipheriv } from "node:crypto";
import { Ctr, type Place } from "./ctr.ts";
import { nodeCrypto } from "./node_crypto.ts";

export type NodeCipher = ReturnType<typeof createCipheriv>;

/** AES-256-CTR of node:crypto. Every result has memory of its own. */
export class NodeCtr extends Ctr<NodeCipher> {
  protected override begin(): NodeCipher {
    return nodeCipherAt(this.place(), this.key());
  }

  protected override transform(cipher: NodeCipher, bytes: Uint8Array): Uint8Array {
    return updated(cipher, bytes);
  }

  /** It has no call for that: the garbage collector frees it. */
  protected override end(): void {}
}

/**
 * A cipher of node:crypto that goes on from a place.
 *
 * @param key is overwritten
 */
export function nodeCipherAt({ counter, skip }: Place, key: Uint8Array): NodeCipher {
  const cipher = nodeCrypto().createCipheriv("aes-256-ctr", key, counter);
  key.fill(0);
  if (skip > 0) cipher.update(new Uint8Array(skip));
  return cipher;
}

/** The next bytes, as a plain array: the `slice()` of Node's Buffers does not copy. */
export function updated(cipher: NodeCipher, bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = cipher.update(bytes);
  return new Uint8Array(buffer, byteOffset, length);
}
