/** Small helpers on byte arrays, so that the peers need nothing from lib/. */
import { randomBytes } from "node:crypto";

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function reversed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).reverse();
}

export function xor(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(a).map((byte, i) => byte ^ b[i]);
}

export function random(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads hexadecimal text; blanks in it are ignored. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/\s/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) {
    throw new Error("cannot read bytes: not hexadecimal text");
  }
  return new Uint8Array(digits.length / 2).map((_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Big-endian, the number's own length or `length` bytes. */
export function fromBigInt(value: bigint, length = 0): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16);
  return unhex(digits.padStart(Math.max(2 * length, digits.length + digits.length % 2), "0"));
}

/** Big-endian. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`);
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function uint16be(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >>> 8, value);
}

export function uint24be(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >>> 16, value >>> 8, value);
}

export function uint32le(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** Pieces of at most `size` bytes; no bytes give no pieces. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The bytes cut at the given offsets, which must grow; pieces without bytes are left out. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const edges = [0, ...offsets, bytes.length];
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end)).filter((piece) => piece.length > 0);
}
