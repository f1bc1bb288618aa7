/** TL, the serialisation of MTProto: little-endian words, and byte strings padded to them. */
import { concat, uint32le, view } from "./bytes.ts";

export class TlReader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  raw(length: number): Uint8Array {
    if (length < 0 || length > this.left) {
      throw new Error(`cannot read TL: ${length} bytes of ${this.left} left`);
    }
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** Everything that has not been read. */
  rest(): Uint8Array {
    return this.raw(this.left);
  }

  uint(): number {
    return view(this.raw(4)).getUint32(0, true);
  }

  int(): number {
    return view(this.raw(4)).getInt32(0, true);
  }

  long(): bigint {
    return view(this.raw(8)).getBigUint64(0, true);
  }

  string(): Uint8Array {
    const first = this.raw(1)[0];
    const head = first < 254 ? 1 : 4;
    const more = first < 254 ? first : this.raw(3).reduceRight((sum, byte) => sum << 8 | byte, 0);
    const bytes = this.raw(more);
    this.raw((4 - (head + more) % 4) % 4);
    return bytes;
  }

  text(): string {
    return new TextDecoder().decode(this.string());
  }

  /** The next constructor's number, which must be that one. */
  expect(constructor: number): void {
    const got = this.uint();
    if (got !== constructor) {
      throw new Error(`cannot read TL: ${got.toString(16)} instead of ${constructor.toString(16)}`);
    }
  }
}

const VECTOR = 0x1cb5c415;

/** The parts of a serialised object, in order. */
export const tl = {
  uint: uint32le,
  long(value: bigint): Uint8Array {
    const bytes = new Uint8Array(8);
    view(bytes).setBigUint64(0, BigInt.asUintN(64, value), true);
    return bytes;
  },
  string(value: Uint8Array | string): Uint8Array {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const head = bytes.length < 254 ? Uint8Array.of(bytes.length) : uint32le(bytes.length << 8 | 254);
    return concat(head, bytes, new Uint8Array((4 - (head.length + bytes.length) % 4) % 4));
  },
  bool(value: boolean): Uint8Array {
    return uint32le(value ? 0x997275b5 : 0xbc799737);
  },
  vector(items: readonly Uint8Array[]): Uint8Array {
    return concat(uint32le(VECTOR), uint32le(items.length), ...items);
  },
  object(constructor: number, ...fields: Uint8Array[]): Uint8Array {
    return concat(uint32le(constructor), ...fields);
  },
} as const;

/** Reads a boxed vector with a reader for its items. */
export function readVector<T>(reader: TlReader, item: (reader: TlReader) => T): T[] {
  reader.expect(VECTOR);
  return Array.from({ length: reader.uint() }, () => item(reader));
}
