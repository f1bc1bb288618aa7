import { late } from "./late.ts";

/** Node's sockets, TLS and datagrams, for which most configs have no use. */
export const nodeNet = late<typeof import("node:net")>("node:net");
export const nodeTls = late<typeof import("node:tls")>("node:tls");
export const nodeDatagrams = late<typeof import("node:dgram")>("node:dgram");
