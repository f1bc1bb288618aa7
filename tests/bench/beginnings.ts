import { buildClientHello } from "../telegram/client_hello.ts";
import { encodeRecords } from "../telegram/fake_tls.ts";
import { initiate, INTERMEDIATE, PADDED } from "../telegram/obfuscated2.ts";
import type { Secret } from "./relay.ts";

/** The data centre that all clients ask for; its address is DATA_CENTRE. */
const DC = 2;
/** V2Ray dials the fixed address of data centre 2, so the bench answers there, in a network of its own. */
export const DATA_CENTRE = "149.154.167.51";

const CHANGE_CIPHER_SPEC = "140303000101";
/** ServerHello, ChangeCipherSpec and one record of application data. */
const ANSWER_RECORDS = 3;

/**
 * How a client of that secret begins, in load.c's steps. What follows may be any bytes: to a relay they are
 * ciphertext.
 */
export function beginning(secret: Secret): string {
  const tag = secret.kind === "ee" ? PADDED : INTERMEDIATE;
  const { header } = initiate({ tag, dc: DC, secret: secret.key });
  if (secret.kind === "classic") return header.toHex();
  const hello = buildClientHello({ secret: secret.key, domain: secret.domain });
  return `${hello.record.toHex()} =${ANSWER_RECORDS} ${CHANGE_CIPHER_SPEC}${encodeRecords(header).toHex()}`;
}
