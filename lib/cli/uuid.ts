import type { Command } from "./command.ts";

export const uuid: Command = {
  name: "uuid",
  usage: "",
  summary: "make a random UUID",
  help: "Prints one random UUID (version 4), as user ids in configs are written.",
  flags: [],
  run(_options, screen) {
    screen.out(crypto.randomUUID());
  },
};
