import { findNodeAtLocation, type Node } from "jsonc-parser";

/** Keys and indices from the root of a file down to a value. */
export type Path = readonly (string | number)[];

/** A range of a text that must not be shown. */
export interface Hidden {
  offset: number;
  length: number;
  /** Whether what stands there is a secret wherever it stands. */
  everywhere: boolean;
}

/** A file of the config as text, and where things stand in it. */
export class Source {
  /** What no quoted line may show. */
  readonly hidden: Hidden[] = [];
  readonly #lineStarts: number[];

  /**
   * @param name as messages call the file
   * @param text without a byte order mark
   * @param tree null while the text is not known to parse
   */
  constructor(readonly name: string, readonly text: string, readonly tree: Node | null) {
    this.#lineStarts = [
      0,
      ...Array.from(text.matchAll(/\r\n|\r|\n/g), (found) => found.index + found[0].length),
    ];
  }

  /** Line and column, both from one; the column counts characters, and a tab is one. */
  locate(offset: number): { line: number; column: number } {
    const line = this.#lineOf(offset);
    const before = this.text.slice(this.#lineStarts[line], offset);
    return { line: line + 1, column: [...before].length + 1 };
  }

  /** The line around an offset, without its end, and where it begins. */
  lineAround(offset: number): { start: number; text: string } {
    const line = this.#lineOf(offset);
    const start = this.#lineStarts[line];
    const [text] = this.text.slice(start, this.#lineStarts[line + 1]).split(/[\r\n]/, 1);
    return { start, text };
  }

  /**
   * Where a value begins, or with `key` the key that it stands under. What is not there is sought at the innermost
   * object or list around it.
   */
  offsetOf(path: Path, options: { key?: boolean } = {}): number {
    for (let length = path.length; length > 0; length--) {
      const node = this.nodeAt(path.slice(0, length));
      if (node === undefined) continue;
      const keyNode = options.key && length === path.length ? node.parent?.children?.[0] : undefined;
      return node.parent?.type === "property" && keyNode !== undefined ? keyNode.offset : node.offset;
    }
    return this.tree?.offset ?? 0;
  }

  /** The value at a path. Keys are compared as written first, then in any case. */
  nodeAt(path: Path): Node | undefined {
    if (this.tree === null) return undefined;
    const exact = findNodeAtLocation(this.tree, [...path]);
    if (exact !== undefined) return exact;
    let node: Node | undefined = this.tree;
    for (const step of path) {
      if (node === undefined) return undefined;
      node = typeof step === "number" ? elementOf(node, step) : valueOf(node, step);
    }
    return node;
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** A value's path as messages write it: `inbounds[0].settings.dataCenters["-2"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z_$][A-Za-z0-9_$-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

function elementOf(node: Node, index: number): Node | undefined {
  return node.type === "array" ? node.children?.[index] : undefined;
}

function valueOf(node: Node, key: string): Node | undefined {
  if (node.type !== "object") return undefined;
  const properties = node.children ?? [];
  const named = (same: (name: string) => boolean) =>
    properties.find((each) => same(each.children?.[0].value));
  const property = named((name) => name === key) ?? named((name) => name.toLowerCase() === key.toLowerCase());
  return property?.children?.[1];
}
