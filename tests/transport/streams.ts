/** What the tests of transports share. */
import { MtrayError } from "../../lib/errors.ts";
import { concat } from "../../lib/stream/bytes.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import type { HttpUpgradeSettings, TlsSettings, WebSocketSettings } from "../../lib/transport/types.ts";

export const never = new AbortController().signal;
export const TARGET = { host: "server.example", port: 443 };

export function webSocketLike(fields: Partial<WebSocketSettings> = {}): WebSocketSettings {
  return { path: "/ws", host: "", headers: {}, maxEarlyData: 0, earlyDataHeaderName: "", ...fields };
}

export function upgradeLike(fields: Partial<HttpUpgradeSettings> = {}): HttpUpgradeSettings {
  return { path: "/up", host: "", headers: {}, ...fields };
}

export function tlsLike(fields: Partial<TlsSettings> = {}): TlsSettings {
  return {
    serverName: "",
    alpn: [],
    certificates: [],
    authorities: [],
    disableSystemRoot: false,
    allowInsecure: false,
    pinnedChains: [],
    pinnedCertificates: [],
    ...fields,
  };
}

export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Reads until so many bytes are there, or to the end. */
export async function readSome(stream: ByteStream, length: number): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array();
  while (bytes.length < length && await stream.ready()) bytes = concat(bytes, stream.take());
  return bytes;
}

/** Reads a head of HTTP; what comes behind it must not be there yet. */
export async function readRequest(stream: ByteStream): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n\r\n") && await stream.ready()) text += textOf(stream.take());
  return text;
}

export async function errorOf(promise: Promise<unknown>): Promise<MtrayError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MtrayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
