/** Words that settings of every kind are described with. */
import * as v from "valibot";
import { MtrayError } from "../errors.ts";

/** Marks a value that no message and no quoted line may show. */
export function secret<const S extends v.GenericSchema>(schema: S) {
  return v.pipe(schema, v.metadata({ secret: true }));
}

/** Marks a key that is taken and changes nothing; `why` is the warning. */
export function withoutEffect(why: string) {
  return v.optional(v.pipe(v.unknown(), v.metadata({ withoutEffect: why })));
}

/** One of some words, in any case; the result is the word as listed. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  const listed = words.filter((word) => word !== "").map((word) => JSON.stringify(word)).join(", ");
  return read(v.string(), (text): Words[number] => {
    return words.find((word) => word === text.toLowerCase()) ?? complain(`must be one of ${listed}`);
  });
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  return v.pipe(
    v.unknown(),
    v.check(
      (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
      `must be a whole number from ${least} to ${most}`,
    ),
    v.transform((value) => value as number),
  );
}

/** A schema whose last step may refuse by throwing an MtrayError; its message becomes the complaint. */
export function read<const S extends v.GenericSchema, T>(schema: S, parse: (value: v.InferOutput<S>) => T) {
  return v.pipe(
    schema,
    v.rawTransform<v.InferOutput<S>, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof MtrayError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** Refuses a value inside `read`. `why` goes on from the value's path: "must be a port". */
export function complain(why: string): never {
  throw new MtrayError("config", why);
}

/** The path of an issue that stands below the value under check, for `addIssue`. */
export function pathTo(input: object, ...keys: (string | number)[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const items = keys.map((key): v.IssuePathItem =>
    typeof key === "number"
      ? { type: "array", origin: "value", input: [], key, value: undefined }
      : { type: "object", origin: "value", input: { ...input }, key, value: undefined }
  );
  return items as [v.IssuePathItem, ...v.IssuePathItem[]];
}
