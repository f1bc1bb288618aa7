import { MtrayError } from "../../../errors.ts";
import type { Target } from "../../../stream/types.ts";
import { decodeAddress, encodeAddress } from "../address.ts";

/** What a frame does to its session. */
export type Status = "new" | "keep" | "end" | "keep-alive";

/** Bytes of a frame's description that a reader accepts. */
const MOST_META = 512;

const STATUS: readonly (Status | undefined)[] = [undefined, "new", "keep", "end", "keep-alive"];
const DATA = 1, ERROR = 2;
const TCP = 1, UDP = 2;
/** Session id, status and options. */
const SHORTEST_META = 4;
const LENGTH = 2;
const NOTHING = new Uint8Array();

/** Everything in a frame but its data. */
export interface FrameHead {
  /** 0–65535 */
  id: number;
  status: Status;
  /** An end that is an abort. */
  error: boolean;
  /** Bytes of data that follow; null: none, not even an empty datagram. */
  dataLength: number | null;
}

/** A head as it is read. */
export interface ReadHead extends FrameHead {
  /** Of a new session, and in XUDP of every datagram. */
  network?: "tcp" | "udp";
  target?: Target;
  /** Something followed the address, as a GlobalID does: a sign that the peer knows XUDP. */
  extended: boolean;
}

/** A frame, or as much of its data as is there. */
export interface Piece {
  /** The same object for all pieces of a frame. */
  head: ReadHead;
  /** Valid as long as the bytes that were fed. Null where the frame has no data. */
  data: Uint8Array | null;
  /** Whether it is the frame's first piece. */
  first: boolean;
  /** Bytes of the frame's data that are still to come. */
  left: number;
}

/** What follows the options of a frame that names an address: network, port, address and, in XUDP, a GlobalID. */
export function encodeDestination(network: "tcp" | "udp", target: Target, globalId?: Uint8Array): Uint8Array {
  const address = encodeAddress(target);
  const bytes = new Uint8Array(1 + address.length + (globalId?.length ?? 0));
  bytes[0] = network === "tcp" ? TCP : UDP;
  bytes.set(address, 1);
  if (globalId !== undefined) bytes.set(globalId, 1 + address.length);
  return bytes;
}

/** Bytes that `writeHead` writes. */
export function headLength(destination: Uint8Array | null, withData: boolean): number {
  return LENGTH + SHORTEST_META + (destination?.length ?? 0) + (withData ? LENGTH : 0);
}

/**
 * Writes a head at the start of `into`; the data belongs right behind it.
 *
 * @param destination of `encodeDestination`
 * @returns its length
 */
export function writeHead(into: Uint8Array, head: FrameHead, destination: Uint8Array | null): number {
  const { id, dataLength } = head;
  const meta = SHORTEST_META + (destination?.length ?? 0);
  into[0] = meta >> 8;
  into[1] = meta;
  into[2] = id >> 8;
  into[3] = id;
  into[4] = STATUS.indexOf(head.status);
  into[5] = (dataLength === null ? 0 : DATA) | (head.error ? ERROR : 0);
  if (destination !== null) into.set(destination, 6);
  let at = LENGTH + meta;
  if (dataLength !== null) {
    into[at++] = dataLength >> 8;
    into[at++] = dataLength;
  }
  return at;
}

/**
 * Takes frames out of bytes that come in pieces of any size. Only a head that is cut in two is copied.
 *
 * Feed it, then call `next` until it says null; then feed it again.
 */
export class FrameReader {
  #view: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a head that was cut. */
  readonly #cut = new Uint8Array(LENGTH + MOST_META + LENGTH);
  #cutLength = 0;
  #head: ReadHead | null = null;
  #first = true;
  #left = 0;

  /** Whether the last frame is incomplete. */
  get inside(): boolean {
    return this.#cutLength > 0 || this.#head !== null;
  }

  feed(view: Uint8Array): void {
    this.#view = view;
    this.#at = 0;
  }

  /** @throws {MtrayError} `protocol`; nothing can be read after it */
  next(): Piece | null {
    const head = this.#head ?? this.#nextHead();
    const available = this.#view.length - this.#at;
    if (head === null || this.#left > 0 && available === 0) {
      // Whoever lent it may need the memory.
      this.#view = NOTHING;
      this.#at = 0;
      return null;
    }
    const length = Math.min(this.#left, available);
    const data = head.dataLength === null ? null : this.#view.subarray(this.#at, this.#at + length);
    this.#at += length;
    this.#left -= length;
    const piece = { head, data, first: this.#first, left: this.#left };
    this.#first = false;
    if (this.#left === 0) this.#head = null;
    return piece;
  }

  #nextHead(): ReadHead | null {
    const bytes = this.#wholeHead();
    if (bytes === null) return null;
    const head = parseHead(bytes);
    this.#head = head;
    this.#first = true;
    this.#left = head.dataLength ?? 0;
    return head;
  }

  /** A whole head, as a view of what was fed where it lies there in one piece. */
  #wholeHead(): Uint8Array | null {
    if (this.#cutLength === 0) {
      const rest = this.#view.subarray(this.#at);
      const length = lengthOf(rest);
      if (length <= rest.length) {
        this.#at += length;
        return rest.subarray(0, length);
      }
    }
    for (;;) {
      const have = this.#cut.subarray(0, this.#cutLength);
      const missing = lengthOf(have) - have.length;
      if (missing === 0) {
        this.#cutLength = 0;
        return have;
      }
      const some = this.#view.subarray(this.#at, this.#at + missing);
      if (some.length === 0) return null;
      this.#cut.set(some, this.#cutLength);
      this.#cutLength += some.length;
      this.#at += some.length;
    }
  }
}

/** How long the head is that begins here, as far as can be told: ask again with that many bytes. */
function lengthOf(bytes: Uint8Array): number {
  if (bytes.length < LENGTH) return LENGTH;
  const meta = bytes[0] << 8 | bytes[1];
  if (meta < SHORTEST_META || meta > MOST_META) {
    throw new MtrayError("protocol", `cannot read a mux frame: it describes itself in ${meta} bytes`);
  }
  const length = LENGTH + meta;
  if (bytes.length < length) return length;
  return (bytes[5] & DATA) === 0 ? length : length + LENGTH;
}

function parseHead(bytes: Uint8Array): ReadHead {
  const end = LENGTH + (bytes[0] << 8 | bytes[1]);
  const status = STATUS[bytes[4]];
  if (status === undefined) {
    throw new MtrayError("protocol", `cannot read a mux frame: its status is ${bytes[4]}`);
  }
  const head: ReadHead = {
    id: bytes[2] << 8 | bytes[3],
    status,
    error: (bytes[5] & ERROR) !== 0,
    dataLength: (bytes[5] & DATA) === 0 ? null : bytes[end] << 8 | bytes[end + 1],
    extended: false,
  };
  // In later frames only UDP names an address; anything else behind the options is padding.
  const named = status === "new" || status === "keep" && end > 6 && bytes[6] === UDP;
  if (named) readDestination(head, bytes.subarray(6, end));
  return head;
}

function readDestination(head: ReadHead, bytes: Uint8Array): void {
  const network = bytes[0];
  if (network !== TCP && network !== UDP) {
    throw new MtrayError("protocol", "cannot read a mux frame: it names no known network");
  }
  const address = decodeAddress(bytes, 1);
  if (address === null) throw new MtrayError("protocol", "cannot read a mux frame: its address is cut off");
  head.network = network === TCP ? "tcp" : "udp";
  head.target = address.target;
  head.extended = 1 + address.used < bytes.length;
}
