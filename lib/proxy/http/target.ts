import type { Target } from "../../stream/types.ts";
import { requestedHost } from "../requested_host.ts";

/** Where a request goes, and how the server there is to be asked. */
export interface Asked {
  target: Target;
  /** For the Host header. */
  authority: string;
  /** In origin form, or "*". */
  path: string;
}

/** "host:port", with a default for the port where there is one. Null for anything else. */
export function parseAuthority(text: string, port?: number): Target | null {
  const parts = /^(\[[^\]]*\]|[^:@/?#\[\]]*)(?::([0-9]{1,5}))?$/.exec(text);
  const host = parts === null ? null : requestedHost(parts[1]);
  const number = Number(parts?.[2] ?? port);
  return host === null || !(number >= 1 && number <= 65535) ? null : { host, port: number };
}

/** "http://host:port/path?query", as clients write it for a proxy. Null for other schemes, and anything else. */
export function parseAbsolute(text: string): Asked | null {
  const parts = /^http:\/\/([^/?#]*)([^#]*)/i.exec(text);
  const target = parts === null ? null : parseAuthority(parts[1], 80);
  if (target === null) return null;
  const path = parts![2];
  return { target, authority: parts![1], path: path.startsWith("/") ? path : `/${path}` };
}
