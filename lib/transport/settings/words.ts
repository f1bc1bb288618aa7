/** Words that the parts of streamSettings are described with. */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { complain, read } from "../../settings/words.ts";

/** V2Ray's StringList: ["a", "b"] or "a,b". The result is a list; empty items are dropped. */
export function textList() {
  return v.pipe(
    v.union([v.string(), v.array(v.unknown())], "must be text or a list of texts"),
    v.transform((value): unknown[] => typeof value === "string" ? value.split(",") : value),
    v.array(v.string()),
    v.transform((items) => items.map((item) => item.trim()).filter((item) => item !== "")),
  );
}

/** Networks and addresses of relays. */
export function networkList() {
  return v.pipe(
    textList(),
    v.array(read(v.string(), (text) => {
      const valid = text.includes("/") ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text);
      return valid && !text.includes("%")
        ? text
        : complain("must be a network such as 192.0.2.0/24, or an address");
    })),
  );
}

/** Text that may stand in a line of HTTP. */
export function lineText() {
  return read(
    v.string(),
    (text) => /^[\t\x20-\x7e\x80-\uffff]*$/.test(text) ? text : complain("must be one line"),
  );
}

/** Names of HTTP headers to values; the names stay as written. */
export function headerMap<const S extends v.GenericSchema>(value: S) {
  return v.pipe(
    v.record(v.string(), value),
    v.rawTransform(({ dataset, addIssue }): Record<string, v.InferOutput<S>> => {
      for (const [key, inner] of Object.entries(dataset.value)) {
        if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key)) continue;
        addIssue({
          message: "must be the name of a header",
          path: [{ type: "object", origin: "key", input: {}, key, value: inner }],
        });
      }
      return dataset.value as Record<string, v.InferOutput<S>>;
    }),
  );
}

/** The path of an issue that stands below the value under check. */
export function pathTo(...keys: (string | number)[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const items = keys.map((key): v.IssuePathItem =>
    typeof key === "number"
      ? { type: "array", origin: "value", input: [], key, value: undefined }
      : { type: "object", origin: "value", input: {}, key, value: undefined }
  );
  return items as [v.IssuePathItem, ...v.IssuePathItem[]];
}
