/**
 * WebSocket frames, RFC 6455 section 5, as bytes: no socket, no clock, no randomness.
 */
import { MtrayError } from "../../errors.ts";

/** What a frame is. */
export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

/** The longest head of a frame: two bytes, eight of length, four of mask. */
const LONGEST_HEAD = 14;
/** The most that a control frame may carry. */
const MOST_CONTROL = 125;

/**
 * The head of an unfragmented frame.
 *
 * @param mask four bytes, which a client must give and a server must not
 */
export function frameHead(opcode: number, length: number, mask: Uint8Array | null): Uint8Array {
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = new Uint8Array(2 + extra + (mask === null ? 0 : 4));
  head[0] = 0x80 | opcode;
  head[1] = (mask === null ? 0 : 0x80) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  const view = new DataView(head.buffer);
  if (extra === 2) view.setUint16(2, length);
  if (extra === 8) {
    view.setUint32(2, Math.floor(length / 2 ** 32));
    view.setUint32(6, length >>> 0);
  }
  if (mask !== null) head.set(mask, 2 + extra);
  return head;
}

/**
 * Masks or unmasks in place.
 *
 * @param key four bytes as on the wire
 * @param offset how many bytes of the payload came before these
 */
export function applyMask(bytes: Uint8Array, key: Uint8Array, offset: number): void {
  let at = 0;
  const end = bytes.length;
  // Words of 32 bits must begin at a multiple of four in the buffer.
  const aligned = Math.min(end, (4 - (bytes.byteOffset & 3)) & 3);
  for (; at < aligned; at++) bytes[at] ^= key[(offset + at) & 3];
  const count = (end - at) >> 2;
  if (count > 0) {
    const shifted = new Uint8Array(4);
    for (let i = 0; i < 4; i++) shifted[i] = key[(offset + at + i) & 3];
    const [word] = new Int32Array(shifted.buffer);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, count);
    for (let i = 0; i < count; i++) words[i] ^= word;
    at += 4 * count;
  }
  for (; at < end; at++) bytes[at] ^= key[(offset + at) & 3];
}

/** What a control frame said. */
export interface Control {
  opcode: typeof CLOSE | typeof PING | typeof PONG;
  payload: Uint8Array;
}

/**
 * Takes frames apart, wherever they are cut. Messages have no bounds here: their payload is one run of bytes.
 */
export class FrameReader {
  /** Who reads: a server's frames come masked. */
  readonly #masked: boolean;
  readonly #head = new Uint8Array(LONGEST_HEAD);
  /** Bytes of the head that are there, and how many it takes as far as is known. */
  #have = 0;
  #need = 2;
  readonly #mask = new Uint8Array(4);
  /** Of the frame under way. */
  #opcode = 0;
  #length = 0;
  #passed = 0;
  #inside = false;
  /** Whether the message under way has not had its last frame. */
  #fragmented = false;
  #control: Uint8Array = new Uint8Array();

  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** Whether the bytes so far end between two frames. */
  get between(): boolean {
    return this.#have === 0 && !this.#inside;
  }

  /**
   * Unmasks the payload and moves it together, in place.
   *
   * @param control called for each control frame; nothing is read behind a close
   * @returns a view of the payload within `bytes`, maybe empty
   * @throws {MtrayError} `protocol`
   */
  read(bytes: Uint8Array, control: (frame: Control) => void): Uint8Array {
    let from = 0, start = -1, end = 0;
    while (from < bytes.length) {
      if (!this.#inside) {
        from = this.#readHead(bytes, from);
        if (!this.#inside) break;
      }
      const count = Math.min(this.#length - this.#passed, bytes.length - from);
      const piece = bytes.subarray(from, from + count);
      if (this.#masked) applyMask(piece, this.#mask, this.#passed);
      if (this.#opcode >= CLOSE) this.#control.set(piece, this.#passed);
      else if (count > 0) {
        if (start < 0) start = end = from;
        else bytes.copyWithin(end, from, from + count);
        end += count;
      }
      this.#passed += count;
      from += count;
      if (this.#passed < this.#length) continue;
      this.#inside = false;
      if (this.#opcode < CLOSE) continue;
      const frame = { opcode: this.#opcode as Control["opcode"], payload: this.#control };
      control(frame);
      if (frame.opcode === CLOSE) break;
    }
    return start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start, end);
  }

  #readHead(bytes: Uint8Array, from: number): number {
    while (this.#have < this.#need && from < bytes.length) {
      this.#head[this.#have++] = bytes[from++];
      if (this.#have === 2) this.#need = this.#lengthOfHead();
    }
    if (this.#have < this.#need) return from;
    const size = this.#head[1] & 0x7f;
    const view = new DataView(this.#head.buffer);
    this.#length = size < 126
      ? size
      : size === 126
      ? view.getUint16(2)
      : view.getUint32(2) * 2 ** 32 + view.getUint32(6);
    if (!Number.isSafeInteger(this.#length)) refuse("a frame of more bytes than there are");
    if (this.#masked) this.#mask.set(this.#head.subarray(this.#need - 4, this.#need));
    if (this.#opcode >= CLOSE) this.#control = new Uint8Array(this.#length);
    this.#have = this.#passed = 0;
    this.#need = 2;
    this.#inside = true;
    return from;
  }

  /** Judges the first two bytes. */
  #lengthOfHead(): number {
    const [first, second] = this.#head;
    const opcode = first & 15;
    const size = second & 0x7f;
    if ((first & 0x70) !== 0) refuse("a frame of an extension that nobody asked for");
    if ((second & 0x80) !== 0 !== this.#masked) refuse(`a frame that is ${this.#masked ? "not " : ""}masked`);
    if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) refuse(`a frame of the unknown kind ${opcode}`);
    if (opcode >= CLOSE) {
      if (size > MOST_CONTROL || (first & 0x80) === 0) {
        refuse("a control frame that is too long or in pieces");
      }
    } else {
      if ((opcode === CONTINUATION) !== this.#fragmented) refuse("a message that begins inside another one");
      this.#fragmented = (first & 0x80) === 0;
    }
    this.#opcode = opcode;
    return 2 + (size < 126 ? 0 : size === 126 ? 2 : 8) + (this.#masked ? 4 : 0);
  }
}

function refuse(what: string): never {
  throw new MtrayError("protocol", `the WebSocket peer sent ${what}`);
}
