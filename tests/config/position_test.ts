// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Report } from "../../lib/config/complaint.ts";
import { formatPath, type Path, type Source } from "../../lib/config/position.ts";
import { parseText } from "../../lib/config/text.ts";

function sourceOf(text: string): Source {
  return parseText("f", text, new Report())!.source;
}

/** Line and column of a value, or of its key. */
function at(source: Source, path: Path, key = false): string {
  const { line, column } = source.locate(source.offsetOf(path, { key }));
  return `${line}:${column}`;
}

Deno.test("values and keys have places", () => {
  const source = sourceOf('{\n  "a": {"b": [10, {"c": null}]},\n\t"d": "x"\r\n, "漢": 1}');
  assertEquals(at(source, []), "1:1");
  assertEquals(at(source, ["a"]), "2:8");
  assertEquals(at(source, ["a"], true), "2:3");
  assertEquals(at(source, ["a", "b", 0]), "2:15");
  assertEquals(at(source, ["a", "b", 0], true), "2:15");
  assertEquals(at(source, ["a", "b", 1, "c"]), "2:25");
  assertEquals(at(source, ["d"]), "3:7");
  assertEquals(at(source, ["漢"]), "4:8");
});

Deno.test("what is missing is sought around", () => {
  const source = sourceOf('{\n "a": {"b": [1]},\n "c": 2}');
  assertEquals(at(source, ["a", "x"]), "2:7");
  assertEquals(at(source, ["a", "x"], true), "2:7");
  assertEquals(at(source, ["a", "b", 7, "y"]), "2:13");
  assertEquals(at(source, ["c", "z"]), "3:7");
  assertEquals(at(source, ["x", "y"]), "1:1");
});

Deno.test("keys are found in any case, as written first", () => {
  const source = sourceOf('{"Abc": 1, "abc": 2, "DEF": {"Ghi": 3}}');
  assertEquals(at(source, ["abc"]), "1:19");
  assertEquals(at(source, ["ABC"]), "1:9");
  assertEquals(at(source, ["def", "ghi"]), "1:37");
});

Deno.test("lines end as on any system, and astral characters count as one", () => {
  const source = sourceOf('{"a":\r1,\r\n"😀😀": 2,\n\n"b": 3}');
  assertEquals(at(source, ["a"]), "2:1");
  assertEquals(at(source, ["😀😀"]), "3:7");
  assertEquals(at(source, ["b"]), "5:6");
});

Deno.test("every path of any JSON leads to its value", () => {
  const document = fc.jsonValue({ maxDepth: 4 }).filter((value) =>
    !JSON.stringify(value).includes("__proto__")
  );
  fc.assert(fc.property(document, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
    const text = JSON.stringify(value, null, indent);
    const source = sourceOf(text);
    visit(value, []);
    function visit(inner: unknown, path: Path): void {
      const offset = source.offsetOf(path);
      const written = JSON.stringify(inner, null, indent);
      // Inner lines of the text have more indent than those of the part alone.
      assertEquals(text.slice(offset, offset + 1), written[0]);
      const node = source.nodeAt(path);
      assert(node !== undefined);
      assertEquals(JSON.parse(text.slice(node.offset, node.offset + node.length)), JSON.parse(written));
      if (typeof inner !== "object" || inner === null) return;
      const entries = Array.isArray(inner) ? inner.entries() : Object.entries(inner);
      for (const [step, child] of entries) visit(child, [...path, step]);
    }
  }));
});

Deno.test("formatPath() writes paths as JavaScript does", () => {
  assertEquals(formatPath([]), "");
  assertEquals(
    formatPath(["inbounds", 0, "settings", "users", 12, "secret"]),
    "inbounds[0].settings.users[12].secret",
  );
  assertEquals(formatPath(["settings", "dataCenters", "-2", 0]), 'settings.dataCenters["-2"][0]');
  assertEquals(formatPath(["$schema", 'a"b']), '$schema["a\\"b"]');
});
