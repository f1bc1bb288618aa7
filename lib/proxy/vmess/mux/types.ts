import type { MtrayError } from "../../../errors.ts";
import type { Piece } from "./frame.ts";

/** Somebody who has frames for the carrier. */
export interface Turn {
  /** Bytes of the next frame; 0: there is none. */
  nextLength(): number;
  /** Writes that frame at the start of `into`. */
  put(into: Uint8Array): void;
  /** What was put is with the carrier. */
  sent(): void;
}

/** What a session knows of the connection that carries it. */
export interface Line {
  /** Asks for a turn to send. Asking again while one waits is harmless. */
  queue(turn: Turn): void;
  /** So many bytes more wait for a session's reader; fewer, where it is negative. */
  kept(session: CarriedSession, bytes: number): void;
  /** Frames of this session are for nobody from now on. */
  forget(session: CarriedSession): void;
}

/** What a connection knows of a session that it carries. */
export interface CarriedSession extends Turn {
  readonly id: number;
  /** Bytes that wait for its reader. */
  readonly unread: number;
  /** So much waits for its reader that the carrier has to stop. */
  readonly full: boolean;
  /** Data of a frame, or a part of it. */
  deliver(piece: Piece): void;
  /** The peer sent an end. */
  peerEnds(error: boolean): void;
  /** The carrier has ended in order, without an end of this session. */
  carrierEnds(error: MtrayError): void;
  /** The carrier takes nothing any more; what it still brings is delivered. */
  failWriting(error: MtrayError): void;
  /** The carrier broke. */
  fail(error: MtrayError): void;
}
