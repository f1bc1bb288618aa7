import { describe } from "../errors.ts";
import { IdleWatch } from "./idle.ts";
import type { RelayCounts } from "./relay.ts";
import type { PacketStream } from "./types.ts";

/**
 * Carries datagrams both ways until one side ends or nothing came for `idle` milliseconds; both sides are then closed.
 * Never rejects.
 *
 * @param client on which `from` and `to` are whoever the client talks to
 * @param counts grown as datagrams pass
 * @returns "finished", or why it ended early; and how many datagrams were dropped on the way, if any
 */
export async function relayPackets(
  client: PacketStream,
  far: PacketStream,
  idle: number,
  counts: RelayCounts,
): Promise<string> {
  let reason: string | undefined;
  const end = (why: string) => {
    reason ??= why;
    client.close();
    far.close();
  };
  const watch = new IdleWatch(idle, () => end("idle"));
  const pump = async (from: PacketStream, to: PacketStream, count: (length: number) => void) => {
    try {
      for (let packet; (packet = await from.receive()) !== null;) {
        watch.touch();
        count(packet.data.length);
        to.send(packet.data, packet.from);
      }
      end("finished");
    } catch (error) {
      end(describe(error));
    }
  };
  await Promise.all([
    pump(client, far, (length) => counts.bytesUp += length),
    pump(far, client, (length) => counts.bytesDown += length),
  ]);
  watch.stop();
  const dropped = client.dropped + far.dropped;
  return (reason ?? "finished") + (dropped === 0 ? "" : `, ${dropped} datagrams dropped`);
}
