/**
 * The server name in a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), for a server with several
 * certificates.
 */

/** The longest hello that is waited for, in bytes. */
const MOST = 32 << 10;
const HANDSHAKE = 22, CLIENT_HELLO = 1, SERVER_NAME = 0, HOST_NAME = 0;

/** Undefined: more is needed. Null: there is none, or this is no hello. In lower case. */
export function serverNameOf(bytes: Uint8Array): string | null | undefined {
  const hello = helloOf(bytes);
  if (!(hello instanceof Uint8Array)) return hello;
  try {
    return find(new Reader(hello));
  } catch {
    return null;
  }
}

/** The hello's body, out of as many records as it takes. */
function helloOf(bytes: Uint8Array): Uint8Array | null | undefined {
  const body = new Uint8Array(MOST);
  let have = 0;
  for (let at = 0;;) {
    if (have >= 4) {
      if (body[0] !== CLIENT_HELLO) return null;
      const length = body[1] << 16 | body[2] << 8 | body[3];
      if (length > MOST - 4) return null;
      if (have >= 4 + length) return body.subarray(4, 4 + length);
    }
    if (at < bytes.length && bytes[at] !== HANDSHAKE) return null;
    if (at + 5 > bytes.length) return undefined;
    const length = bytes[at + 3] << 8 | bytes[at + 4];
    if (length === 0 || have + length > MOST) return null;
    const piece = bytes.subarray(at + 5, at + 5 + length);
    body.set(piece, have);
    have += piece.length;
    at += 5 + length;
    if (piece.length < length && (have < 4 || have < 4 + (body[1] << 16 | body[2] << 8 | body[3]))) {
      return have > 0 && body[0] !== CLIENT_HELLO ? null : undefined;
    }
  }
}

function find(hello: Reader): string | null {
  hello.skip(2 + 32);
  hello.skip(hello.number(1));
  hello.skip(hello.number(2));
  hello.skip(hello.number(1));
  if (hello.left === 0) return null;
  const extensions = hello.part(hello.number(2));
  while (extensions.left > 0) {
    const kind = extensions.number(2);
    const extension = extensions.part(extensions.number(2));
    if (kind !== SERVER_NAME) continue;
    const names = extension.part(extension.number(2));
    while (names.left > 0) {
      const isHost = names.number(1) === HOST_NAME;
      const name = names.part(names.number(2));
      if (isHost) return new TextDecoder("latin1").decode(name.rest).toLowerCase();
    }
  }
  return null;
}

/** Reads numbers and parts, and throws where there are none. */
class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  get rest(): Uint8Array {
    return this.bytes.subarray(this.#at);
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError("cannot read a hello: it is cut off");
    this.#at += length;
  }

  number(length: number): number {
    const from = this.#at;
    this.skip(length);
    return this.bytes.subarray(from, this.#at).reduce((value, byte) => value * 256 + byte, 0);
  }

  part(length: number): Reader {
    const from = this.#at;
    this.skip(length);
    return new Reader(this.bytes.subarray(from, this.#at));
  }
}

/** Whether one of a certificate's names, "*.example.com" among them, is for a host. */
export function coversName(names: readonly string[], host: string): boolean {
  const wild = `*${host.slice(host.indexOf("."))}`;
  return names.includes(host) || (host.includes(".") && names.includes(wild));
}
