/**
 * The few calls that the stub answers: what every client asks when it connects, and files, which move a megabyte
 * each way through the ordinary machinery.
 */
import { createHash } from "node:crypto";
import { unzipSync } from "node:zlib";
import { concat, hex } from "./bytes.ts";
import { pattern } from "./pattern.ts";
import { tl, TlReader } from "./tl.ts";

const ID = {
  invokeWithLayer: 0xda9b0d0d,
  initConnection: 0xc1cd5ea9,
  inputClientProxy: 0x75588b3f,
  invokeWithoutUpdates: 0xbf9459b7,
  invokeAfterMsg: 0xcb9f372d,
  gzipPacked: 0x3072cfa1,
  getConfig: 0xc4f9186b,
  config: 0xcc1a241e,
  dcOption: 0x18b7a10d,
  saveFilePart: 0xb304a621,
  saveBigFilePart: 0xde7b673d,
  getFile: 0xbe5335be,
  inputDocumentFileLocation: 0xbad07584,
  file: 0x096a18d5,
  filePartial: 0x40bc6f52,
  rpcError: 0x2144ca19,
} as const;

/** Undoes gzip_packed, which clients may put around any object; some mean zlib by it. */
export function unpacked(body: Uint8Array): Uint8Array {
  const reader = new TlReader(body);
  if (reader.left < 4 || reader.uint() !== ID.gzipPacked) return body;
  return new Uint8Array(unzipSync(reader.string()));
}

/** A file that was uploaded in parts. */
export interface Upload {
  length: number;
  /** Of the parts in the order of their numbers, in hexadecimal. */
  sha256: string;
}

/** Answers calls, and keeps what was uploaded. */
export class RpcServer {
  /** What help.getConfig says of this data centre. */
  address = { dc: 2, host: "127.0.0.1", port: 443 };
  /** Constructors that nobody here knows; a client that is to be trusted leaves this empty. */
  readonly unknown: string[] = [];
  /** How many calls came, by name. */
  readonly calls = new Map<string, number>();
  readonly #parts = new Map<string, Map<number, Uint8Array>>();

  /** What was uploaded under that file id. */
  upload(fileId: bigint): Upload {
    const parts = [...this.#parts.get(String(fileId)) ?? []].sort(([a], [b]) => a - b).map(([, bytes]) =>
      bytes
    );
    const file = concat(...parts);
    return { length: file.length, sha256: createHash("sha256").update(file).digest("hex") };
  }

  /** The object that answers a call. */
  answer(body: Uint8Array): Uint8Array {
    const reader = new TlReader(unpacked(body));
    const constructor = reader.uint();
    switch (constructor) {
      case ID.invokeWithLayer:
        reader.int();
        return this.answer(reader.rest());
      case ID.initConnection:
        return this.#initConnection(reader);
      case ID.invokeWithoutUpdates:
        return this.answer(reader.rest());
      case ID.invokeAfterMsg:
        reader.long();
        return this.answer(reader.rest());
      case ID.getConfig:
        return this.#count("help.getConfig", this.#config());
      case ID.saveFilePart:
        return this.#count("upload.saveFilePart", this.#savePart(reader, false));
      case ID.saveBigFilePart:
        return this.#count("upload.saveBigFilePart", this.#savePart(reader, true));
      case ID.getFile:
        return this.#count("upload.getFile", this.#getFile(reader));
    }
    this.unknown.push(constructor.toString(16));
    return tl.object(ID.rpcError, tl.uint(400), tl.string("INPUT_METHOD_INVALID"));
  }

  #count(name: string, result: Uint8Array): Uint8Array {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    return result;
  }

  #initConnection(reader: TlReader): Uint8Array {
    const flags = reader.uint();
    reader.int();
    for (let strings = 0; strings < 6; strings++) reader.string();
    if (flags & 1) {
      reader.expect(ID.inputClientProxy);
      reader.string();
      reader.int();
    }
    if (flags & 2) throw new Error("cannot read initConnection: its JSON parameters are not understood");
    return this.answer(reader.rest());
  }

  #savePart(reader: TlReader, big: boolean): Uint8Array {
    const [fileId, part] = [String(reader.long()), reader.int()];
    if (big) reader.int();
    const parts = this.#parts.get(fileId) ?? new Map<number, Uint8Array>();
    this.#parts.set(fileId, parts.set(part, reader.string().slice()));
    return tl.bool(true);
  }

  /** Documents of any length: the id is the seed of the pattern that they consist of. */
  #getFile(reader: TlReader): Uint8Array {
    reader.uint();
    reader.expect(ID.inputDocumentFileLocation);
    const seed = Number(reader.long());
    [reader.long(), reader.string(), reader.string()];
    const [offset, limit] = [Number(reader.long()), reader.int()];
    return tl.object(ID.file, tl.uint(ID.filePartial), tl.uint(0), tl.string(pattern(offset, limit, seed)));
  }

  #config(): Uint8Array {
    const { dc, host, port } = this.address;
    const now = Math.floor(Date.now() / 1000);
    const option = tl.object(ID.dcOption, tl.uint(0), tl.uint(dc), tl.string(host), tl.uint(port));
    // In the order of the schema, chat_size_max to channels_read_media_period.
    const limits = [200, 200_000, 100, 210_000, 5_000, 30_000, 300_000, 30_000, 1_500, 60_000, 2, 172_800];
    const more = [0x7fffffff, 0x7fffffff, 2_419_200, 200, 604_800];
    const calls = [20_000, 90_000, 30_000, 10_000];
    return tl.object(
      ID.config,
      tl.uint(0),
      tl.uint(now),
      tl.uint(now + 3600),
      tl.bool(false),
      tl.uint(dc),
      tl.vector([option]),
      tl.string("example.org"),
      ...[...limits, ...more, ...calls].map(tl.uint),
      tl.string("https://t.me/"),
      ...[1024, 4096, dc].map(tl.uint),
    );
  }
}

/** SHA-256 in hexadecimal, as uploads are compared by. */
export function sha256Hex(bytes: Uint8Array): string {
  return hex(new Uint8Array(createHash("sha256").update(bytes).digest()));
}
