import { AEAD_KEY, type AeadAlgorithm, type CryptoProvider } from "./types.ts";

/**
 * AES-256-CTR of 40 zero bytes with a counter that overflows into its upper half, in two pieces that end inside a
 * block. Computed with `openssl enc -aes-256-ctr`.
 */
const CTR = {
  key: counting(32),
  iv: new Uint8Array(16).fill(0xff, 8),
  pieces: [23, 17],
  result: "a6fbdb5cfde07d1b58fd362177bcffdf511dd5ef9a682b7da49f91c86c4f7ac340c53cef92ef2d64",
};

/** 40 bytes of 7 with five bytes of additional data, computed with OpenSSL 3.0 through Node.js. */
const AEAD = {
  nonce: counting(12, 0xf0),
  additional: counting(5, 1),
  text: new Uint8Array(40).fill(7),
  results: {
    "aes-128-gcm":
      "161de1743ddf627334fb38b7d007aa7042882433ecccf04adfb6d24c63b61fa51561ea066b9cfe62afb71e04b958e91df405298c6a9b297a",
    "chacha20-poly1305":
      "c74b39c180afd9d058f99cfa802a3fd6328ca3950584e44d3a8277039a9b1bb6d015b699879b5480eab77427c8e88b75bcedeaf56d4c2109",
  },
};

/** Whether a provider computes known vectors rightly. Never throws. */
export function passesSelfTest(provider: CryptoProvider): boolean {
  try {
    return passesCtr(provider) && passesAead(provider, "aes-128-gcm") &&
      passesAead(provider, "chacha20-poly1305");
  } catch {
    return false;
  }
}

function passesCtr(provider: CryptoProvider): boolean {
  const cipher = provider.aes256Ctr(CTR.key, CTR.iv);
  const text = CTR.pieces.map((length) => hex(cipher.update(new Uint8Array(length)))).join("");
  cipher.close();
  return text === CTR.result;
}

/** In place and not, as parts of a buffer, twice with the same key, and a tag that does not fit. */
function passesAead(provider: CryptoProvider, algorithm: AeadAlgorithm): boolean {
  const { nonce, additional, text, results } = AEAD;
  const length = text.length;
  const sealer = provider.sealer(algorithm, counting(AEAD_KEY[algorithm]));
  const opener = provider.opener(algorithm, counting(AEAD_KEY[algorithm]));
  const wire = new Uint8Array(length + 16);
  sealer.seal(counting(12), text, wire);
  sealer.seal(nonce, text, wire, additional);
  const inPlace = new Uint8Array(length + 16);
  inPlace.set(text);
  sealer.seal(nonce, inPlace.subarray(0, length), inPlace, additional);
  const sealed = hex(wire) === results[algorithm] && hex(inPlace) === results[algorithm];

  const tampered = wire.slice();
  tampered[length + 15] ^= 1;
  const refused = !opener.open(nonce, tampered, new Uint8Array(length), additional) &&
    !opener.open(nonce, wire.slice(), new Uint8Array(length));
  const apart = new Uint8Array(length);
  const opened = opener.open(nonce, wire, apart, additional) &&
    opener.open(nonce, wire, wire.subarray(0, length), additional) &&
    hex(apart) === hex(text) && hex(wire.subarray(0, length)) === hex(text);

  const around = new Uint8Array(3 * length), part = { bytes: around, at: 3, length };
  const beside = { bytes: around, at: length + 5, length: length + 16 };
  around.set(text, 3);
  sealer.sealPart(nonce, part, beside);
  around.fill(0, 0, length);
  const parted = opener.openPart(nonce, beside, part) && hex(around.subarray(3, 3 + length)) === hex(text) &&
    opener.openPart(nonce, beside, beside) &&
    hex(around.subarray(beside.at, beside.at + length)) === hex(text) &&
    !opener.openPart(nonce, beside, part);
  sealer.close();
  opener.close();
  return sealed && refused && opened && parted;
}

function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => from + i);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
