import { MtrayError } from "../errors.ts";
import { cipherStream } from "./cipher_stream.ts";
import { FirstBytes } from "./first_bytes.ts";
import { type ByteStream, timedOut } from "./types.ts";

/**
 * Reads a handshake message by message, within a time and a number of bytes. What was read too far is there for
 * whoever goes on from the handshake.
 */
export class HandshakeReader {
  readonly #first: FirstBytes;
  readonly #deadline: number;
  readonly #most: number;
  #used = 0;

  /**
   * @param limits.deadline milliseconds of the monotonic clock
   * @param limits.most bytes that a message may have
   */
  constructor(stream: ByteStream, { deadline, most }: { deadline: number; most: number }) {
    this.#first = new FirstBytes(stream);
    this.#deadline = deadline;
    this.#most = most;
  }

  /**
   * The next message.
   *
   * @param parse makes it of the bytes that come next, or null when there are too few; it may throw
   * @throws {MtrayError} `timed-out`, `closed` when the peer finished before, `protocol` when it is too long
   */
  async read<Message extends { used: number }>(
    parse: (bytes: Uint8Array) => Message | null,
  ): Promise<Message> {
    for (;;) {
      const bytes = this.#first.bytes.subarray(this.#used);
      const message = parse(bytes);
      if (message !== null) {
        this.#used += message.used;
        return message;
      }
      if (bytes.length > this.#most) {
        throw new MtrayError("protocol", `cannot read the handshake: more than ${this.#most} bytes`);
      }
      const more = await this.#first.more(this.#deadline);
      if (more === timedOut) throw new MtrayError("timed-out", "cannot read the handshake: it took too long");
      if (!more) {
        throw new MtrayError("closed", "cannot read the handshake: the peer finished before its end");
      }
    }
  }

  /** The stream from behind the last message on. */
  remaining(): ByteStream {
    const rest = this.#first.after(this.#used);
    if (rest.length === 0) return this.#first.stream;
    return cipherStream(this.#first.stream, { reading: null, writing: null, first: rest });
  }
}
