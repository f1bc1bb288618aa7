import { MtrayError } from "../errors.ts";
import type { Random } from "../proxy/types.ts";
import { late } from "../runtime/late.ts";
import { hostName } from "../settings/address.ts";

const url = late<typeof import("node:url")>("node:url");

/**
 * Large sites of many trades and countries that speak TLS 1.3. One of them stands in a fresh `ee` secret, drawn at
 * random: the same name in front of every mtray would be a signature.
 *
 * Left out on purpose: what other Telegram proxies put in front by default (search engines, the big clouds and
 * their storage hosts), social networks, news, encyclopedias and whatever else is blocked in some country, and
 * Telegram itself.
 */
export const DOMAINS: readonly string[] = [
  // Things to buy
  "www.ikea.com",
  "www.lego.com",
  "www.decathlon.com",
  "www.adidas.com",
  "www.uniqlo.com",
  "www.zara.com",
  "www.philips.com",
  "www.bosch.com",
  "www.siemens.com",
  "www.samsung.com",
  "www.lg.com",
  "www.sony.com",
  "www.logitech.com",
  "www.lenovo.com",
  "www.hp.com",
  "www.dell.com",
  "www.asus.com",
  "www.bmw.com",
  // Travel and weather
  "www.tripadvisor.com",
  "www.skyscanner.net",
  "www.emirates.com",
  "www.qatarairways.com",
  "www.lufthansa.com",
  "www.accuweather.com",
  // Learning
  "www.coursera.org",
  "www.khanacademy.org",
  "www.duolingo.com",
  "www.ted.com",
  // Software
  "www.python.org",
  "pypi.org",
  "nodejs.org",
  "crates.io",
  "www.php.net",
  "archlinux.org",
  "ubuntu.com",
  "stackoverflow.com",
  "www.w3.org",
  "www.mozilla.org",
  "www.intel.com",
  "www.cisco.com",
  "www.sap.com",
  // Public bodies
  "www.who.int",
  "www.nasa.gov",
];

/** One of them. */
export function drawDomain(random: Random): string {
  const [high, low] = random(2);
  // 65,536 is no multiple of the list's length; a bias of a thousandth does not matter here.
  return DOMAINS[(high * 256 + low) % DOMAINS.length];
}

/**
 * A domain as a secret holds it: ASCII, lower case.
 *
 * @throws MtrayError `usage` where it is no name that a web site could have
 */
export function checkedDomain(text: string): string {
  const name = hostName(url().domainToASCII(text.trim()));
  // A name without a dot is a machine of the local network, which no stranger would ask for.
  if (name !== null && name.includes(".")) return name;
  throw new MtrayError(
    "usage",
    `cannot use ${JSON.stringify(text)} as a domain: it must be the name of a web site, like www.example.com`,
  );
}
