/**
 * How packets lie in the obfuscated stream: abridged, intermediate and padded intermediate (facts/mtproto.md 2.2).
 */
import { concat, random, reversed, uint32le, view } from "./bytes.ts";
import { ABRIDGED, PADDED } from "./obfuscated2.ts";

/** Larger packets are an error: no peer sends them. */
const LARGEST = 1 << 24;

export type Frame =
  | { kind: "packet"; data: Uint8Array; wantsQuickAck: boolean }
  /** The four bytes of a quick ack, as the uint32 that the client computed, top bit set. */
  | { kind: "quick ack"; token: number };

export interface PacketOptions {
  /** Ask for a quick ack. Client to server only. */
  quickAck?: boolean;
  /** Random bytes after the payload, padded intermediate only. Clients add 0–15, servers 0–3. */
  padding?: number;
}

/** One packet as it lies in the stream before encryption. The payload's length must be a multiple of 4. */
export function encodePacket(tag: number, payload: Uint8Array, options: PacketOptions = {}): Uint8Array {
  if (payload.length % 4 !== 0) throw new Error("cannot frame packet: its length is no multiple of 4");
  if (tag !== ABRIDGED) {
    const padding = tag === PADDED
      ? random(options.padding ?? Math.floor(Math.random() * 4))
      : new Uint8Array();
    const length = payload.length + padding.length;
    return concat(uint32le(options.quickAck ? length | 0x80000000 : length), payload, padding);
  }
  const words = payload.length / 4;
  const ask = options.quickAck ? 0x80 : 0;
  if (words < 0x7f) return concat(Uint8Array.of(words | ask), payload);
  return concat(uint32le(words << 8 | 0x7f | ask), payload);
}

/** The server's quick ack. */
export function encodeQuickAck(tag: number, token: number): Uint8Array {
  const word = uint32le(token | 0x80000000);
  return tag === ABRIDGED ? reversed(word) : word;
}

/** A transport error, for example −404 for an unknown key. */
export function encodeTransportError(tag: number, code: number): Uint8Array {
  return encodePacket(tag, uint32le(code), { padding: 0 });
}

/** Cuts the decrypted stream into packets. `side` is whose bytes these are: only servers send quick acks. */
export class FrameReader {
  #bytes = new Uint8Array();

  constructor(readonly tag: number, readonly side: "client" | "server") {}

  push(bytes: Uint8Array): void {
    this.#bytes = concat(this.#bytes, bytes);
  }

  /** Bytes that wait for the rest of their packet. */
  get pending(): number {
    return this.#bytes.length;
  }

  /** The next whole packet, or null when more bytes are needed. Throws on a length that nobody sends. */
  next(): Frame | null {
    return this.tag === ABRIDGED ? this.#nextAbridged() : this.#nextIntermediate();
  }

  #nextAbridged(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length === 0) return null;
    const flagged = (bytes[0] & 0x80) !== 0;
    if (flagged && this.side === "server") return this.#quickAck(true);
    const short = bytes[0] & 0x7f;
    if (short < 0x7f) return this.#packet(1, 4 * short, flagged);
    return bytes.length < 4 ? null : this.#packet(4, 4 * (view(bytes).getUint32(0, true) >>> 8), flagged);
  }

  #nextIntermediate(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < 4) return null;
    const word = view(bytes).getUint32(0, true);
    const flagged = (word & 0x80000000) !== 0;
    if (flagged && this.side === "server") return this.#quickAck(false);
    return this.#packet(4, word & 0x7fffffff, flagged);
  }

  #quickAck(swapped: boolean): Frame | null {
    if (this.#bytes.length < 4) return null;
    const token = view(this.#bytes).getUint32(0, !swapped);
    this.#bytes = this.#bytes.slice(4);
    return { kind: "quick ack", token };
  }

  #packet(head: number, length: number, wantsQuickAck: boolean): Frame | null {
    if (length === 0 || length > LARGEST) throw new Error(`cannot read packet: a length of ${length}`);
    if (this.tag !== PADDED && length % 4 !== 0) {
      throw new Error(`cannot read packet: a length of ${length} unpadded`);
    }
    if (this.#bytes.length < head + length) return null;
    const data = this.#bytes.slice(head, head + length);
    this.#bytes = this.#bytes.slice(head + length);
    return { kind: "packet", data, wantsQuickAck };
  }
}

/** The payload without what of the padding can be told from it: the bytes beyond a multiple of 4. */
export function withoutPadding(tag: number, data: Uint8Array): Uint8Array {
  return tag === PADDED ? data.subarray(0, data.length - data.length % 4) : data;
}
