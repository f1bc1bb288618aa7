import { PacketQueue } from "../runtime/packet_queue.ts";
import type { Packet, PacketStream, Target } from "./types.ts";

/**
 * Two ends of a way for datagrams in memory: what one sends the other receives, and `to` arrives as `from`, as on a
 * stream that leads to a client. An end on one side is an end on the other.
 */
export function packetPair(): [PacketStream, PacketStream] {
  const there = new PacketQueue();
  const back = new PacketQueue();
  return [new MemoryPackets(back, there), new MemoryPackets(there, back)];
}

class MemoryPackets implements PacketStream {
  constructor(private readonly incoming: PacketQueue, private readonly outgoing: PacketQueue) {}

  get dropped(): number {
    return this.incoming.dropped;
  }

  receive(): Promise<Packet | null> {
    return this.incoming.receive();
  }

  send(data: Uint8Array, to: Target): void {
    this.outgoing.push({ data, from: to });
  }

  close(): void {
    this.incoming.close();
    this.outgoing.end();
  }
}
