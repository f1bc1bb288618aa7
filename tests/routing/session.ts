import type { Session } from "../../lib/session.ts";

/** A session from a client in the LAN to a data centre, but for the fields given. */
export function sessionLike(fields: Partial<Session> = {}): Session {
  return {
    id: 1,
    inboundTag: "in",
    source: { host: "192.168.1.5", port: 40000 },
    local: { host: "192.168.1.1", port: 443 },
    network: "tcp",
    target: { host: "149.154.167.51", port: 443 },
    bytesUp: 0,
    bytesDown: 0,
    openedAt: 0,
    ...fields,
  };
}
