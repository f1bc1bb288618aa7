import { MtrayError } from "../../../errors.ts";
import { PacketQueue as ReceivedPackets } from "../../../runtime/packet_queue.ts";
import { concat } from "../../../stream/bytes.ts";
import type { Packet, PacketStream, Target } from "../../../stream/types.ts";
import { END_LENGTH, putEnd } from "./end_turn.ts";
import { encodeDestination, headLength, type Piece, type ReadHead, writeHead } from "./frame.ts";
import { PacketQueue } from "./packet_queue.ts";
import type { CarriedSession, Line } from "./types.ts";

/** The longest datagram that V2Ray takes; a longer one would end its carrier. */
const MOST_PLAIN = 2048;
/** The same of those who know XUDP. */
const MOST_XUDP = 8192;
/** Says that a flow need not be found again after its carrier broke. */
const NO_GLOBAL_ID = new Uint8Array(8);

export interface PacketOptions {
  /** The one destination, or in XUDP the first. */
  target: Target;
  /** We open the session, so the first datagram goes with a New. */
  opens: boolean;
  /** Every datagram names its own address. */
  xudp: boolean;
}

interface Outgoing {
  data: Uint8Array;
  /** What its frame says of its address. */
  destination: Uint8Array | null;
}

/** A UDP session. An end of either side ends it. */
export class PacketSession implements PacketStream, CarriedSession {
  readonly id: number;
  /** It never stops its carrier: datagrams are dropped instead. */
  /** Bounded by itself: the oldest datagrams go. */
  readonly unread = 0;
  readonly full = false;
  readonly #line: Line;
  readonly #target: Target;
  readonly #opens: boolean;
  #xudp: boolean;
  /** What the first frame has to say; null once it is said. In XUDP it is the first datagram's own. */
  #announcement: Uint8Array | null;
  readonly #received = new ReceivedPackets();
  readonly #outgoing = new PacketQueue<Outgoing>();
  /** A datagram of which only the first `at` bytes are here. */
  #partial: { packet: Packet; at: number } | null = null;
  /** Datagrams that cannot be sent at all. */
  #impossible = 0;
  #ended = false;
  #endDue = false;
  #endIsError = false;

  /** @throws {MtrayError} `unsupported`, for a target that cannot be named */
  constructor(line: Line, id: number, { target, opens, xudp }: PacketOptions) {
    this.#line = line;
    this.id = id;
    this.#target = target;
    this.#opens = opens;
    this.#xudp = xudp;
    this.#announcement = opens ? encodeDestination("udp", target) : null;
  }

  /** Those that were too many, too long for the peer, or meant for an address that this session cannot name. */
  get dropped(): number {
    return this.#received.dropped + this.#outgoing.dropped + this.#impossible;
  }

  receive(): Promise<Packet | null> {
    return this.#received.receive();
  }

  send(data: Uint8Array, to: Target): void {
    if (this.#ended) return;
    const destination = this.#destinationOf(data, to);
    if (destination === undefined) {
      this.#impossible++;
      return;
    }
    this.#outgoing.push({ data, destination });
    this.#line.queue(this);
  }

  /** @param reason makes it an abort */
  close(reason?: unknown): void {
    this.#received.close();
    if (this.#ended) return;
    // The peer has to be told, unless it never heard of this session. What waits goes first.
    this.#endDue = this.#announcement === null || this.#outgoing.first !== undefined;
    this.#endIsError = reason !== undefined;
    if (this.#endDue) this.#line.queue(this);
    this.#stop();
  }

  deliver({ head, data, first, left }: Piece): void {
    if (this.#ended || data === null) return;
    if (first) this.#begin(head, data.length + left);
    const partial = this.#partial;
    if (partial === null) return;
    partial.packet.data.set(data, partial.at);
    partial.at += data.length;
    if (left > 0) return;
    this.#partial = null;
    this.#received.push(partial.packet);
  }

  peerEnds(error: boolean): void {
    if (error) this.fail(new MtrayError("reset", "the peer aborted the session"));
    else this.#drop();
  }

  /** XUDP clients say goodbye in no other way. */
  carrierEnds(): void {
    this.#drop();
  }

  failWriting(error: MtrayError): void {
    if (this.#announcement === null) this.#outgoing.clear();
    else this.fail(error);
  }

  fail(error: MtrayError): void {
    this.#drop(error);
  }

  nextLength(): number {
    const packet = this.#outgoing.first;
    if (packet === undefined) return this.#endDue ? END_LENGTH : 0;
    return headLength(this.#inHead(packet), true) + packet.data.length;
  }

  put(into: Uint8Array): void {
    const packet = this.#outgoing.shift();
    if (packet === undefined) {
      this.#endDue = false;
      return putEnd(into, this.id, this.#endIsError);
    }
    const { data } = packet;
    const status = this.#announcement === null ? "keep" : "new";
    const head = { id: this.id, status, error: false, dataLength: data.length } as const;
    into.set(data, writeHead(into, head, this.#inHead(packet)));
    this.#announcement = null;
  }

  sent(): void {}

  /** Undefined: it cannot be sent. */
  #destinationOf(data: Uint8Array, to: Target): Uint8Array | null | undefined {
    if (data.length > (this.#xudp ? MOST_XUDP : MOST_PLAIN)) return undefined;
    if (!this.#xudp) return this.#opens && !same(to, this.#target) ? undefined : null;
    try {
      return encodeDestination("udp", to);
    } catch {
      return undefined;
    }
  }

  #inHead({ destination }: Outgoing): Uint8Array | null {
    if (this.#announcement === null) return destination;
    return destination === null ? this.#announcement : concat(destination, NO_GLOBAL_ID);
  }

  /** Makes space for a datagram of that length. */
  #begin({ status, target }: ReadHead, length: number): void {
    if (status === "keep" && target !== undefined) this.#xudp = true;
    this.#partial = { packet: { data: new Uint8Array(length), from: target ?? this.#target }, at: 0 };
  }

  /** Nothing that waits is sent any more. */
  #drop(failure?: MtrayError): void {
    this.#outgoing.clear();
    this.#endDue = false;
    this.#received.end(failure);
    this.#stop();
  }

  #stop(): void {
    this.#ended = true;
    this.#partial = null;
    this.#line.forget(this);
  }
}

function same(a: Target, b: Target): boolean {
  return a.host === b.host && a.port === b.port;
}
