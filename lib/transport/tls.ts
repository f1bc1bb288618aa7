import { namesOf } from "../crypto/certificate.ts";
import type { Runtime, TlsOptions, TlsServerOptions } from "../runtime/types.ts";
import { concat } from "../stream/bytes.ts";
import type { ByteStream, Dial } from "../stream/types.ts";
import { judgePins } from "./pins.ts";
import { coversName, serverNameOf } from "./server_name.ts";
import type { TlsSettings, TransportSettings } from "./types.ts";

/** How long a server may take for its part of the handshake, in milliseconds; V2Ray's own limit for a dial. */
export const HANDSHAKE = 16_000;

/** TLS around a dial. */
export function tlsAround(
  lowest: Dial,
  tls: TlsSettings,
  network: TransportSettings["network"],
  runtime: Runtime,
): Dial {
  const options: TlsOptions = {
    alpn: tls.alpn.length > 0 ? tls.alpn : usualAlpn(network),
    ...rangeOf(tls),
    ...rootsOf(tls, runtime),
    // A pinned authority speaks for nobody unless its signature is looked at; a pinned certificate needs no leave.
    allowInsecure: tls.allowInsecure && tls.pinnedCertificates.length === 0,
    judge: (chain) => judgePins(chain, tls),
  };
  return async (target, dialOptions, signal) => {
    const stream = await lowest(target, dialOptions, signal);
    return await runtime.startTls(stream, tls.serverName || target.host, options, signal);
  };
}

/** Takes TLS off the connections of an inbound. `first` is what was read of a stream already. */
export type TlsServer = (
  stream: ByteStream,
  first: Uint8Array | undefined,
  signal: AbortSignal,
) => Promise<ByteStream>;

/** A TLS server with at least one certificate; of several the client's server name chooses, or else the first serves. */
export function tlsServer(
  tls: TlsSettings,
  network: TransportSettings["network"],
  runtime: Runtime,
): TlsServer {
  const alpn = tls.alpn.length > 0 ? tls.alpn : usualAlpn(network);
  const choices = tls.certificates.map(({ certificate, key }) => {
    const options: TlsServerOptions = { alpn, ...rangeOf(tls), certificate, key };
    return { options, names: namesOf(certificate) };
  });
  if (choices.length === 1) {
    return (stream, first, signal) => runtime.acceptTls(stream, choices[0].options, first, signal);
  }
  return async (stream, first, signal) => {
    let bytes = first ?? new Uint8Array();
    let name = serverNameOf(bytes);
    while (name === undefined && await stream.ready()) {
      bytes = concat(bytes, stream.take());
      name = serverNameOf(bytes);
    }
    const chosen = choices.find(({ names }) =>
      name !== null && name !== undefined && coversName(names, name)
    );
    return await runtime.acceptTls(stream, (chosen ?? choices[0]).options, bytes, signal);
  };
}

/** What V2Ray offers. A WebSocket is HTTP/1.1 and nothing else. */
function usualAlpn(network: TransportSettings["network"]): string[] {
  return network === "tcp" ? ["h2", "http/1.1"] : ["http/1.1"];
}

function rangeOf({ minVersion, maxVersion }: TlsSettings) {
  return { ...(minVersion !== undefined && { minVersion }), ...(maxVersion !== undefined && { maxVersion }) };
}

function rootsOf({ authorities, disableSystemRoot }: TlsSettings, runtime: Runtime) {
  if (authorities.length === 0 && !disableSystemRoot) return {};
  return { caCerts: disableSystemRoot ? authorities : [...runtime.systemRoots(), ...authorities] };
}
