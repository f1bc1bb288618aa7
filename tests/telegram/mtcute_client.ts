/**
 * A real Telegram client that nobody here wrote: mtcute, in this process, talking to the stub data centre as it
 * would to Telegram, behind a proxy or without one.
 */
import {
  BaseTelegramClient,
  IntermediatePacketCodec,
  Long,
  MemoryStorage,
  MtProxyTcpTransport,
  ObfuscatedPacketCodec,
  TcpTransport,
} from "@mtcute/node";
import { addPublicKey, NodeCryptoProvider } from "@mtcute/node/utils.js";
import { view } from "./bytes.ts";
import type { MtprotoServer } from "./mtproto_server.ts";
import { pattern, PatternCheck } from "./pattern.ts";
import { parseProxyLink } from "./proxy_link.ts";
import { sha256Hex } from "./rpc.ts";
import { within } from "./socket.ts";

export interface ClientOptions {
  /** Bytes each way; a megabyte by default. */
  bytes?: number;
  /** For everything together, in milliseconds. */
  deadline?: number;
  /**
   * Which of the client's connections carries the files. `main` is the one that made the key; `separate` opens
   * others for uploads and downloads, which ask for the media data centre (a negative id).
   */
  connections?: "main" | "separate";
}

export interface ClientRun {
  /**
   * From the first connect to the answer to help.getConfig: transport, key exchange, first call. About a second of
   * it is a pause that this client makes of its own accord.
   */
  handshakeMs: number;
  /** Bytes uploaded that arrived whole. */
  up: number;
  /** Bytes downloaded that arrived whole. */
  down: number;
}

/** What a file part may have at most. */
const PART = 512 * 1024;

/** Straight to the stub, without a proxy. */
export interface Direct {
  directPort: number;
}

/**
 * Connects through the proxy that a link names, makes a key, asks for the config, and moves a file each way, compared
 * by hash at both ends. Throws when anything differs or the deadline passes; always closes.
 */
export async function runClient(
  route: string | Direct,
  server: MtprotoServer,
  options: ClientOptions = {},
): Promise<ClientRun> {
  const { bytes = 1 << 20, deadline = 30_000, connections = "main" } = options;
  const crypto = new NodeCryptoProvider();
  addPublicKey(crypto, server.rsa.publicPem);
  const client = new BaseTelegramClient({
    apiId: 1,
    apiHash: "",
    crypto,
    storage: new MemoryStorage(),
    ...(typeof route === "string" ? throughProxy(route) : directly(route)),
    disableUpdates: true,
    logLevel: 0,
  });
  try {
    return await within(deadline, "run a real client", converse(client, server, { bytes, connections }));
  } finally {
    await client.destroy();
  }
}

function throughProxy(link: string) {
  const { server, port, secretText } = parseProxyLink(link);
  return { transport: new MtProxyTcpTransport({ host: server, port, secret: secretText }) };
}

class ObfuscatedTcpTransport extends TcpTransport {
  override packetCodec() {
    return new ObfuscatedPacketCodec(new IntermediatePacketCodec()) as unknown as IntermediatePacketCodec;
  }
}

function directly({ directPort }: Direct) {
  const address = { id: 2, ipAddress: "127.0.0.1", port: directPort };
  return { transport: new ObfuscatedTcpTransport(), defaultDcs: { main: address, media: address } };
}

async function converse(
  client: BaseTelegramClient,
  server: MtprotoServer,
  { bytes, connections }: { bytes: number; connections: "main" | "separate" },
): Promise<ClientRun> {
  const started = performance.now();
  await client.connect();
  const config = await client.call({ _: "help.getConfig" });
  if (config._ !== "config" || config.thisDc !== server.rpc.address.dc) {
    throw new Error("cannot read config: another's");
  }
  const handshakeMs = performance.now() - started;
  const seed = view(globalThis.crypto.getRandomValues(new Uint8Array(2))).getUint16(0);
  const up = await upload(client, server, { bytes, seed, kind: connections === "main" ? "main" : "upload" });
  const down = await download(client, { bytes, seed, kind: connections === "main" ? "main" : "download" });
  return { handshakeMs, up, down };
}

interface Transfer {
  bytes: number;
  seed: number;
  kind: "main" | "upload" | "download";
}

async function upload(
  client: BaseTelegramClient,
  server: MtprotoServer,
  transfer: Transfer,
): Promise<number> {
  const { bytes, seed, kind } = transfer;
  const random = globalThis.crypto.getRandomValues(new Uint32Array(2));
  const fileId = new Long(random[0], random[1]);
  for (let part = 0; part * PART < bytes; part++) {
    const piece = pattern(part * PART, Math.min(PART, bytes - part * PART), seed);
    const saved = await client.call({ _: "upload.saveFilePart", fileId, filePart: part, bytes: piece }, {
      kind,
    });
    if (saved !== true) throw new Error("cannot upload: the data centre did not take a part");
  }
  const { length, sha256 } = server.rpc.upload(BigInt.asUintN(64, BigInt(fileId.toString())));
  if (sha256 !== sha256Hex(pattern(0, bytes, seed))) {
    throw new Error("cannot upload: the file arrived changed");
  }
  return length;
}

async function download(client: BaseTelegramClient, { bytes, seed, kind }: Transfer): Promise<number> {
  const check = new PatternCheck(seed);
  while (check.length < bytes) {
    const result = await client.call({
      _: "upload.getFile",
      location: {
        _: "inputDocumentFileLocation",
        id: Long.fromNumber(seed),
        accessHash: Long.ZERO,
        fileReference: new Uint8Array(),
        thumbSize: "",
      },
      offset: check.length,
      limit: Math.min(PART, bytes - check.length),
    }, { kind });
    if (result._ !== "upload.file") throw new Error("cannot download: no file in the answer");
    check.push(result.bytes);
  }
  return check.length;
}
