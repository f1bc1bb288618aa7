/**
 * What the kernel knows of loopback connections, from /proc/net/tcp. With it a test can wait until the program has
 * really read a first piece before it sends the second, instead of hoping that a pause was long enough.
 */
import { within } from "./socket.ts";

interface KernelSocket {
  localPort: number;
  remotePort: number;
  state: number;
  /** Bytes that the other side's kernel has not acknowledged yet. */
  unsent: number;
  /** Bytes that the owner of the socket has not read yet. */
  unread: number;
}

type Table = readonly KernelSocket[];

const LISTEN = 0x0a;

/**
 * The system's table, which takes it some milliseconds to write, so that those who ask meanwhile share the next one.
 * Null where there is no such table (it is Linux's).
 */
class SharedTable {
  #reading: Promise<Table | null> | null = null;
  #next: Promise<Table | null> | null = null;

  constructor(readonly path: string) {}

  /** The table as it is at some moment after the call. */
  async read(): Promise<Table | null> {
    if (this.#next) return await this.#next;
    const before = this.#reading ?? Promise.resolve(null);
    this.#next = before.then(() => {
      this.#next = null;
      return this.#reading = this.#parse();
    });
    return await this.#next;
  }

  async #parse(): Promise<Table | null> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.path);
    } catch {
      return null;
    }
    return text.split("\n").slice(1).filter((line) => line !== "").map((line) => {
      const [, local, remote, state, queues] = line.trim().split(/\s+/);
      const number = (part: string, at: number) => parseInt(part.split(":")[at], 16);
      return {
        localPort: number(local, 1),
        remotePort: number(remote, 1),
        state: parseInt(state, 16),
        unsent: number(queues, 0),
        unread: number(queues, 1),
      };
    });
  }
}

const ipv4 = new SharedTable("/proc/net/tcp");
const ipv6 = new SharedTable("/proc/net/tcp6");

/** The sockets that fit, IPv4 or else IPv6; null where there are no tables. */
async function find(fits: (socket: KernelSocket) => boolean): Promise<Table | null> {
  const table = await ipv4.read();
  if (table === null) return null;
  const found = table.filter(fits);
  return found.length > 0 ? found : (await ipv6.read() ?? []).filter(fits);
}

/** Polls until the check holds: at once a few times, then every few milliseconds. */
async function until(ms: number, what: string, check: () => Promise<boolean>): Promise<void> {
  let stopped = false;
  const poll = async () => {
    for (let tries = 0; !stopped && !await check(); tries++) {
      await new Promise((resolve) => setTimeout(resolve, tries < 20 ? 0 : 5));
    }
  };
  try {
    await within(ms, what, poll());
  } finally {
    stopped = true;
  }
}

/**
 * Waits until the program at the other end of a loopback connection has read all that was written to it.
 *
 * @param connection our end's ports
 */
export async function untilRead(
  { localPort, remotePort }: { localPort: number; remotePort: number },
  ms = 5_000,
): Promise<void> {
  await until(ms, "see the bytes read", async () => {
    const ends = await find(({ localPort: a, remotePort: b }) => {
      return a === localPort && b === remotePort || a === remotePort && b === localPort;
    });
    if (ends === null) return true;
    return ends.every((end) => end.localPort === localPort ? end.unsent === 0 : end.unread === 0);
  });
}

/**
 * Waits until somebody listens on the port, without connecting to it where that can be helped: a connection that
 * says nothing is an event of its own to a proxy.
 */
export async function untilListening(port: number, ms: number, alive: () => boolean): Promise<void> {
  await until(ms, `see port ${port} listened on`, async () => {
    if (!alive()) throw new Error(`cannot see port ${port} listened on: the program has ended`);
    const listeners = await find((s) => s.state === LISTEN && s.localPort === port);
    if (listeners !== null) return listeners.length > 0;
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch {
      return false;
    }
  });
}

/** Waits until so many sockets listen on the port, which they share. Where the system does not tell it just returns. */
export async function untilShared(port: number, listeners: number, ms = 10_000): Promise<void> {
  await until(ms, `see ${listeners} listeners on port ${port}`, async () => {
    const found = await find((s) => s.state === LISTEN && s.localPort === port);
    return found === null || found.length === listeners;
  });
}
