/** A FakeTLS client over a socket: the hello, the answer, and then records that look like TLS 1.3's. */
import { concat, cutAt, pieces, uint16be, unhex, view } from "./bytes.ts";
import { type ClientHello, splitIntoRecords } from "./client_hello.ts";
import { untilRead } from "./kernel_queue.ts";
import { readServerAnswer, type ServerAnswer } from "./server_answer.ts";
import type { Socket } from "./socket.ts";

/** What TDLib, Android and Desktop write at most into a record. */
export const USUAL_RECORD = 2878;
/** The largest that a client has been seen to send (iOS). */
export const LARGEST_SEEN_RECORD = 16_408;
/** RFC 8446 5.2: 2¹⁴ of content and 256 of expansion. */
const RECORD_LIMIT = 16_640;
const CHANGE_CIPHER_SPEC = unhex("14 03 03 00 01 01");

/**
 * How ChangeCipherSpec goes out: in one write with the first record (TDLib, Telegram Desktop, Android, iOS), or in a
 * write of its own (mtcute).
 */
export type ChangeCipherSpec = "joined" | "alone";

export interface GreetOptions {
  /** Offsets into the hello's body where a new TLS record begins. */
  recordCuts?: readonly number[];
  /**
   * Offsets into what goes on the wire where a new write begins, counted from the end where negative. The server
   * reads each piece before the next goes out.
   */
  writeCuts?: readonly number[];
}

/** The bytes of application-data records around a payload. */
export function encodeRecords(payload: Uint8Array, size = USUAL_RECORD): Uint8Array {
  const records = Array.from(pieces(payload, size), (piece) => {
    return concat(unhex("17 03 03"), uint16be(piece.length), piece);
  });
  return concat(...records);
}

/** Writes pieces apart: each is on the wire, and read by the program, before the next is written. */
export async function writeApart(socket: Socket, parts: readonly Uint8Array[]): Promise<void> {
  for (const [i, part] of parts.entries()) {
    if (i > 0) await untilRead(socket);
    await socket.write(part);
  }
}

export class FakeTlsClient {
  /** The largest record that came, header aside. */
  largestRecord = 0;
  #changed = false;

  private constructor(readonly socket: Socket, readonly answer: ServerAnswer) {}

  /** Sends the hello and reads the answer. Throws when any byte of the answer is not as it must be. */
  static async greet(
    socket: Socket,
    hello: ClientHello,
    secret: Uint8Array,
    options: GreetOptions = {},
  ): Promise<FakeTlsClient> {
    const wire = splitIntoRecords(hello.record, options.recordCuts ?? []);
    const cuts = (options.writeCuts ?? []).map((cut) => cut < 0 ? wire.length + cut : cut);
    await writeApart(socket, cutAt(wire, cuts));
    const answer = await readServerAnswer((length) => demand(socket, length), hello, secret);
    // Android's digest is over everything that has come by then, so a byte more breaks it.
    if (socket.kept > 0) throw new Error(`cannot accept the server's answer: ${socket.kept} bytes follow it`);
    return new FakeTlsClient(socket, answer);
  }

  /** What the first write must start with: ChangeCipherSpec, once. */
  changeCipherSpec(): Uint8Array {
    if (this.#changed) return new Uint8Array();
    this.#changed = true;
    return CHANGE_CIPHER_SPEC;
  }

  /** Sends a payload in records of at most `size` bytes, after ChangeCipherSpec the first time. */
  async write(payload: Uint8Array, size = USUAL_RECORD, change: ChangeCipherSpec = "joined"): Promise<void> {
    const first = this.changeCipherSpec();
    const records = encodeRecords(payload, size);
    if (change === "joined" || first.length === 0) return await this.socket.write(concat(first, records));
    await writeApart(this.socket, [first, records]);
  }

  /** The next record's payload; null at the end. Throws on any record that is no application data. */
  async read(): Promise<Uint8Array | null> {
    const header = await this.socket.readExactly(5);
    if (header === null) return null;
    const length = view(header).getUint16(3);
    if (header[0] !== 0x17 || header[1] !== 3 || header[2] !== 3) {
      throw new Error(`cannot read record: type ${header[0].toString(16)} after the handshake`);
    }
    // An empty record stalls Telegram for iOS.
    if (length === 0 || length > RECORD_LIMIT) throw new Error(`cannot read record: a length of ${length}`);
    this.largestRecord = Math.max(this.largestRecord, length);
    return await demand(this.socket, length);
  }
}

async function demand(socket: Socket, length: number): Promise<Uint8Array> {
  const bytes = await socket.readExactly(length);
  if (bytes === null) throw new Error(`cannot read ${length} bytes: the server finished`);
  return bytes;
}
