import type { Event, Note } from "./events.ts";

/** A line for the log of errors, or none. */
export interface LogLine {
  level: Note["level"];
  text: string;
}

/** What an event says to somebody who reads the log of errors. */
export function lineOf(event: Event): LogLine {
  switch (event.kind) {
    case "note":
      return { level: event.level, text: event.text };
    case "listening":
      return { level: "info", text: `${event.inboundTag}: ${event.protocol} listens on ${event.address}` };
    case "stopped-listening":
      return { level: "info", text: `${event.inboundTag}: no longer listens on ${event.address}` };
    case "session-opened":
      return {
        level: "debug",
        text: `#${event.id} ${event.source} opened by way of ${event.via.join(", ")}${
          event.adopted ? ", downlink key adopted" : ""
        }`,
      };
    case "session-closed":
      return {
        level: "info",
        text: `#${event.id} ${event.source} closed after ${(event.milliseconds / 1000).toFixed(1)} s, ` +
          `${event.up} bytes up, ${event.down} down: ${event.reason}`,
      };
    case "refused":
      return {
        level: LOUD.has(event.reason) ? "warning" : "info",
        text: `${event.inboundTag}: ${event.source} refused: ${event.detail}`,
      };
    case "fronted":
      return {
        level: "info",
        text: `${event.inboundTag}: ${event.source} is shown ${event.site}: ${event.detail}`,
      };
    case "fronting-ended":
      return {
        level: "debug",
        text:
          `${event.inboundTag}: ${event.source} has left ${event.site}, ${event.up} bytes up, ${event.down} down`,
      };
    case "clock-differs":
      return {
        level: "info",
        text: `${event.inboundTag}: ${event.source} has a valid secret, but its clock differs by ` +
          `${event.seconds > 0 ? "+" : ""}${event.seconds} s`,
      };
  }
}

/** Refusals that the owner of the gateway can do something about; anybody's port scan is not among them. */
const LOUD = new Set([
  "handshake-limit",
  "fronting-limit",
  "site-unreachable",
  "unknown-data-centre",
  "unreachable",
]);

/** A line of the access log in V2Ray's shape, for the events that belong there. */
export function accessLineOf(event: Event): string | undefined {
  if (event.kind === "session-opened") {
    const way = `[${event.inboundTag} -> ${event.via.at(-1)}]`;
    return `${event.source} accepted ${event.target} ${way}${email(event.email)}`;
  }
  if (event.kind === "refused") {
    return `${event.source} rejected ${event.target ?? ""} ${event.detail}${email(event.email ?? "")}`;
  }
}

function email(address: string): string {
  return address === "" ? "" : ` email: ${address}`;
}
