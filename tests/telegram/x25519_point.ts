/**
 * Whether 32 bytes are a public key that X25519 could have made: a u-coordinate on the curve and not on its twist.
 * Half of all random values are on the twist, so one connection in two would show a stranger that nobody multiplied
 * a base point there. node:crypto computes with either kind and does not tell, hence the arithmetic (RFC 7748).
 */
import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { reversed, toBigInt } from "./bytes.ts";

const PRIME = 2n ** 255n - 19n;
const A = 486_662n;

export function isX25519PublicKey(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const u = toBigInt(reversed(key));
  if (u >= PRIME) return false;
  const square = (u * u % PRIME * u + A * u % PRIME * u + u) % PRIME;
  return power(square, (PRIME - 1n) / 2n) === 1n && agrees(key);
}

/** A fresh public key, made by node:crypto. */
export function newX25519PublicKey(): Uint8Array<ArrayBuffer> {
  const { publicKey } = generateKeyPairSync("x25519");
  const { x } = publicKey.export({ format: "jwk" });
  if (x === undefined) throw new Error("cannot make key share: no x in the exported key");
  return new Uint8Array(Uint8Array.fromBase64(x, { alphabet: "base64url" }));
}

/** node:crypto refuses to agree on a secret with a point of small order, as every TLS client does. */
function agrees(key: Uint8Array): boolean {
  const { privateKey } = generateKeyPairSync("x25519");
  const x = key.toBase64({ alphabet: "base64url", omitPadding: true });
  try {
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
    return diffieHellman({ privateKey, publicKey }).some((byte) => byte !== 0);
  } catch {
    return false;
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = result * square % PRIME;
    square = square * square % PRIME;
  }
  return result;
}
