/** An import or a re-export, static or not. */
export interface Import {
  specifier: string;
  /** Gone when the types are. */
  typeOnly: boolean;
}

/** What the house rules ask of a file of TypeScript. */
export interface Source {
  imports: Import[];
  /** Names of the runtimes' globals that it mentions. */
  runtimes: string[];
  /** Calls that read a clock: "performance.now", "Date.now", "new Date". */
  clocks: string[];
}

/** Parses a file with Deno's own linter, which offers its syntax tree to `deno test` alone. */
export function readSource(name: string, text: string): Source {
  const source: Source = { imports: [], runtimes: [], clocks: [] };
  const rule: Deno.lint.Rule = {
    create: (context) => ({
      ImportDeclaration({ source: from, importKind, specifiers }) {
        const types = specifiers.filter((one) => one.type === "ImportSpecifier" && one.importKind === "type");
        const typeOnly = importKind === "type" || specifiers.length > 0 && types.length === specifiers.length;
        source.imports.push({ specifier: from.value, typeOnly });
      },
      ExportNamedDeclaration({ source: from, exportKind }) {
        if (from !== null) source.imports.push({ specifier: from.value, typeOnly: exportKind === "type" });
      },
      ExportAllDeclaration({ source: from, exportKind }) {
        source.imports.push({ specifier: from.value, typeOnly: exportKind === "type" });
      },
      ImportExpression({ source: from }) {
        const specifier = from.type === "Literal" ? String(from.value) : context.sourceCode.getText(from);
        source.imports.push({ specifier, typeOnly: false });
      },
      TSImportType(node) {
        const specifier = context.sourceCode.getText(node).match(/import\("([^"]*)"/)?.[1] ?? "?";
        source.imports.push({ specifier, typeOnly: true });
      },
      Identifier({ name }) {
        if (name === "Deno" || name === "Bun") source.runtimes.push(name);
      },
      MemberExpression({ object, property }) {
        const of = object.type === "Identifier" ? object.name : "";
        const read = `${of}.${property.type === "Identifier" ? property.name : ""}`;
        if (read === "performance.now" || read === "Date.now") source.clocks.push(read);
      },
      NewExpression({ callee, arguments: given }) {
        const date = callee.type === "Identifier" && callee.name === "Date" && given.length === 0;
        if (date) source.clocks.push("new Date");
      },
    }),
  };
  Deno.lint.runPlugin({ name: "house", rules: { read: rule } }, name, text);
  return source;
}
