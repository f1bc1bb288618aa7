/** What a handler's config holds where the text says nothing about it. */
import { noMux } from "../../lib/proxy/types.ts";
import { plainTcp } from "../../lib/transport/types.ts";

export const plainInbound = { transport: plainTcp };
export const plainOutbound = { transport: plainTcp, transportLayer: false, mux: noMux };
