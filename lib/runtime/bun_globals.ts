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
  /** Other handlers; of an accepted socket also for all others of its listener. */
  reload(options: { socket: Partial<BunHandlers> }): void;
  /** The descriptor; -1 once closed. */
  readonly fd: number;
  /** TLS from here on: what is below, then what is inside. */
  upgradeTLS(options: BunTlsUpgrade): [BunSocket, BunTlsSocket];
}

/** What a TLS connection knows besides. */
export interface BunTlsSocket extends BunSocket {
  /** The peer's certificate, each with the next one as `issuerCertificate`. */
  getPeerCertificate(abbreviated: boolean): unknown;
  /** Closes the connection below without a word. */
  close(): void;
}

/** As node:tls of Bun itself calls it. */
export interface BunTlsUpgrade {
  isServer: boolean;
  tls: {
    /** The `context` of node:tls's SecureContext. */
    secureContext: unknown;
    serverName?: string;
    /** Each with its length in front. */
    ALPNProtocols?: Uint8Array;
    rejectUnauthorized: boolean;
    requestCert: boolean;
  };
  /** What came before the upgrade. */
  initialData?: Uint8Array;
  allowHalfOpen: boolean;
  data: unknown;
  socket: BunHandlers & {
    handshake(socket: BunTlsSocket, success: boolean, authorizationError: Error | null): void;
  };
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
  /** The file that was started; in a compiled one a name inside it. */
  readonly main: string;
  readonly argv: string[];
  listen(
    options: {
      hostname: string;
      port: number;
      allowHalfOpen: boolean;
      exclusive?: boolean;
      reusePort?: boolean;
      socket: BunHandlers;
    },
  ): BunListener;
  connect(
    options: { hostname: string; port: number; allowHalfOpen: boolean; data: unknown; socket: BunHandlers },
  ): Promise<BunSocket>;
}

export const bun = (): BunGlobal => (globalThis as unknown as { Bun: BunGlobal }).Bun;
