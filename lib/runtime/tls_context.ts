import type { SecureContext } from "node:tls";
import { nodeTls } from "./node_net.ts";
import type { TlsOptions, TlsServerOptions } from "./types.ts";

const clients = new WeakMap<TlsOptions, SecureContext>();
const servers = new WeakMap<TlsServerOptions, SecureContext>();

/** What a client needs besides names, made once. */
export function clientContext(options: TlsOptions): SecureContext {
  let context = clients.get(options);
  if (context === undefined) {
    context = nodeTls().createSecureContext({
      ...versions(options),
      ...(options.caCerts !== undefined && { ca: [...options.caCerts] }),
    });
    clients.set(options, context);
  }
  return context;
}

/** What a server needs, made once. */
export function serverContext(options: TlsServerOptions): SecureContext {
  let context = servers.get(options);
  if (context === undefined) {
    context = nodeTls().createSecureContext({
      ...versions(options),
      cert: options.certificate,
      key: options.key,
    });
    servers.set(options, context);
  }
  return context;
}

/** The roots that the runtime trusts by itself, PEM. */
export function systemRoots(): string[] {
  const { getCACertificates, rootCertificates } = nodeTls();
  const all = typeof getCACertificates === "function" ? getCACertificates("default") : rootCertificates;
  // The runtime's own and the system's are mostly the same ones, and Deno parses them for each connection.
  return [...new Map(all.map((pem) => [pem.replace(/-----[^-]+-----|\s/g, ""), pem])).values()];
}

function versions({ minVersion, maxVersion }: TlsOptions | TlsServerOptions) {
  return {
    minVersion: minVersion === undefined ? "TLSv1.2" as const : `TLSv${minVersion}` as const,
    ...(maxVersion !== undefined && { maxVersion: `TLSv${maxVersion}` as const }),
  };
}
