import type {
  Accepted,
  BoundPackets,
  ByteStream,
  DialOptions,
  DialPackets,
  KeepAlive,
  Target,
} from "../stream/types.ts";

/** Where to listen. */
export interface Place {
  host: string;
  /** 0 takes any. */
  port: number;
  /**
   * Several threads of this process listen there, and the system shares out what comes: this is the first of them, or
   * one of the next. The first finds out whether the port is free: nobody is told who else shares it.
   */
  share?: "first" | "next";
}

/** A bound port. */
export interface Listener {
  /** As bound: port 0 has become a real one. */
  readonly address: Target;
  close(): void;
}

export type TlsVersion = "1.2" | "1.3";

/** What both sides of TLS may be told. Make one object and keep it: what is made of it is kept with it. */
interface TlsCommon {
  /** Names of protocols, the preferred one first; none: nothing is said about it. */
  alpn?: readonly string[];
  /** Absent: what the runtime takes. */
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
}

export interface TlsOptions extends TlsCommon {
  /** The only roots, PEM; the runtime's own when absent. */
  caCerts?: readonly string[];
  /** Whether any certificate will do. */
  allowInsecure?: boolean;
  /**
   * Looks at the chain that the server showed, DER, its own certificate first, before anything is sent. It throws
   * where the chain must not be used.
   *
   * @returns true where the chain is good whatever signed it and whatever its names are
   */
  judge?(chain: Uint8Array[]): boolean;
}

export interface TlsServerOptions extends TlsCommon {
  /** PEM, the server's own certificate first. */
  certificate: string;
  /** PEM. */
  key: string;
}

/** Everything that differs between Deno and Bun, and nothing else. */
export interface Runtime {
  readonly name: "deno" | "bun";
  readonly version: string;
  readonly isMainThread: boolean;
  /** Why no port can be shared here; null where it can. */
  readonly cannotShare: string | null;
  /** Whether that goes for UDP, too. Where it does not, `share` has no effect on it. */
  readonly sharesPackets: boolean;
  /** Sockets that the system lets be open at a time; Infinity where it does not say. */
  readonly mostSockets: number;
  /** Arguments after the program. */
  readonly args: string[];
  /** Binds, then calls `accept` for each connection. Rejects with code `start`. */
  listen(at: Place, accept: (accepted: Accepted) => void): Promise<Listener>;
  dial(target: Target, options: DialOptions, signal: AbortSignal): Promise<ByteStream>;
  /** Binds a UDP port; port 0 takes any. Rejects with code `start`. */
  openPackets(at: Place): Promise<BoundPackets>;
  /** An unbound way for datagrams to any address, IPv4, IPv6 or a name. */
  dialPackets: DialPackets;
  /**
   * TLS as a client over a stream that is not being read or written. Where it rejects the stream is closed.
   *
   * @param serverName for SNI, unless it is an IP address, and for the check of the certificate
   */
  startTls(
    stream: ByteStream,
    serverName: string,
    options: TlsOptions,
    signal: AbortSignal,
  ): Promise<ByteStream>;
  /**
   * TLS as a server. Where it rejects the stream is closed.
   *
   * @param first what was read of the stream already
   */
  acceptTls(
    stream: ByteStream,
    options: TlsServerOptions,
    first: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<ByteStream>;
  /** The roots that `startTls` takes where none are given, PEM. */
  systemRoots(): string[];
  /** Sets when the system asks a silent peer of a stream that `listen` handed over; nothing else happens. */
  keepAlive(stream: ByteStream, keepAlive: KeepAlive): void;
  /** Which parts of `KeepAlive` can be set here. */
  readonly keepAliveParts: { idle: boolean; interval: boolean };
  /**
   * From now on open sockets are counted there, by all threads that are given the same memory: the system's limit is
   * for the whole process.
   *
   * @param counts two numbers
   */
  countIn(counts: Int32Array): void;
  exit(code: number): never;
}
