import type { DokodemoSettings } from "../proxy/dokodemo_door/settings.ts";
import { type Place, type Report, within } from "./complaint.ts";
import { type Parts, seenFrom } from "./cross.ts";
import type { InboundConfig } from "./types.ts";

/** No two inbounds listen on the same port of the same address, one for TCP and one for UDP apart. */
export function checkPorts({ inbounds }: Parts, report: Report): void {
  const seen: { config: InboundConfig; place: Place; ports: Set<number> }[] = [];
  for (const { config, place } of inbounds) {
    if (config === null) continue;
    const { listen, ports } = config;
    const networks = networksOf(config);
    for (const earlier of seen) {
      const port = ports.find((each) => each !== 0 && earlier.ports.has(each));
      if (port === undefined || !overlap(earlier.config.listen, listen)) continue;
      if (!networksOf(earlier.config).some((network) => networks.includes(network))) continue;
      report.error(
        within(place, "port"),
        `must not be ${port}, where ${seenFrom(place, earlier.place)} listens`,
      );
    }
    seen.push({ config, place, ports: new Set(ports) });
  }
}

/** What an inbound binds its ports for. */
function networksOf({ protocol, settings }: InboundConfig): string[] {
  if (protocol !== "dokodemo-door") return ["tcp"];
  const { tcp, udp } = settings as DokodemoSettings;
  return [...(tcp ? ["tcp"] : []), ...(udp ? ["udp"] : [])];
}

/** Whether both addresses take the same connections. A socket on :: takes IPv4, too. */
function overlap(a: string, b: string): boolean {
  const takes = (wide: string, narrow: string) =>
    wide === "::" || (wide === "0.0.0.0" && (narrow === "::" || !narrow.includes(":")));
  return a === b || takes(a, b) || takes(b, a);
}
