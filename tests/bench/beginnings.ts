import { buildClientHello } from "../telegram/client_hello.ts";
import { encodeRecords } from "../telegram/fake_tls.ts";
import { initiate, INTERMEDIATE, PADDED } from "../telegram/obfuscated2.ts";
import { type SecretKind, SECRETS } from "./secret.ts";

/** The data centre that all clients ask for; its address is DATA_CENTRE. */
const DC = 2;
/** V2Ray dials the fixed address of data centre 2, so the bench answers there, in a network of its own. */
export const DATA_CENTRE = "149.154.167.51";

const CHANGE_CIPHER_SPEC = "140303000101";
/** ServerHello, ChangeCipherSpec and one record of application data. */
const ANSWER_RECORDS = 3;
/** 64 bytes to the data centre, and as many back. What they are is nothing to a relay: to it they are ciphertext. */
const PING = "00".repeat(64);

/** Headers of the classic secret. Every relay is a fresh process, so what one has seen is new to the next. */
const headers: string[] = [];

/** How so many clients of an MTProto relay begin, in the load generator's steps: their headers, and no more. */
export function beginnings(kind: SecretKind, count: number): string[] {
  return kind === "classic" ? classic(count) : Array.from({ length: count }, inTls);
}

/** The same for clients of the classic secret that also send 64 bytes and await the answer. */
export function pinged(count: number): string[] {
  return classic(count).map((header) => `${header}${PING} +64`);
}

/** Clients of a relay that has no header of its own begin with 64 bytes, so that its way to the data centre stands. */
export function plainBeginnings(count: number): string[] {
  return Array.from({ length: count }, () => PING);
}

function classic(count: number): string[] {
  while (headers.length < count) {
    headers.push(initiate({ tag: INTERMEDIATE, dc: DC, secret: SECRETS.classic.key }).header.toHex());
  }
  return headers.slice(0, count);
}

/** A hello bears the time, and so it is made for the moment. */
function inTls(): string {
  const { key, domain } = SECRETS.ee;
  const hello = buildClientHello({ secret: key, domain });
  const { header } = initiate({ tag: PADDED, dc: DC, secret: key });
  return `${hello.record.toHex()} =${ANSWER_RECORDS} ${CHANGE_CIPHER_SPEC}${encodeRecords(header).toHex()}`;
}
