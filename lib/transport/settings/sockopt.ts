import * as v from "valibot";
import { whole } from "../../settings/words.ts";
import { networkList } from "./words.ts";

/** Linux takes no more, in seconds. */
const MOST_SECONDS = 32_767;

const common = {
  tcpKeepAliveIdle: v.optional(whole(0, MOST_SECONDS), 0),
  tcpKeepAliveInterval: v.optional(whole(0, MOST_SECONDS), 0),
  acceptProxyProtocol: v.optional(v.boolean(), false),
  trustedProxies: v.optional(networkList(), []),
};

/** `sockopt` of an inbound. Zero leaves the choice to the system. */
export const inboundSockopt = v.object(common);

/** The same for outbounds, with Xray's way to chain. */
export const outboundSockopt = v.object({ ...common, dialerProxy: v.optional(v.string()) });
