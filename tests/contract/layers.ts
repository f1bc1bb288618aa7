/** Streams that layers make, as the contract of `ByteStream` meets them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runtime } from "../../lib/runtime/mod.ts";
import type { TlsOptions, TlsServerOptions } from "../../lib/runtime/types.ts";
import { cipherStream } from "../../lib/stream/cipher_stream.ts";
import type { ByteStream } from "../../lib/stream/types.ts";
import { inboundLayers, outboundLayers } from "../../lib/transport/layers.ts";
import { SkippingStream } from "../../lib/transport/skipping_stream.ts";
import type { TlsSettings, TransportSettings, WebSocketSettings } from "../../lib/transport/types.ts";
import { type Kind, memory, tcp } from "./streams.ts";
import { memoryPair } from "../../lib/stream/pair.ts";

/** Tests run from the top of the repository, as a bundle, too. */
const certs = join(process.cwd(), "tests", "contract", "certs");
export const certificate = readFileSync(join(certs, "cert.pem"), "utf8");
export const key = readFileSync(join(certs, "key.pem"), "utf8");
export const never = new AbortController().signal;

/** Of the certificate of the tests. */
export const SERVER_NAME = "test.example";
export const clientTls: TlsOptions = { caCerts: [certificate] };
export const serverTls: TlsServerOptions = { certificate, key };

/** A stream that is no socket to the runtime, as one that leads through another outbound. */
export function wrapped(stream: ByteStream): ByteStream {
  return cipherStream(stream, { reading: null, writing: null });
}

/** Makes both ends of something else of both ends of a connection. */
type Upgrade = (ends: { a: ByteStream; b: ByteStream }) => Promise<{ a: ByteStream; b: ByteStream }>;

function over(name: string, base: Kind, upgrade: Upgrade, halfCloses = true): Kind {
  return {
    name,
    holds: base.holds,
    halfCloses,
    async open() {
      const { a, b, end } = await base.open();
      const ends = await upgrade({ a, b });
      return {
        ...ends,
        end: () => {
          ends.a.close();
          ends.b.close();
          end();
        },
      };
    },
  };
}

/** The other end first. */
export function swapped(kind: Kind): Kind {
  return {
    ...kind,
    name: `${kind.name}, accepted end first`,
    async open() {
      const { a, b, end } = await kind.open();
      return { a: b, b: a, end };
    },
  };
}

const withTls: Upgrade = async ({ a, b }) => {
  const [client, server] = await Promise.all([
    runtime.startTls(a, SERVER_NAME, clientTls, never),
    runtime.acceptTls(b, serverTls, undefined, never),
  ]);
  return { a: client, b: server };
};

/** The layers that two handlers with the same settings put around a connection. */
function layered(settings: TransportSettings, forServer: Partial<TransportSettings> = {}): Upgrade {
  const target = { host: SERVER_NAME, port: 443 };
  return async ({ a, b }) => {
    const client = outboundLayers(settings, runtime, false).around(() => Promise.resolve(a));
    const server = inboundLayers({ ...settings, ...forServer }, runtime);
    const [dialled, accepted] = await Promise.all([
      client(target, {}, never),
      server?.accept({ stream: b, remote: target, local: target }, never),
    ]);
    return { a: dialled, b: accepted?.stream ?? b };
  };
}

export const tlsSettings: TlsSettings = {
  serverName: "",
  alpn: [],
  certificates: [],
  authorities: [certificate],
  disableSystemRoot: true,
  allowInsecure: false,
  pinnedChains: [],
  pinnedCertificates: [],
};
const ownCertificate = { tls: { ...tlsSettings, authorities: [], certificates: [{ certificate, key }] } };
export const webSocket: WebSocketSettings = {
  path: "/ws",
  host: "",
  headers: {},
  maxEarlyData: 0,
  earlyDataHeaderName: "",
};

export const tls = over("TLS", tcp, withTls);
// On Bun such a stream is joined to a connection of the machine to itself, with buffers of its own.
export const tlsOverStreams = over(
  "TLS over streams that are no sockets",
  { ...tcp, holds: 60 },
  ({ a, b }) => withTls({ a: wrapped(a), b: wrapped(b) }),
);
export const tlsInMemory = over("TLS in memory", {
  name: "memory",
  open() {
    const [a, b] = memoryPair(1 << 20);
    return Promise.resolve({ a, b, end: () => {} });
  },
}, withTls);
export const ws = over("ws", tcp, layered({ network: "ws", ws: webSocket }), false);
export const wsInMemory = over("ws in memory", memory, layered({ network: "ws", ws: webSocket }), false);
export const wsWithTls = over(
  "ws with TLS",
  tcp,
  layered({ network: "ws", ws: webSocket, tls: tlsSettings }, ownCertificate),
  false,
);
export const httpUpgrade = over(
  "httpupgrade",
  tcp,
  layered({ network: "httpupgrade", httpUpgrade: { path: "/up", host: "", headers: {} } }),
);
const answer = new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n");
const httpHeaderSettings = {
  method: "GET",
  version: "1.1",
  paths: ["/"],
  headers: { Host: ["example.com"] },
};
/** The server's side is nobody's here but a test's. */
export const httpHeader = over("http header", tcp, async ({ a, b }) => {
  const layers = outboundLayers({ network: "tcp", httpHeader: httpHeaderSettings }, runtime, false);
  const client = await layers.around(() => Promise.resolve(a))({ host: SERVER_NAME, port: 80 }, {}, never);
  return { a: client, b: new SkippingStream(b, () => {}, answer) };
});
