/** Streams with ciphers around them, as the contract of `ByteStream` meets them. */
import { workingProviders } from "../../lib/crypto/provider.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import type { Cipher } from "../../lib/crypto/types.ts";
import { cipherStream } from "../../lib/stream/cipher_stream.ts";
import { type Kind, tcp } from "../contract/streams.ts";
import { slow } from "./slow_cipher.ts";

function ciphers(name: string, make: (key: Uint8Array, iv: Uint8Array) => Cipher): Kind {
  return {
    name: `ciphers: ${name}`,
    async open() {
      const { a, b, end } = await tcp.open();
      const [up, down] = [0, 1].map(() => ({ key: randomBytes(32), iv: randomBytes(16) }));
      const near = cipherStream(a, { reading: make(down.key, down.iv), writing: make(up.key, up.iv) });
      const far = cipherStream(b, { reading: make(up.key, up.iv), writing: make(down.key, down.iv) });
      return {
        a: near,
        b: far,
        end: () => {
          near.close();
          far.close();
          end();
        },
      };
    },
  };
}

const providers = workingProviders();

export const ciphered: Kind[] = [
  ...providers.map(({ name, aes256Ctr }) => ciphers(name, aes256Ctr)),
  ciphers("with promises for large pieces", (key, iv) => slow(providers[0].aes256Ctr(key, iv), 1000)),
];
