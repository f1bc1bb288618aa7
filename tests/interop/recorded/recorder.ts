/** A TCP relay that keeps what passes, one log for each connection. */

/** One connection that passed the recorder. */
export interface Passed {
  /** Unix seconds. */
  time: number;
  client: Uint8Array[];
  server: Uint8Array[];
  reads: string[];
  endedBy?: "client" | "server";
  /** Settles when both directions have ended. */
  done: Promise<void>;
}

/** Listens on a loopback port of its own and passes every connection on to `port` of 127.0.0.1. */
export class Recorder {
  readonly passed: Passed[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(readonly target: number) {
    this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const passed: Passed = {
        time: Math.floor(Date.now() / 1000),
        client: [],
        server: [],
        reads: [],
        done: Promise.resolve(),
      };
      this.passed.push(passed);
      passed.done = this.#relay(client, passed);
    }
  }

  async #relay(client: Deno.TcpConn, passed: Passed): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    await Promise.all([pump(client, server, "client", passed), pump(server, client, "server", passed)]);
    client.close();
    server.close();
  }
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  side: "client" | "server",
  passed: Passed,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const length = await from.read(buffer);
      if (length === null) break;
      passed[side].push(buffer.slice(0, length));
      passed.reads.push(`${side[0]}${length}`);
      for (let sent = 0; sent < length;) sent += await to.write(buffer.subarray(sent, length));
    }
  } catch {
    // A reset ends the direction as a FIN does: what matters here is the bytes before it.
  }
  passed.endedBy ??= side;
  await to.closeWrite().catch(() => {});
}
