/** The other side aborted the connection. */
export class PeerReset extends Error {
  override name = "PeerReset";
}

/** The connection was closed on our own side. */
export class SocketClosed extends Error {
  override name = "SocketClosed";
}

/** What a system's socket must offer to become a Socket. */
export interface RawSocket {
  readonly localPort: number;
  readonly remotePort: number;
  /** Null at the end, and again after it; PeerReset after a reset. */
  read(): Promise<Uint8Array | null>;
  /** SocketClosed after our own close, PeerReset after a reset. */
  write(bytes: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
  close(): void;
  /** Sends a reset. */
  reset(): void;
}
