/** A connection of a VMess client, once its header is open. */
import type { CryptoProvider } from "../../crypto/types.ts";
import type { ByteStream, PacketStream } from "../../stream/types.ts";
import type { Random } from "../types.ts";
import { formatOf, paddingOf } from "./body.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import type { RequestHeader } from "./header.ts";
import { VmessPackets } from "./packets.ts";
import { responseKeys, sealResponse } from "./response.ts";
import { type Ends, VmessStream } from "./stream.ts";

interface Means {
  crypto: CryptoProvider;
  random: Random;
}

/**
 * The answer's header goes with the first bytes of the answer, or with its end. The stream owns `inner` from now on.
 *
 * @param rest what came behind the header
 */
export function serverStream(
  inner: ByteStream,
  header: RequestHeader,
  rest: Uint8Array,
  means: Means,
): ByteStream {
  return new VmessStream(inner, endsOf(header, rest, means));
}

/** The same for a header that names a destination for datagrams. */
export function serverPackets(
  inner: ByteStream,
  header: RequestHeader,
  rest: Uint8Array,
  means: Means,
): PacketStream {
  if (header.target === undefined) throw new RangeError("datagrams need a destination");
  return new VmessPackets(inner, endsOf(header, rest, means), header.target);
}

function endsOf(header: RequestHeader, rest: Uint8Array, { crypto, random }: Means): Ends {
  const request = { key: header.key, iv: header.iv };
  const answer = responseKeys(request);
  const format = formatOf(header);
  const padding = paddingOf(random), datagrams = header.command === "udp";
  return {
    header: sealResponse(answer, header.check, crypto),
    endsInner: true,
    writer: format.chunked
      ? new ChunkWriter(format, { ...answer, request }, { crypto, padding, datagrams })
      : null,
    reader: format.chunked ? new ChunkReader(format, { ...request, request }, crypto) : null,
    first: rest,
  };
}
