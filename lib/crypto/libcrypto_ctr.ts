import { MtrayError } from "../errors.ts";
import type { Pointer } from "../runtime/ffi.ts";
import { Ctr } from "./ctr.ts";
import type { Evp } from "./evp.ts";

/** The most that is given to OpenSSL at once; its lengths are C ints. */
const PIECE = 1 << 24;

/** AES-256-CTR of OpenSSL: in place. */
export class LibcryptoCtr extends Ctr<Pointer> {
  readonly #evp: Evp;
  readonly #algorithm: Pointer;

  constructor(evp: Evp, algorithm: Pointer, key: Uint8Array, iv: Uint8Array) {
    super(key, iv);
    this.#evp = evp;
    this.#algorithm = algorithm;
  }

  protected override begin(): Pointer {
    const { counter, skip } = this.place();
    const key = this.key();
    const context = this.#evp.EVP_CIPHER_CTX_new() as Pointer;
    if (context === null) throw new MtrayError("unsupported", "cannot make a cipher: no memory");
    const begun = this.#evp.EVP_EncryptInit_ex(context, this.#algorithm, null, key, counter) === 1;
    key.fill(0);
    if (!begun) {
      this.end(context);
      throw new MtrayError("unsupported", "cannot start AES-256-CTR: OpenSSL refused");
    }
    if (skip > 0) this.transform(context, new Uint8Array(skip));
    return context;
  }

  protected override transform(context: Pointer, bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.length <= PIECE ? bytes : bytes.subarray(at, at + PIECE);
      if (this.#evp.EVP_EncryptUpdate(context, piece, this.#evp.written, piece, piece.length) !== 1) {
        throw new MtrayError("unsupported", "cannot encrypt: OpenSSL refused");
      }
    }
    return bytes;
  }

  protected override end(context: Pointer): void {
    this.#evp.EVP_CIPHER_CTX_free(context);
  }
}
