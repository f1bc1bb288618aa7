import type { CryptoProvider } from "../../crypto/types.ts";
import type { FrontingReason } from "../../observe/events.ts";
import { type ClientHello, gatherHello, parseHello, type Proof, verifyHello } from "./client_hello.ts";
import { HEADER_LENGTH, headerDigest, type OpenedHeader, openHeader } from "./header.ts";
import { chooseSuite } from "./server_hello.ts";
import { type KnownUser, type Users, withFirst } from "./users.ts";

/** Who a connection is, by what it sent so far. */
export type Verdict =
  /** It can still become a client. */
  | { kind: "more"; serverName: string }
  /** A client of a classic or dd secret. */
  | { kind: "header"; user: KnownUser; header: OpenedHeader; used: number }
  /** A client of an ee secret; it waits for the answer. */
  | { kind: "hello"; user: KnownUser; hello: ClientHello; suite: number; used: number }
  /** No user can match any more, whatever comes. */
  | { kind: "stranger"; reason: FrontingReason; serverName: string; detail: string; clockDiffers?: number };

/** What a judgement depends on besides the bytes. */
export interface Circumstances {
  crypto: CryptoProvider;
  /** Our clock, in seconds since 1970; undefined while it is plainly wrong and nobody's time is judged. */
  time: number | undefined;
  /** How far a client's clock may be off either way, in seconds. */
  maxTimeDiff: number;
  /** The user who was seen last from this address. */
  lastSeen: string | undefined;
  /** Whether a digest was used before. */
  known(digest: Uint8Array): boolean;
  /** False for a digest that was used before. */
  remember(digest: Uint8Array): boolean;
}

/** First words of HTTP, which no client begins with. */
const HTTP = ["GET ", "POST", "HEAD", "OPTI"];

/**
 * Judges the first bytes of a connection. It is called again with more bytes after every `more`, and it remembers
 * a digest only when it answers `header` or `hello`.
 *
 * @param hasSite whether strangers are shown a site: then what looks like a hello is waited for to its end, since its
 * name says which site
 */
export function judge(bytes: Uint8Array, users: Users, hasSite: boolean, when: Circumstances): Verdict {
  let failed: Stranger = stranger("not-a-hello", "", "the first bytes are no TLS");
  if (hasSite) {
    const gathered = gatherHello(bytes);
    if (gathered.state === "more") return { kind: "more", serverName: "" };
    if (gathered.state === "hello") {
      const verdict = judgeHello(gathered.message, gathered.used, users, when);
      if (verdict.kind === "hello") return verdict;
      failed = verdict;
    } else {
      failed = stranger(gathered.reason, "", WORDS[gathered.reason]);
    }
  }
  if (users.plain.length === 0) return failed;
  if (hasSite && HTTP.includes(String.fromCharCode(...bytes.subarray(0, 4)))) {
    return stranger("http", "", "the first bytes are HTTP");
  }
  if (bytes.length < HEADER_LENGTH) return { kind: "more", serverName: failed.serverName };
  return judgeHeader(bytes, users.plain, when) ?? failed;
}

const WORDS = {
  "not-a-hello": "the first bytes are no TLS",
  "bad-record": "a TLS record of an impossible length",
  "bad-hello": "a TLS handshake that is no ClientHello",
};

type Stranger = Extract<Verdict, { kind: "stranger" }>;

function stranger(reason: FrontingReason, serverName: string, detail: string): Stranger {
  return { kind: "stranger", reason, serverName, detail };
}

function judgeHello(
  message: Uint8Array,
  used: number,
  users: Users,
  when: Circumstances,
): Verdict & { kind: "hello" } | Stranger {
  const hello = parseHello(message);
  const name = hello.serverName;
  if (!hello.wellFormed) return stranger("bad-hello", name, "a ClientHello that is not well-formed");
  const named = users.tls.filter((user) => user.secret.domain === name);
  if (named.length === 0) return stranger("wrong-name", name, "the hello names another site");
  const found = prove(message, withFirst(named, when.lastSeen));
  if (found === null) {
    return stranger("wrong-secret", name, "the hello was made without a secret of this port");
  }
  const { user, proof } = found;
  const suite = chooseSuite(hello.cipherSuites);
  if (suite === undefined || !hello.offersX25519 || hello.sessionId.length !== 32) {
    return stranger(
      "no-common-cipher",
      name,
      "the hello offers nothing that TLS 1.3 with x25519 could answer",
    );
  }
  // Before the time, which whoever recorded a hello can change: a replay says nothing about anybody's clock.
  if (when.known(proof.digest)) return stranger("replay", name, "the hello was used before");
  if (when.time !== undefined) {
    const seconds = proof.time - when.time;
    if (Math.abs(seconds) > when.maxTimeDiff) {
      return { ...stranger("stale", name, `clock differs by ${signed(seconds)} s`), clockDiffers: seconds };
    }
  }
  if (!when.remember(proof.digest)) return stranger("replay", name, "the hello was used before");
  return { kind: "hello", user, hello, suite, used };
}

function prove(message: Uint8Array, users: readonly KnownUser[]): { user: KnownUser; proof: Proof } | null {
  for (const user of users) {
    const proof = verifyHello(user.secret.key, message);
    if (proof !== null) return { user, proof };
  }
  return null;
}

/** Null when no user can have sent it. */
function judgeHeader(bytes: Uint8Array, users: readonly KnownUser[], when: Circumstances): Verdict | null {
  for (const user of withFirst(users, when.lastSeen)) {
    const header = openHeader(bytes, user.secret.key, when.crypto);
    if (header === null) continue;
    if (when.remember(headerDigest(bytes))) return { kind: "header", user, header, used: HEADER_LENGTH };
    header.reading.close();
    return stranger("replay", "", "the header was used before");
  }
  return null;
}

function signed(seconds: number): string {
  return seconds > 0 ? `+${seconds}` : String(seconds);
}
