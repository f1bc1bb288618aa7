/**
 * A Telegram client without Telegram: it opens a proxy connection as real ones do and then carries any bytes. Cheap
 * enough to have hundreds.
 */
import { concat } from "./bytes.ts";
import { buildClientHello, type HelloOptions } from "./client_hello.ts";
import { type ChangeCipherSpec, FakeTlsClient, type GreetOptions } from "./fake_tls.ts";
import { type CtrKey, type Ends, type HeaderOptions, initiate, INTERMEDIATE, PADDED } from "./obfuscated2.ts";
import { parseProxyLink, type ProxySecret } from "./proxy_link.ts";
import { connectSocket, type Socket } from "./socket.ts";

export interface LightOptions {
  /** Framing tag: padded intermediate under dd and ee, else intermediate. */
  tag?: number;
  dc?: number;
  /** More of the obfuscated2 header. */
  header?: Partial<HeaderOptions>;
  /** The FakeTLS hello; secret and domain are the link's. */
  hello?: Partial<HelloOptions>;
  greet?: GreetOptions;
  /** Longest record to write. */
  recordSize?: number;
  changeCipherSpec?: ChangeCipherSpec;
  /** Needed to end with a reset. */
  resettable?: boolean;
}

/** A connection through a proxy to a data centre. The header goes out with the first write. */
export class LightClient {
  readonly ends: Ends;
  #headerSent = false;

  private constructor(
    readonly socket: Socket,
    readonly tls: FakeTlsClient | null,
    readonly options: LightOptions,
    secret: ProxySecret,
  ) {
    const tag = options.tag ?? (secret.kind === "classic" ? INTERMEDIATE : PADDED);
    this.ends = initiate({ tag, dc: options.dc ?? 2, secret: secret.bytes, ...options.header });
  }

  /** Connects to the proxy that a link names; with an `ee` secret through the FakeTLS handshake. */
  static async open(link: string, options: LightOptions = {}): Promise<LightClient> {
    const { server, port, secret } = parseProxyLink(link);
    const socket = await connectSocket(port, { hostname: server, resettable: options.resettable });
    try {
      if (secret.domain === undefined) return new LightClient(socket, null, options, secret);
      const hello = buildClientHello({ secret: secret.bytes, domain: secret.domain, ...options.hello });
      const tls = await FakeTlsClient.greet(socket, hello, secret.bytes, options.greet);
      return new LightClient(socket, tls, options, secret);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** The key that this client decrypts with, which a proxy may have the data centre use. */
  get downlink(): CtrKey {
    return this.ends.downKey;
  }

  async write(payload: Uint8Array): Promise<void> {
    await this.writeWire(concat(this.takeHeader(), this.ends.up.update(payload)));
  }

  /** What the stream begins with: the header, once. */
  takeHeader(): Uint8Array {
    if (this.#headerSent) return new Uint8Array();
    this.#headerSent = true;
    return this.ends.header;
  }

  /** Sends bytes that are encrypted already, in records where there is FakeTLS. */
  async writeWire(bytes: Uint8Array): Promise<void> {
    if (this.tls) await this.tls.write(bytes, this.options.recordSize, this.options.changeCipherSpec);
    else await this.socket.write(bytes);
  }

  /** The next payload bytes; null at the end. */
  async read(): Promise<Uint8Array | null> {
    const bytes = await (this.tls ?? this.socket).read();
    return bytes && this.ends.down.update(bytes);
  }

  /** Payload of exactly that length. Throws when the stream ends before. */
  async readExactly(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      const bytes = await this.read();
      if (bytes === null) throw new Error(`cannot read ${length} bytes: the stream ended ${missing} early`);
      if (bytes.length > missing) {
        throw new Error(`cannot read ${length} bytes: ${bytes.length - missing} more came`);
      }
      parts.push(bytes);
      missing -= bytes.length;
    }
    return concat(...parts);
  }

  async closeWrite(): Promise<void> {
    await this.socket.closeWrite();
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
