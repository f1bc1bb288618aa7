import { bytesOfIp } from "./ip.ts";
import { complain } from "../settings/words.ts";

type NameMatcher = (name: string) => boolean;

/**
 * Makes one function of the items of a rule's `domain`: plain text and `keyword:` (anywhere in the name), `domain:`
 * (the name or one below it), `full:` (the name alone), `regexp:`.
 *
 * @returns whether a host matches one of them, in any case; an IP address never does
 * @throws {MtrayError} `config`, with a message that goes on from a path: "must be …"
 */
export function matchDomain(items: readonly string[]): (host: string) => boolean {
  const matchers = items.map(parseDomainItem);
  return (host) => {
    if (bytesOfIp(host) !== null) return false;
    const name = host.toLowerCase().replace(/\.$/, "");
    return matchers.some((matches) => matches(name));
  };
}

/** What an item stands for, for names in lower case. Throws as `matchDomain` does. */
export function parseDomainItem(item: string): NameMatcher {
  const [, kind = "keyword", rest] = /^(?:([^:]*):)?(.*)$/s.exec(item)!;
  const text = rest.toLowerCase();
  if (text === "") complain("must not be empty");
  switch (kind.toLowerCase()) {
    case "keyword":
      return (name) => name.includes(text);
    case "full":
      return (name) => name === text;
    case "domain":
      return (name) => name === text || name.endsWith(`.${text}`);
    case "regexp":
      return matchPattern(rest);
    case "geosite":
    case "ext":
    case "ext-domain":
      return complain("must name domains: this version reads no list files");
    default:
      return complain(
        "must begin with domain:, full:, keyword: or regexp:, or be plain text without a colon",
      );
  }
}

/** V2Ray's expressions are Go's, which say at the start that case does not count; here it never does. */
function matchPattern(text: string): NameMatcher {
  try {
    const pattern = new RegExp(text.replace(/^\(\?i\)/, ""), "i");
    return (name) => pattern.test(name);
  } catch {
    return complain("must be a regular expression after regexp:");
  }
}
