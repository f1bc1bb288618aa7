import type { TlsVersion } from "../runtime/types.ts";
import type { KeepAlive } from "../stream/types.ts";

/** A handler's `streamSettings`, checked. */
export interface TransportSettings {
  network: "tcp" | "ws" | "httpupgrade";
  /** Absent: nothing is wrapped in TLS. */
  tls?: TlsSettings;
  /** There when `network` is ws. */
  ws?: WebSocketSettings;
  /** There when `network` is httpupgrade. */
  httpUpgrade?: HttpUpgradeSettings;
  /** There when `network` is tcp and a connection shall begin like HTTP. Outbounds only. */
  httpHeader?: HttpHeaderSettings;
  /** There when connections begin with a PROXY header. Inbounds only. */
  proxyProtocol?: ProxyProtocolSettings;
  keepAlive?: KeepAlive;
  /** Xray's way to name the outbound that carries this one, with all its layers. */
  dialerProxy?: string;
}

/** TCP and nothing else. */
export const plainTcp: TransportSettings = { network: "tcp" };

export interface TlsSettings {
  /** Empty: the host that is dialled. */
  serverName: string;
  /** Empty: what V2Ray offers for the network. */
  alpn: string[];
  /** An inbound's own, PEM. */
  certificates: { certificate: string; key: string }[];
  /** Roots beside the system's, PEM. Outbounds only. */
  authorities: string[];
  disableSystemRoot: boolean;
  allowInsecure: boolean;
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
  /** SHA-256 of a certificate chain as V2Ray counts it, base64: one of these must be the peer's. */
  pinnedChains: string[];
  /** SHA-256 of a certificate, hex: one of these must be the peer's. */
  pinnedCertificates: string[];
}

export interface WebSocketSettings {
  /** Begins with a slash. What follows a question mark is part of what a client asks for. */
  path: string;
  /** Empty: the host that is dialled. */
  host: string;
  headers: Record<string, string>;
  /** The most of the first write that goes into the request, in bytes; 0 for none. */
  maxEarlyData: number;
  /** Empty: behind the path. */
  earlyDataHeaderName: string;
}

export interface HttpUpgradeSettings {
  path: string;
  host: string;
  headers: Record<string, string>;
}

/** One of the values of each list is drawn for each connection, as V2Ray does. */
export interface HttpHeaderSettings {
  method: string;
  version: string;
  paths: string[];
  headers: Record<string, string[]>;
}

export interface ProxyProtocolSettings {
  /** Networks whose PROXY header is believed; from elsewhere it ends the connection. */
  trusted: string[];
}
