import { MtrayError } from "../../../errors.ts";
import type { ByteStream, PacketStream, Target } from "../../../stream/types.ts";
import { MuxConnection } from "./connection.ts";
import { PacketSession } from "./packet_session.ts";
import { StreamSession } from "./stream_session.ts";

export interface MuxOptions {
  /** Makes a carrier. Rejects with an MtrayError. */
  open(signal: AbortSignal): Promise<ByteStream>;
  /** Sessions in one carrier at a time, 1–1024. */
  concurrency?: number;
  /** Whether the peer knows XUDP: datagrams then get a carrier of their own and may go to any address. */
  xudp?: boolean;
  /** A carrier without a session is closed after so many milliseconds. */
  idle?: number;
  /** How long a session's first frame waits for data to take along, in milliseconds. */
  firstPayload?: number;
}

const CONCURRENCY = 8;
/** Sessions of a carrier in all its life. */
const LIFE = 128;
const IDLE = 16_000;
const FIRST_PAYLOAD = 100;

/** A carrier that is open or is being opened. */
interface Carrier {
  opening: Promise<MuxConnection>;
  connection: MuxConnection | null;
  /** Whoever waits until it is open. */
  waiting: number;
  /** Sessions so far. */
  opened: number;
  /** Stops the opening. */
  abort: AbortController;
}

/** Opens sessions, as many to a carrier as V2Ray does. */
export class MuxClient {
  readonly #options: Required<MuxOptions>;
  readonly #carriers = new Set<Carrier>();
  #stopped: MtrayError | null = null;

  constructor(options: MuxOptions) {
    this.#options = {
      concurrency: CONCURRENCY,
      xudp: false,
      idle: IDLE,
      firstPayload: FIRST_PAYLOAD,
      ...options,
    };
  }

  /**
   * Opens a TCP session.
   *
   * @throws what `open` rejects with, or `stopped`
   */
  connect(target: Target, signal: AbortSignal): Promise<ByteStream> {
    const { firstPayload } = this.#options;
    return this.#with(() => this.#available(), signal, (connection, id) => {
      const session = new StreamSession(connection, id, { target, firstPayload });
      connection.add(session);
      return session;
    });
  }

  /**
   * Opens a UDP session: to one destination, or with XUDP to any, of which `target` is the first. Nothing is sent
   * before the first datagram.
   *
   * @throws what `open` rejects with, or `stopped`
   */
  openPackets(target: Target, signal: AbortSignal): Promise<PacketStream> {
    const { xudp } = this.#options;
    const carrier = () => xudp ? this.#open(LIFE - 1) : this.#available();
    return this.#with(carrier, signal, (connection, id) => {
      const session = new PacketSession(connection, xudp ? 0 : id, { target, opens: true, xudp });
      connection.add(session);
      return session;
    });
  }

  /** Ends every session and every carrier. Nothing can be opened any more. */
  close(): void {
    this.#stopped ??= new MtrayError("stopped", "cannot open a session: the multiplexer is closed");
    for (const { connection, abort } of [...this.#carriers]) {
      abort.abort(this.#stopped);
      connection?.close(this.#stopped);
    }
  }

  #available(): Carrier {
    const { concurrency } = this.#options;
    for (const carrier of this.#carriers) {
      const { connection, waiting, opened } = carrier;
      if (connection !== null && connection.unusable !== null) continue;
      if (waiting + (connection?.size ?? 0) < concurrency && waiting + opened < LIFE) return carrier;
    }
    return this.#open(0);
  }

  /** @param opened sessions that count as its past */
  #open(opened: number): Carrier {
    const abort = new AbortController();
    const carrier: Carrier = {
      opening: this.#connection(abort.signal),
      connection: null,
      waiting: 0,
      opened,
      abort,
    };
    this.#carriers.add(carrier);
    void this.#live(carrier);
    return carrier;
  }

  async #connection(signal: AbortSignal): Promise<MuxConnection> {
    if (this.#stopped !== null) throw this.#stopped;
    const stream = await this.#options.open(signal);
    const connection = new MuxConnection(stream, { idle: this.#options.idle });
    // Whoever wanted it may have left while it was opened.
    if (signal.aborted) connection.close(reasonOf(signal));
    return connection;
  }

  /** From its opening to its end. The sessions are told why it ended; here that is no news. */
  async #live(carrier: Carrier): Promise<void> {
    try {
      carrier.connection = await carrier.opening;
      await carrier.connection.run();
    } catch { /* The sessions, or whoever waits for one, have the reason. */ }
    this.#carriers.delete(carrier);
  }

  async #with<T>(
    pick: () => Carrier,
    signal: AbortSignal,
    make: (connection: MuxConnection, id: number) => T,
  ): Promise<T> {
    if (signal.aborted) throw reasonOf(signal);
    const carrier = pick();
    carrier.waiting++;
    try {
      const connection = await untilAborted(carrier.opening, signal);
      if (connection.unusable !== null) throw connection.unusable;
      const session = make(connection, ++carrier.opened);
      if (carrier.opened === LIFE) connection.closeWhenEmpty();
      return session;
    } finally {
      carrier.waiting--;
      if (carrier.waiting === 0 && carrier.connection === null && signal.aborted) {
        this.#carriers.delete(carrier);
        carrier.abort.abort(reasonOf(signal));
      }
    }
  }
}

/** Waits for something that others wait for too, and does not stop it when only this one gives up. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(reasonOf(signal));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function reasonOf({ reason }: AbortSignal): MtrayError {
  if (reason instanceof MtrayError) return reason;
  return new MtrayError("stopped", "cannot open a session: it is not wanted any more", { cause: reason });
}
