/** What one file of this folder holds, and how its bytes are written and read. */
import { pattern } from "../../telegram/pattern.ts";

/** Plaintext that both ends can compute: `pattern(0, length, seed)`, and its SHA-256 in hex as a check. */
export interface Payload {
  seed: number;
  length: number;
  sha256: string;
}

/** One TCP connection, or one datagram with its answer, as the program at either end of the two peers saw it. */
export interface Exchange {
  network: "tcp" | "udp";
  host: string;
  port: number;
  up: Payload;
  down: Payload;
}

export interface Peer {
  program: string;
  version: string;
  /** What differs from the program's usual environment. */
  env?: Record<string, string>;
  config: unknown;
}

export interface Recording {
  case: string;
  about: string;
  client: Peer;
  server: Peer;
  /** The UUID as 36 characters; a client may have been given another text that stands for it. */
  uuid: string;
  /** Unix seconds when the recorder accepted the connection. */
  time: number;
  exchanges: Exchange[];
  /** Who sent FIN first; "stopped": nobody did until the programs were ended. */
  endedBy: "client" | "server" | "stopped";
  /** Lengths of the recorder's reads, in order: "c" from the client, "s" from the server. */
  reads: string;
  /** Base64 in lines of 96 characters. */
  clientBytes: string[];
  serverBytes: string[];
}

/** The bytes of a payload. */
export function payloadBytes({ seed, length }: Pick<Payload, "seed" | "length">): Uint8Array<ArrayBuffer> {
  return pattern(0, length, seed);
}

/** A payload with its digest. */
export async function payload(seed: number, length: number): Promise<Payload> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", payloadBytes({ seed, length })));
  return { seed, length, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

/** Base64 in lines of 96 characters (72 bytes each). */
export function toLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 72) {
    lines.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 72))));
  }
  return lines;
}

/** The bytes of such lines. */
export function fromLines(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(lines.map(atob).join(""), (character) => character.charCodeAt(0));
}
