// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FLAGS } from "../../lib/cli/flags.ts";
import { COMMANDS, runCommand } from "../../lib/cli/mod.ts";
import { recordedScreen } from "./screen.ts";
import { assertHolds } from "./thrown.ts";

Deno.test("help lists every command with its line, and fits 120 columns", async () => {
  const screen = recordedScreen();
  assertEquals(await runCommand(["help"], screen), 0);
  for (const { name, summary } of COMMANDS) {
    assertMatch(screen.stdout, new RegExp(`^  ${name} +${summary}$`, "m"));
  }
  for (const name of ["run", "init", "test", "link", "import", "secret", "uuid", "version", "help"]) {
    assert(COMMANDS.some((command) => command.name === name), `${name} is missing`);
  }
  assert(screen.stdout.split("\n").every((line) => line.length <= 120));
});

for (const command of COMMANDS) {
  Deno.test(`help ${command.name} explains it and each of its flags`, async () => {
    const screen = recordedScreen();
    assertEquals(await runCommand(["help", command.name], screen), 0);
    assert(screen.stdout.startsWith(`mtray ${command.name}`));
    assertHolds(screen.stdout, command.help.trim());
    for (const flag of command.flags) {
      assertMatch(
        screen.stdout,
        new RegExp(`^  (-\\w, )?--${flag}\\b.* ${firstWords(FLAGS[flag].help)}`, "m"),
      );
    }
    assert(screen.stdout.split("\n").every((line) => line.length <= 120), "a line is too long");

    const asked = recordedScreen();
    assertEquals(await runCommand([command.name, "--help"], asked), 0);
    if (command.name !== "help") assertEquals(asked.stdout, screen.stdout);
  });
}

Deno.test("help for a command that is not there is wrong usage", async () => {
  const screen = recordedScreen();
  assertEquals(await runCommand(["help", "lnik"], screen), 2);
  assertMatch(screen.stderr, /cannot explain lnik: there is no such command; did you mean link\?/);
});

function firstWords(text: string): string {
  return text.split(" ").slice(0, 3).join(" ").replace(/[^\w ].*/, "");
}
