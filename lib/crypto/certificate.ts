import { nodeCrypto } from "./node_crypto.ts";

/** The certificates of a PEM text, each by itself. */
export function splitPem(text: string): string[] {
  return text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ??
    [];
}

/** Whether every certificate of a PEM text can be read; there must be one. */
export function areCertificates(text: string): boolean {
  const all = splitPem(text);
  try {
    for (const each of all) new (nodeCrypto().X509Certificate)(each);
  } catch {
    return false;
  }
  return all.length > 0;
}

/** Whether a PEM text holds a private key that is not encrypted. */
export function isPrivateKey(text: string): boolean {
  try {
    nodeCrypto().createPrivateKey(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a private key belongs to the first certificate of a text. Both must be readable. */
export function keyFits(certificate: string, key: string): boolean {
  return new (nodeCrypto().X509Certificate)(splitPem(certificate)[0]).checkPrivateKey(
    nodeCrypto().createPrivateKey(key),
  );
}

/** The DNS names that the first certificate of a text is for, in lower case, "*.example.com" among them. */
export function namesOf(certificate: string): string[] {
  const { subjectAltName, subject } = new (nodeCrypto().X509Certificate)(splitPem(certificate)[0]);
  const names = (subjectAltName ?? "").split(", ").filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice(4));
  // Without such names the common name still counts, as for V2Ray's server.
  const common = /(?:^|\n|, )CN ?= ?([^\n,]+)/.exec(subject ?? "")?.[1];
  return (names.length > 0 ? names : common === undefined ? [] : [common]).map((name) => name.toLowerCase());
}
