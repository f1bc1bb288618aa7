/** The few names of Bun that are used here, declared so that the code is checked without Bun's own types. */
export interface BunSocket {
  data: unknown;
  /** Undefined once the socket is closed. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes that the kernel took, -1 when the socket is closed. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Half-close. `end()` would close both directions and lose what is still on its way to us. */
  shutdown(): void;
  end(): void;
  /** Sends a reset. */
  terminate(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, milliseconds?: number): void;
}

export interface BunHandlers {
  open?(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: unknown): void;
  error(socket: BunSocket, error: unknown): void;
  connectError?(socket: BunSocket, error: unknown): void;
}

export interface BunListener {
  readonly hostname: string;
  readonly port: number;
  stop(closeConnections?: boolean): void;
}

interface BunGlobal {
  readonly version: string;
  readonly isMainThread: boolean;
  readonly argv: string[];
  listen(
    options: {
      hostname: string;
      port: number;
      allowHalfOpen: boolean;
      exclusive?: boolean;
      socket: BunHandlers;
    },
  ): BunListener;
  connect(
    options: { hostname: string; port: number; allowHalfOpen: boolean; socket: BunHandlers },
  ): Promise<BunSocket>;
}

export const bun = (): BunGlobal => (globalThis as unknown as { Bun: BunGlobal }).Bun;
