/** Which runtime this is, for whoever needs to know no more than that. */
export const runtimeName: "deno" | "bun" = "Bun" in globalThis ? "bun" : "deno";
