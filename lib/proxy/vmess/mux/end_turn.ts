import { headLength, writeHead } from "./frame.ts";
import type { Turn } from "./types.ts";

/** Bytes of an end. */
export const END_LENGTH = headLength(null, false);

/** Writes an end of a session at the start of `into`. */
export function putEnd(into: Uint8Array, id: number, error: boolean): void {
  writeHead(into, { id, status: "end", error, dataLength: null }, null);
}

/** Tells the peer that a session of that id is not known here, or is not wanted. */
export class EndTurn implements Turn {
  #put = false;

  constructor(
    private readonly id: number,
    private readonly error: boolean,
    private readonly done: () => void,
  ) {}

  nextLength(): number {
    return this.#put ? 0 : END_LENGTH;
  }

  put(into: Uint8Array): void {
    this.#put = true;
    putEnd(into, this.id, this.error);
  }

  sent(): void {
    this.done();
  }
}
