import { MtrayError } from "../errors.ts";
import { type FfiFunction, openLibrary, pinned, type Pointer } from "../runtime/ffi.ts";

const INIT = { parameters: ["pointer", "pointer", "pointer", "buffer", "buffer"], result: "i32" } as const;
const UPDATE = { parameters: ["pointer", "buffer", "pointer", "buffer", "i32"], result: "i32" } as const;
const FINAL = { parameters: ["pointer", "pointer", "pointer"], result: "i32" } as const;
const ALGORITHM = { parameters: [], result: "pointer" } as const;

const SIGNATURES = {
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_ctrl: { parameters: ["pointer", "i32", "i32", "buffer"], result: "i32" },
  EVP_aes_256_ctr: ALGORITHM,
  EVP_aes_128_gcm: ALGORITHM,
  EVP_chacha20_poly1305: ALGORITHM,
  EVP_EncryptInit_ex: INIT,
  EVP_EncryptUpdate: UPDATE,
  EVP_EncryptFinal_ex: FINAL,
  EVP_DecryptInit_ex: INIT,
  EVP_DecryptUpdate: UPDATE,
  EVP_DecryptFinal_ex: FINAL,
} as const;

/** What OpenSSL 3 has in addition. */
const SIGNATURES_3 = {
  ...SIGNATURES,
  EVP_CIPHER_CTX_set_params: { parameters: ["pointer", "pointer"], result: "i32" },
} as const;

/** OpenSSL's functions for ciphers, as C has them. */
export interface Evp extends Record<keyof typeof SIGNATURES, FfiFunction> {
  /** EVP_CIPHER_CTX_set_params; null before OpenSSL 3. */
  setParameters: FfiFunction | null;
  /** Where OpenSSL may write how much it wrote. We know. */
  written: Pointer;
}

/** An int, and nobody reads it. */
const WRITTEN = new Uint8Array(4);

/** The system's OpenSSL, 3 or 1.1; null where there is none. */
export function openEvp(): { file: string; evp: Evp } | null {
  const file = "libcrypto.so.3", functions = openLibrary(file, SIGNATURES_3);
  if (functions !== null) {
    return { file, evp: { ...functions, setParameters: functions.EVP_CIPHER_CTX_set_params, ...memory() } };
  }
  const older = "libcrypto.so.1.1", known = openLibrary(older, SIGNATURES);
  return known === null ? null : { file: older, evp: { ...known, setParameters: null, ...memory() } };
}

function memory(): Pick<Evp, "written"> {
  return { written: pinned(WRITTEN) };
}

/** Frees what was forgotten. Relays close their ciphers; this is for paths that nobody thought of. */
const forgotten = new FinalizationRegistry(({ evp, pointer }: { evp: Evp; pointer: Pointer }) => {
  evp.EVP_CIPHER_CTX_free(pointer);
});

/** OpenSSL's memory of one cipher: allocated once, freed once, and never used in between by mistake. */
export class EvpContext {
  readonly #evp: Evp;
  #pointer: Pointer;

  constructor(evp: Evp) {
    this.#evp = evp;
    this.#pointer = evp.EVP_CIPHER_CTX_new() as Pointer;
    if (this.#pointer === null) throw new MtrayError("unsupported", "cannot make a cipher: no memory");
    forgotten.register(this, { evp, pointer: this.#pointer }, this);
  }

  /** @throws {MtrayError} `closed`, once it is freed */
  get pointer(): Pointer {
    if (this.#pointer === null) throw new MtrayError("closed", "cannot encrypt: the cipher was freed");
    return this.#pointer;
  }

  close(): void {
    const pointer = this.#pointer;
    if (pointer === null) return;
    this.#pointer = null;
    forgotten.unregister(this);
    this.#evp.EVP_CIPHER_CTX_free(pointer);
  }
}
