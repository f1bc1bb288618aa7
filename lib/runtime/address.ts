import type { Target } from "../stream/types.ts";

/** "192.168.1.5:443", "[2001:db8::1]:443", "example.com:443". */
export function textOf(target: Target): string {
  return target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
