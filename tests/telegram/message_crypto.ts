/** MTProto 2.0's encrypted messages (https://core.telegram.org/mtproto/description). */
import { createHash } from "node:crypto";
import type { AuthKey } from "./auth_server.ts";
import { concat, equal, random, view } from "./bytes.ts";
import { decryptIge, encryptIge } from "./ige.ts";
import { tl, TlReader } from "./tl.ts";

/** What is inside an encrypted packet. */
export interface Envelope {
  salt: bigint;
  session: bigint;
  messageId: bigint;
  sequence: number;
  body: Uint8Array;
}

type From = "client" | "server";

/** Where in the key the parts for each direction lie. */
const OFFSET = { client: 0, server: 8 } as const;

export function openMessage(packet: Uint8Array, { key }: AuthKey): Envelope {
  const messageKey = packet.subarray(8, 24);
  // What is left beyond whole blocks is the framing's padding.
  const encrypted = packet.subarray(24, packet.length - (packet.length - 24) % 16);
  const derived = deriveKey(key, messageKey, "client");
  const plain = decryptIge(encrypted, derived.key, derived.iv);
  if (!equal(messageKeyOf(key, plain, "client"), messageKey)) {
    throw new Error("cannot open message: its key does not fit its contents");
  }
  const reader = new TlReader(plain);
  const [salt, session, messageId] = [reader.long(), reader.long(), reader.long()];
  const [sequence, length] = [reader.uint(), reader.uint()];
  const padding = reader.left - length;
  if (padding < 12 || padding > 1024) throw new Error(`cannot open message: a padding of ${padding} bytes`);
  if (messageId % 4n !== 0n) throw new Error("cannot open message: its number is not a client's");
  return { salt, session, messageId, sequence, body: reader.raw(length) };
}

export function sealMessage(envelope: Envelope, { key, id }: AuthKey): Uint8Array {
  const { salt, session, messageId, sequence, body } = envelope;
  const head = [tl.long(salt), tl.long(session), tl.long(messageId), tl.uint(sequence), tl.uint(body.length)];
  const length = 32 + body.length;
  const plain = concat(...head, body, random(12 + (32 - (length + 12) % 16) % 16));
  const messageKey = messageKeyOf(key, plain, "server");
  const derived = deriveKey(key, messageKey, "server");
  return concat(id, messageKey, encryptIge(plain, derived.key, derived.iv));
}

/** The token that a client waits for after it has asked for a quick ack. */
export function quickAckToken(packet: Uint8Array, { key }: AuthKey): number {
  const derived = deriveKey(key, packet.subarray(8, 24), "client");
  const plain = decryptIge(
    packet.subarray(24, packet.length - (packet.length - 24) % 16),
    derived.key,
    derived.iv,
  );
  return (view(hash(key, plain, "client")).getUint32(0, true) | 0x80000000) >>> 0;
}

function hash(key: Uint8Array, plain: Uint8Array, from: From): Uint8Array {
  const start = 88 + OFFSET[from];
  return new Uint8Array(createHash("sha256").update(key.subarray(start, start + 32)).update(plain).digest());
}

function messageKeyOf(key: Uint8Array, plain: Uint8Array, from: From): Uint8Array {
  return hash(key, plain, from).subarray(8, 24);
}

function deriveKey(key: Uint8Array, messageKey: Uint8Array, from: From): { key: Uint8Array; iv: Uint8Array } {
  const x = OFFSET[from];
  const sha256 = (...parts: Uint8Array[]) =>
    new Uint8Array(createHash("sha256").update(concat(...parts)).digest());
  const a = sha256(messageKey, key.subarray(x, x + 36));
  const b = sha256(key.subarray(40 + x, 76 + x), messageKey);
  return {
    key: concat(a.subarray(0, 8), b.subarray(8, 24), a.subarray(24)),
    iv: concat(b.subarray(0, 8), a.subarray(8, 24), b.subarray(24)),
  };
}
