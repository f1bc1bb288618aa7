// @ts-types="../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { report } from "../../lib/cli/exit.ts";
import { type ErrorCode, MtrayError } from "../../lib/errors.ts";
import { recordedScreen } from "./screen.ts";

const codes: [ErrorCode, number][] = [["config", 23], ["usage", 2], ["start", 1], ["unreachable", 1], [
  "closed",
  1,
]];

for (const [code, exit] of codes) {
  Deno.test(`an error with the code ${code} is said in its own words and exits ${exit}`, () => {
    const screen = recordedScreen();
    assertEquals(
      report(new MtrayError(code, "cannot do it: no reason", { cause: new Error("x") }), screen),
      exit,
    );
    assertEquals([screen.stdout, screen.stderr], ["", "cannot do it: no reason\n"]);
  });
}

Deno.test("a share link that a message quotes is not shown, on demand neither", () => {
  const link = "vmess://eyJhZGQiOiJhIn0=?a=b#name";
  Deno.env.set("MTRAY_DEBUG", "1");
  try {
    for (const error of [new MtrayError("usage", `cannot use ${link}: why`), new Error(link)]) {
      const screen = recordedScreen();
      report(error, screen);
      assertEquals(screen.stderr.includes("eyJ"), false, screen.stderr);
      assertMatch(screen.stderr, /vmess:\/\/…/);
    }
  } finally {
    Deno.env.delete("MTRAY_DEBUG");
  }
});

Deno.test("what nobody raised on purpose is one sentence, with a stack only on demand", () => {
  for (const thrown of [new TypeError("it broke"), "it broke"]) {
    const screen = recordedScreen();
    assertEquals(report(thrown, screen), 1);
    assertMatch(screen.stderr, /^mtray: an unexpected failure: it broke \(MTRAY_DEBUG=1 shows where\)\n$/);
  }
  Deno.env.set("MTRAY_DEBUG", "1");
  try {
    const screen = recordedScreen();
    report(new TypeError("it broke"), screen);
    assertMatch(screen.stderr, /^TypeError: it broke\n +at /);
  } finally {
    Deno.env.delete("MTRAY_DEBUG");
  }
});
