import { BlackholeOutbound } from "./blackhole/outbound.ts";
import * as blackhole from "./blackhole/settings.ts";
import { DokodemoInbound } from "./dokodemo_door/inbound.ts";
import * as dokodemo from "./dokodemo_door/settings.ts";
import { FreedomOutbound } from "./freedom/outbound.ts";
import * as freedom from "./freedom/settings.ts";
import { HttpInbound } from "./http/inbound.ts";
import { HttpOutbound } from "./http/outbound.ts";
import * as http from "./http/settings.ts";
import { MtprotoInbound } from "./mtproto/inbound.ts";
import { MtprotoOutbound } from "./mtproto/outbound.ts";
import * as mtproto from "./mtproto/settings.ts";
import { SocksInbound } from "./socks/inbound.ts";
import { SocksOutbound } from "./socks/outbound.ts";
import * as socks from "./socks/settings.ts";
import { VmessInbound } from "./vmess/inbound.ts";
import { VmessOutbound } from "./vmess/outbound.ts";
import * as vmess from "./vmess/settings.ts";
import type { InboundKind, OutboundKind } from "./types.ts";

const dokodemoDoor = inbound({
  settings: dokodemo.settings,
  transports: "all",
  create: (context, settings) => new DokodemoInbound(context, settings),
});

/** Protocol name in `inbounds[].protocol` -> its settings and its constructor. */
export const inboundKinds: Record<string, InboundKind<never>> = {
  mtproto: inbound({
    settings: mtproto.inboundSettings,
    transports: "tcp",
    create: (context, settings) => new MtprotoInbound(context, settings),
  }),
  vmess: inbound({
    settings: vmess.inboundSettings,
    transports: "all",
    create: (context, settings) => new VmessInbound(context, settings),
  }),
  "dokodemo-door": dokodemoDoor,
  // Xray's new name for it.
  tunnel: dokodemoDoor,
  socks: inbound({
    settings: socks.inboundSettings,
    transports: "all",
    create: (context, settings) => new SocksInbound(context, settings),
  }),
  http: inbound({
    settings: http.inboundSettings,
    transports: "all",
    create: (context, settings) => new HttpInbound(context, settings),
  }),
};

/** Protocol name in `outbounds[].protocol` -> its settings and its constructor. */
export const outboundKinds: Record<string, OutboundKind<never>> = {
  mtproto: outbound({
    settings: mtproto.outboundSettings,
    transports: "tcp",
    create: (context, settings) => new MtprotoOutbound(context, settings),
  }),
  vmess: outbound({
    settings: vmess.outboundSettings,
    transports: "all",
    muxes: true,
    create: (context, settings) => new VmessOutbound(context, settings),
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
  socks: outbound({
    settings: socks.outboundSettings,
    transports: "all",
    create: (context, settings) => new SocksOutbound(context, settings),
  }),
  http: outbound({
    settings: http.outboundSettings,
    transports: "all",
    create: (context, settings) => new HttpOutbound(context, settings),
  }),
};

/** A row forgets what its settings are: only its own schema makes them, and only its own constructor takes them. */
function inbound<Settings>(kind: InboundKind<Settings>): InboundKind<never> {
  return kind as unknown as InboundKind<never>;
}

function outbound<Settings>(kind: OutboundKind<Settings>): OutboundKind<never> {
  return kind as unknown as OutboundKind<never>;
}
