import { MtrayError } from "../errors.ts";

/** What node:tls and the engines below it call things, in words of ours. */
const known: [RegExp, string][] = [
  [
    /CERT_HAS_EXPIRED|certificate has expired/i,
    "its certificate has expired, or this machine's clock is wrong",
  ],
  [
    /CERT_NOT_YET_VALID|certificate is not yet valid/i,
    "its certificate is not valid yet, or this machine's clock is wrong",
  ],
  [
    /UNABLE_TO_GET_ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY_LEAF|UNKNOWN_?ISSUER|unable to get (local )?issuer/i,
    "its certificate is signed by nobody that is trusted here",
  ],
  [/CERT_REVOKED|revoked/i, "its certificate was withdrawn"],
  [
    /WRONG_VERSION_NUMBER|wrong version number|InvalidContentType|HTTP_REQUEST/i,
    "it does not speak TLS there",
  ],
  [
    /NO_APPLICATION_PROTOCOL|no application protocol/i,
    "the two sides have no protocol of their alpn in common",
  ],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PeerIncompatible/i,
    "the two sides have no TLS version in common",
  ],
  [/HANDSHAKE_FAILURE|NO_SHARED_CIPHER|no shared cipher/i, "the two sides have no cipher in common"],
  [
    /UNRECOGNI[SZ]ED_NAME|unrecogni[sz]ed.?name/i,
    "the other side knows no such server name",
  ],
  [
    /ECONNRESET|socket disconnected|hang up|UnexpectedEof|unexpected eof|ERR_STREAM_PREMATURE_CLOSE/i,
    "the other side ended the connection during the handshake",
  ],
];

/** The reason for a handshake that failed, without a full stop. */
export function tlsReason(error: unknown): string {
  if (error instanceof MtrayError) return error.message;
  const code = (error as { code?: string })?.code ?? "";
  const message = error instanceof Error ? error.message : String(error);
  for (const [pattern, words] of known) if (pattern.test(`${code} ${message}`)) return words;
  return message;
}

/** A name or an address that a certificate is not for. */
export function wrongNames(subjectAltName: string | undefined): string {
  const names = (subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""))
    .filter((name) => name !== "");
  if (names.length === 0) return "its certificate is for no name at all";
  const shown = names.slice(0, 3).join(", ");
  return `its certificate is for other names (${shown}${names.length > 3 ? ", …" : ""})`;
}
