import type {
  Accepted,
  BoundPackets,
  ByteStream,
  DialOptions,
  DialPackets,
  Target,
} from "../stream/types.ts";

/** A bound port. */
export interface Listener {
  /** As bound: port 0 has become a real one. */
  readonly address: Target;
  close(): void;
}

export interface TlsOptions {
  /** Name for SNI and for the certificate check. */
  serverName: string;
  alpn?: string[];
  /** PEM; the system's roots when absent. */
  caCerts?: string[];
  allowInsecure?: boolean;
}

/** Everything that differs between Deno and Bun, and nothing else. */
export interface Runtime {
  readonly name: "deno" | "bun";
  readonly version: string;
  readonly isMainThread: boolean;
  /** Sockets that the system lets be open at a time; Infinity where it does not say. */
  readonly mostSockets: number;
  /** Arguments after the program. */
  readonly args: string[];
  /** Binds, then calls `accept` for each connection. Rejects with code `start`. */
  listen(at: { host: string; port: number }, accept: (accepted: Accepted) => void): Promise<Listener>;
  dial(target: Target, options: DialOptions, signal: AbortSignal): Promise<ByteStream>;
  /** Binds a UDP port; port 0 takes any. Rejects with code `start`. */
  openPackets(at: { host: string; port: number }): Promise<BoundPackets>;
  /** An unbound way for datagrams to any address, IPv4, IPv6 or a name. */
  dialPackets: DialPackets;
  /** TLS as a client over a stream that is not being read or written. */
  startTls(stream: ByteStream, options: TlsOptions, signal: AbortSignal): Promise<ByteStream>;
  exit(code: number): never;
}
