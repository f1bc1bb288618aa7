import type { GenericSchema } from "valibot";
import type { CryptoProvider } from "../crypto/types.ts";
import type { Events } from "../observe/events.ts";
import type { Session } from "../session.ts";
import type {
  Accepted,
  BoundPackets,
  ByteStream,
  Dial,
  DialPackets,
  PacketStream,
  Target,
} from "../stream/types.ts";

/** A way out that is open. */
export interface Connected {
  stream: ByteStream;
  /** The far end encrypts its downlink with the key that the session offered: copy it, do not encrypt it again. */
  adopted: boolean;
  /** Tags of the hops, first hop first. */
  via: string[];
}

/** A way out for datagrams. */
export interface ConnectedPackets {
  packets: PacketStream;
  /** Tags of the hops, first hop first. */
  via: string[];
}

/** A dialer with a name. The router is one too. */
export interface Outbound {
  readonly tag: string;
  readonly protocol: string;
  /** Whether some hop of the way out hides what passes from those who watch the wire. */
  readonly encrypts: boolean;
  /** Rejects with an MtrayError whose message can be logged. */
  connect(session: Session, signal: AbortSignal): Promise<Connected>;
  /** Datagrams, first of all to the session's target. Left out where the protocol has none. */
  openPackets?(session: Session, signal: AbortSignal): Promise<ConnectedPackets>;
  close?(): void;
}

/** Takes in what a listener accepts. It owns the connection until the promise settles, which never rejects. */
export interface Inbound {
  readonly tag: string;
  readonly protocol: string;
  /** Whether its ports are bound for TCP; yes where it does not say. */
  readonly acceptsStreams?: boolean;
  accept(accepted: Accepted): Promise<void>;
  /**
   * Serves a UDP port of the inbound until `stop`. Its ports are bound for UDP where this is there. Never rejects.
   *
   * @param port the inbound closes it
   */
  acceptPackets?(port: BoundPackets): Promise<void>;
  /** Reads no more: writes that are under way may finish, everything else ends. */
  stop(): void;
  /** Ends everything that is still open. */
  close(): void;
}

/** How long a connection may take for what, in milliseconds, each counted from the last byte. */
export interface Policy {
  handshake: number;
  connIdle: number;
  /** After the far end finished: how long the client may go on. */
  uplinkOnly: number;
  /** After the client finished: how long the far end may go on. */
  downlinkOnly: number;
}

export interface Clock {
  /** Milliseconds, monotonic. For deadlines, generations and cooldowns. */
  now(): number;
  /** Milliseconds since 1970. For stamps on the wire and in logs, nothing else. */
  wall(): number;
}

/** Random bytes, fit for keys. */
export type Random = (length: number) => Uint8Array;

/** Remembers 16-byte digests, a fixed number of them. */
export interface Digests {
  /** @returns false when the digest is already known */
  add(digest: Uint8Array): boolean;
  has(digest: Uint8Array): boolean;
}

/** Which addresses failed lately, and when they may come first again. */
export interface AddressPreferences {
  /** The addresses, those that failed in the last ten minutes last, otherwise in their own order. */
  order(addresses: readonly Target[]): readonly Target[];
  failed(address: Target): void;
  worked(address: Target): void;
}

/** Who was seen last from an address. */
export interface LastSeen {
  get(inboundTag: string, host: string): string | undefined;
  set(inboundTag: string, host: string, key: string): void;
}

/** Each session has a connection of its own. */
export const noMux: Mux = { enabled: false, concurrency: 8, mtproto: false, xudp: false };

/** What every handler may use. All of it outlives the handler. */
export interface HandlerContext {
  readonly events: Events;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly digests: Digests;
  policy(level: number): Policy;
}

export interface InboundContext extends HandlerContext {
  readonly tag: string;
  /** The router. */
  readonly router: Outbound;
  readonly lastSeen: LastSeen;
  readonly warnings: ClockWarnings;
  nextSessionId(): number;
  /** Connections of this inbound that may be undecided at the same time. */
  readonly mostHandshakes: number;
  /** A dial that does not pass the router: the system's, or the outbound's of that tag. */
  dial(outboundTag?: string): Dial;
  /** Binds a UDP port. Rejects with code `start`. */
  openPackets(at: Target): Promise<BoundPackets>;
  /** What is looked for in the first bytes of a client, if anything. */
  readonly sniffing?: Sniffing;
}

/** How a session's protocol and domain are learned from the client's first bytes. */
export interface Sniffing {
  protocols: readonly ("http" | "tls")[];
  /** The domain serves rules only; the outbound is still given the client's target. */
  routeOnly: boolean;
  /** Domains that stay unused, as rules write them. */
  domainsExcluded: readonly string[];
}

/** What is said once about this gateway's clock. */
export interface ClockWarnings {
  /** Whether the clock stands before the release date; warns the first time. */
  beforeRelease(): boolean;
  /** A client with a valid secret whose time is `seconds` ahead of ours. */
  differs(host: string, seconds: number): void;
}

export interface OutboundContext extends HandlerContext {
  readonly tag: string;
  readonly preferences: AddressPreferences;
  /** The outbound's own layers around its lowest dial: the system's, or that of the outbound it is chained to. */
  readonly dial: Dial;
  /** Whether those layers, or a hop below, encrypt. */
  readonly encrypts: boolean;
  /** Whether the lowest dial is another outbound. */
  readonly chained: boolean;
  /** Tags of the hops below, first hop first. */
  readonly below: string[];
  /** A way for datagrams: the system's, or that of the outbound it is chained to. */
  readonly dialPackets: DialPackets;
  readonly warnings: ClockWarnings;
  readonly mux: Mux;
}

/** Several sessions in one connection. */
export interface Mux {
  enabled: boolean;
  /** Sessions in a connection at a time, 1–1024. */
  concurrency: number;
  /** Whether MTProto sessions share connections, too: they then wait for each other's lost packets. */
  mtproto: boolean;
  /** Whether datagrams are sent as XUDP, which V2Ray 4 does not know. */
  xudp: boolean;
}

/** A row of the registry: a protocol's settings and what builds it from them. */
export interface InboundKind<Settings> {
  readonly settings: GenericSchema<unknown, Settings>;
  /** Which layers streamSettings may ask for. */
  readonly transports: "all" | "tcp";
  create(context: InboundContext, settings: Settings): Inbound;
}

export interface OutboundKind<Settings> {
  readonly settings: GenericSchema<unknown, Settings>;
  /** Which layers streamSettings may ask for. */
  readonly transports: "all" | "tcp";
  /** Whether it can carry Mux.Cool. */
  readonly muxes?: boolean;
  create(context: OutboundContext, settings: Settings): Outbound;
}
