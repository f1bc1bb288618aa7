import * as v from "valibot";
import { areCertificates, isPrivateKey, keyFits, splitPem } from "../../crypto/certificate.ts";
import { readTextFile } from "../../runtime/files.ts";
import { complain, read, secret, withoutEffect } from "../../settings/words.ts";
import { pathTo } from "./words.ts";

/** A PEM text as V2Ray writes one: a list of lines, or the whole. */
const lines = v.pipe(
  v.union([v.string(), v.array(v.string())], "must be text, or a list of its lines"),
  v.transform((text) => typeof text === "string" ? text : text.join("\n")),
);

const usage = read(v.string(), (text): "encipherment" | "verify" => {
  const word = text.toLowerCase();
  if (word === "" || word === "encipherment") return "encipherment";
  if (word === "verify") return "verify";
  if (word === "issue") {
    return complain(
      "is not in this version: mtray makes no certificates, write one for each name with its key",
    );
  }
  if (word === "verifyclient") return complain("is not in this version: clients show no certificates");
  return complain('must be one of "encipherment", "verify"');
});

const certificate = v.object({
  certificateFile: v.optional(v.string(), ""),
  certificate: v.optional(lines, ""),
  keyFile: v.optional(v.string(), ""),
  key: v.optional(secret(lines), ""),
  usage: v.optional(usage, "encipherment"),
  ocspStapling: withoutEffect("has no effect: no OCSP answers are fetched"),
  oneTimeLoading: withoutEffect("has no effect: files are read when mtray starts"),
  buildChain: withoutEffect("has no effect: the file must hold the whole chain"),
});

/** What `certificates` comes to. */
export interface Certificates {
  /** With their keys. */
  own: { certificate: string; key: string }[];
  /** One PEM text each. */
  authorities: string[];
}

/** `tlsSettings.certificates`. Files are read here: what cannot be read is a complaint like any other. */
export const certificates: v.GenericSchema<unknown, Certificates> = v.pipe(
  v.array(certificate),
  v.rawTransform(({ dataset, addIssue }): Certificates => {
    const result: Certificates = { own: [], authorities: [] };
    for (const [index, each] of dataset.value.entries()) {
      const refuse = (message: string, ...keys: string[]) => {
        addIssue({ message, path: pathTo(index, ...keys) });
        return null;
      };
      const textOf = (
        fileKey: "certificateFile" | "keyFile",
        textKey: "certificate" | "key",
        what: string,
      ) => {
        if (each[fileKey] === "" && each[textKey] === "") {
          return refuse(`must have ${fileKey} or ${textKey}${what}`);
        }
        if (each[fileKey] === "") return each[textKey];
        try {
          return readTextFile(each[fileKey]);
        } catch (error) {
          return refuse(`cannot be read: ${reasonOf(error)}`, fileKey);
        }
      };
      const shown = textOf("certificateFile", "certificate", "");
      if (shown === null) continue;
      const shownKey = each.certificateFile === "" ? "certificate" : "certificateFile";
      if (!areCertificates(shown)) {
        refuse("must hold certificates in PEM", shownKey);
        continue;
      }
      if (each.usage === "verify") {
        result.authorities.push(...splitPem(shown));
        continue;
      }
      const key = textOf("keyFile", "key", ": a certificate is shown with its key");
      if (key === null) continue;
      const keyKey = each.keyFile === "" ? "key" : "keyFile";
      if (!isPrivateKey(key)) refuse("must hold a private key in PEM, without a passphrase", keyKey);
      else if (!keyFits(shown, key)) refuse(`must be the key of the certificate in ${shownKey}`, keyKey);
      else result.own.push({ certificate: shown, key });
    }
    return result;
  }),
);

function reasonOf(error: unknown): string {
  const text = `${(error as { code?: string }).code ?? ""} ${error}`;
  if (/ENOENT|NotFound/.test(text)) return "there is no such file";
  if (/EACCES|EPERM|PermissionDenied|NotCapable/.test(text)) return "the system does not permit it";
  return /EISDIR/.test(text) ? "it is a folder" : (error as Error).message;
}
