import * as v from "valibot";
import type { TlsVersion } from "../../runtime/types.ts";
import { complain, oneOf, read, withoutEffect } from "../../settings/words.ts";
import type { TlsSettings } from "../types.ts";
import { certificates } from "./certificates.ts";
import { lineText, pathTo, textList } from "./words.ts";

const version = oneOf(["", "1.0", "1.1", "1.2", "1.3"]);

/** SHA-256 in base64, as V2Ray writes it. */
const chainPins = v.pipe(
  textList(),
  v.array(read(v.string(), (text) => {
    const bytes = /^[A-Za-z0-9+/]{43}=?$/.test(text) ? atob(text) : "";
    return bytes.length === 32 ? btoa(bytes) : complain("must be a SHA-256 in base64");
  })),
);

/** SHA-256 in hex, with or without colons, several with commas (Xray; once it took "~") or as a list. */
const certificatePins = v.pipe(
  v.union([v.string(), v.array(v.string())], "must be text or a list of texts"),
  v.transform((value) => typeof value === "string" ? value.split(/[,~]/) : value),
  v.array(read(v.string(), (text) => {
    const hex = text.trim().replaceAll(":", "").toLowerCase();
    return hex === "" || /^[0-9a-f]{64}$/.test(hex) ? hex : complain("must be a SHA-256 in hex");
  })),
  v.transform((pins) => pins.filter((pin) => pin !== "")),
);

/** `tlsSettings`. */
export const tlsSettings = v.pipe(
  v.object({
    serverName: v.optional(lineText(), ""),
    alpn: v.optional(textList(), []),
    allowInsecure: v.optional(v.boolean(), false),
    certificates: v.optional(certificates, []),
    disableSystemRoot: v.optional(v.boolean(), false),
    minVersion: v.optional(version, ""),
    maxVersion: v.optional(version, ""),
    pinnedPeerCertificateChainSha256: v.optional(chainPins, []),
    pinnedPeerCertSha256: v.optional(certificatePins, []),
    fingerprint: withoutEffect("has no effect: mtray's hello is that of its runtime, not a browser's"),
    enableSessionResumption: withoutEffect("has no effect: every connection has a handshake of its own"),
    cipherSuites: withoutEffect("has no effect: mtray takes what its runtime holds safe"),
    curvePreferences: withoutEffect("has no effect: mtray takes what its runtime holds safe"),
    masterKeyLog: withoutEffect("has no effect: keys are not written down"),
  }),
  v.rawTransform(({ dataset, addIssue }) => {
    const found = dataset.value;
    const minVersion = floor(found.minVersion);
    if (found.maxVersion === "1.0" || found.maxVersion === "1.1") {
      addIssue({
        message: `must be "1.2" or "1.3": older ones can be broken into`,
        path: pathTo("maxVersion"),
      });
    }
    const maxVersion = found.maxVersion === "" ? undefined : floor(found.maxVersion);
    if (minVersion === "1.3" && maxVersion === "1.2") {
      addIssue({ message: "must not be below minVersion", path: pathTo("maxVersion") });
    }
    const settings: TlsSettings = {
      serverName: found.serverName,
      alpn: found.alpn,
      certificates: found.certificates.own,
      authorities: found.certificates.authorities,
      disableSystemRoot: found.disableSystemRoot,
      allowInsecure: found.allowInsecure,
      ...(minVersion !== undefined && { minVersion }),
      ...(maxVersion !== undefined && { maxVersion }),
      pinnedChains: found.pinnedPeerCertificateChainSha256,
      pinnedCertificates: found.pinnedPeerCertSha256,
    };
    // What is older than the oldest that is safe was asked for in vain.
    return { settings, raised: found.minVersion === "1.0" || found.minVersion === "1.1" };
  }),
);

function floor(asked: string): TlsVersion | undefined {
  if (asked === "") return undefined;
  return asked === "1.3" ? "1.3" : "1.2";
}
