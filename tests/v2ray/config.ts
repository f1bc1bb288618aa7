/** Pieces of a config, as V2Ray 4.34 and mtray both read them. */
import { join } from "node:path";
import { ROOT } from "../tasks/paths.ts";

export type Json = Readonly<Record<string, unknown>>;

/** The names of V2Ray's outbound settings; "auto" is the client's to decide. */
export type Security = "aes-128-gcm" | "chacha20-poly1305" | "none" | "zero" | "auto";

export type Transport = "tcp" | "tls" | "ws" | "ws+tls";
export const TRANSPORTS: readonly Transport[] = ["tcp", "tls", "ws", "ws+tls"];

export const USER = "5c2b9c8e-1f8a-4c53-9d0b-0a7f6e1d2c3b";

/** Whose name the tests' certificate bears. */
const NAME = "test.example";
const certificates = join(ROOT, "tests", "contract", "certs");
const certificateFile = join(certificates, "cert.pem");
const keyFile = join(certificates, "key.pem");

/** `streamSettings` of the side that listens or of the side that dials. */
export function streamSettings(transport: Transport, side: "client" | "server"): Json {
  const [network, security] = transport === "tls" ? ["tcp", "tls"] : transport.split("+");
  const headers = side === "client" ? { headers: { Host: NAME } } : {};
  const certificate = side === "client"
    ? { usage: "verify", certificateFile }
    : { usage: "encipherment", certificateFile, keyFile };
  return {
    network,
    ...(network === "ws" ? { wsSettings: { path: "/mtray", ...headers } } : {}),
    ...(security === "tls"
      ? {
        security,
        tlsSettings: {
          // The system's roots are left out: Deno would parse them anew for each connection.
          ...(side === "client" ? { serverName: NAME, disableSystemRoot: true } : {}),
          certificates: [certificate],
        },
      }
      : {}),
  };
}

/** An inbound that takes whatever connects to `port` to `target`, a port of this machine. */
export function door(tag: string, port: number, target: number, network = "tcp"): Json {
  const settings = { address: "127.0.0.1", port: target, network };
  return { tag, listen: "127.0.0.1", port, protocol: "dokodemo-door", settings };
}

export function vmessInbound(tag: string, port: number, transport: Transport = "tcp", more: Json = {}): Json {
  return {
    tag,
    listen: "127.0.0.1",
    port,
    protocol: "vmess",
    settings: { clients: [{ id: USER }] },
    streamSettings: streamSettings(transport, "server"),
    ...more,
  };
}

export interface VmessOptions {
  security?: Security;
  transport?: Transport;
  mux?: boolean;
  /** More of the outbound: `proxySettings` for example. */
  more?: Json;
}

/** A VMess outbound to a port of this machine. */
export function vmessOutbound(tag: string, port: number, options: VmessOptions = {}): Json {
  const { security = "auto", transport = "tcp", mux = false, more = {} } = options;
  return {
    tag,
    protocol: "vmess",
    settings: { vnext: [{ address: "127.0.0.1", port, users: [{ id: USER, security }] }] },
    streamSettings: streamSettings(transport, "client"),
    ...(mux ? { mux: { enabled: true, concurrency: 8 } } : {}),
    ...more,
  };
}

export const freedom: Json = { tag: "direct", protocol: "freedom" };

/** What comes in there goes out here. */
export function rule(inboundTag: string, outboundTag: string): Json {
  return { type: "field", inboundTag: [inboundTag], outboundTag };
}

/** A whole config. V2Ray says everything from warnings on, and mtray does. */
export function config(inbounds: readonly Json[], outbounds: readonly Json[], more: Json = {}): Json {
  return { log: { loglevel: "info" }, inbounds, outbounds, ...more };
}
