/** A connection to a VMess server, once it is open. */
import type { CryptoProvider } from "../../crypto/types.ts";
import type { MtrayError } from "../../errors.ts";
import type { ByteStream, PacketStream, Target } from "../../stream/types.ts";
import type { Random } from "../types.ts";
import { formatOf, paddingOf } from "./body.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import type { RequestHeader } from "./header.ts";
import { VmessPackets } from "./packets.ts";
import { responseKeys, ResponseOpener } from "./response.ts";
import { type Ends, VmessStream } from "./stream.ts";

/** What a connection begins with. */
export interface ClientRequest {
  header: RequestHeader;
  /** The same, sealed. */
  wire: Uint8Array;
  crypto: CryptoProvider;
  random: Random;
  /** Whether the end of what we send is told. */
  terminates: boolean;
  /** The error for a server that ends the connection without any answer. */
  unanswered: () => MtrayError;
  /** Is told when the server has answered. */
  answered?: () => void;
}

/** How long the header waits for something to take along, in milliseconds. V2Ray's clients wait as long. */
const PATIENCE = 100;

/** The header goes with the first bytes. The stream owns `inner` from now on. */
export function clientStream(inner: ByteStream, request: ClientRequest): ByteStream {
  return new VmessStream(inner, endsOf(request));
}

/** @param target that of the request, which every datagram goes to */
export function clientPackets(inner: ByteStream, target: Target, request: ClientRequest): PacketStream {
  return new VmessPackets(inner, endsOf(request), target);
}

function endsOf({ header, wire, crypto, random, terminates, unanswered, answered }: ClientRequest): Ends {
  const request = { key: header.key, iv: header.iv };
  const answer = responseKeys(request);
  const format = formatOf(header);
  const padding = paddingOf(random), datagrams = header.command === "udp";
  return {
    header: wire,
    patience: PATIENCE,
    endless: !terminates,
    writer: format.chunked
      ? new ChunkWriter(format, { ...request, request }, { crypto, padding, datagrams })
      : null,
    reader: format.chunked ? new ChunkReader(format, { ...answer, request }, crypto) : null,
    response: new ResponseOpener(answer, header.check, crypto),
    unanswered,
    answered,
  };
}
