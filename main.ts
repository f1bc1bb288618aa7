import { main } from "./lib/cli/mod.ts";

await main();
