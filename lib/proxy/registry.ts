import { BlackholeOutbound } from "./blackhole/outbound.ts";
import * as blackhole from "./blackhole/settings.ts";
import { FreedomOutbound } from "./freedom/outbound.ts";
import * as freedom from "./freedom/settings.ts";
import { MtprotoInbound } from "./mtproto/inbound.ts";
import { MtprotoOutbound } from "./mtproto/outbound.ts";
import * as mtproto from "./mtproto/settings.ts";
import type { InboundKind, OutboundKind } from "./types.ts";

/** Protocol name in `inbounds[].protocol` -> its settings and its constructor. */
export const inboundKinds: Record<string, InboundKind<never>> = {
  mtproto: inbound({
    settings: mtproto.inboundSettings,
    transports: "tcp",
    create: (context, settings) => new MtprotoInbound(context, settings),
  }),
};

/** Protocol name in `outbounds[].protocol` -> its settings and its constructor. */
export const outboundKinds: Record<string, OutboundKind<never>> = {
  mtproto: outbound({
    settings: mtproto.outboundSettings,
    transports: "tcp",
    create: (context, settings) => new MtprotoOutbound(context, settings),
  }),
  freedom: outbound({
    settings: freedom.settings,
    transports: "all",
    create: (context, settings) => new FreedomOutbound(context, settings),
  }),
  blackhole: outbound({
    settings: blackhole.settings,
    transports: "tcp",
    create: (context) => new BlackholeOutbound(context),
  }),
};

/** A row forgets what its settings are: only its own schema makes them, and only its own constructor takes them. */
function inbound<Settings>(kind: InboundKind<Settings>): InboundKind<never> {
  return kind as unknown as InboundKind<never>;
}

function outbound<Settings>(kind: OutboundKind<Settings>): OutboundKind<never> {
  return kind as unknown as OutboundKind<never>;
}
