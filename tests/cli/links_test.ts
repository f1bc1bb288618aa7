// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkedHost, linksAsJson, printLinks, userLinks } from "../../lib/cli/links.ts";
import type { Config } from "../../lib/config/types.ts";
import { formatSecret, parseSecret } from "../../lib/proxy/mtproto/secret.ts";
import { plainInbound } from "../config/plain.ts";
import { parseProxyLink } from "../telegram/proxy_link.ts";
import { recordedScreen } from "./screen.ts";
import { assertHolds, thrown } from "./thrown.ts";

const CLASSIC = "000102030405060708090a0b0c0d0e0f";
const DD = `dd${CLASSIC}`;
const EE = `ee${CLASSIC}${"7777772e6578616d706c652e636f6d"}`;

function configOf(users: [email: string, secret: string][], listen = "0.0.0.0", ports = [8443]): Config {
  return {
    log: { access: "", error: "", level: "info" },
    policies: new Map(),
    workers: 1,
    inbounds: [
      {
        tag: "door",
        protocol: "dokodemo-door",
        listen,
        ports: [1],
        settings: {},
        ...plainInbound,
        path: "inbounds[0]",
      },
      {
        tag: "tg-in",
        protocol: "mtproto",
        listen,
        ports,
        settings: {
          users: users.map(([email, secret]) => ({ email, secret: parseSecret(secret), level: 0 })),
        },
        ...plainInbound,
        path: "inbounds[1]",
      },
    ],
    outbounds: [],
    routing: { rules: [], balancers: [] },
  };
}

Deno.test("links hold the server, the port and the secret in lower-case hex", () => {
  const [{ links: [link] }] = userLinks(configOf([["", EE.toUpperCase()]]), ["192.168.1.1"]);
  assertEquals(link.tg, `tg://proxy?server=192.168.1.1&port=8443&secret=${EE}`);
  assertEquals(link.https, `https://t.me/proxy?server=192.168.1.1&port=8443&secret=${EE}`);
});

for (const [kind, secret] of [["classic", CLASSIC], ["dd", DD], ["ee", EE]]) {
  Deno.test(`both links of a ${kind} secret are read back by a client and by mtray`, () => {
    const [{ links: [link] }] = userLinks(configOf([["me", secret]]), ["10.1.2.3"]);
    for (const text of [link.tg, link.https]) {
      const read = parseProxyLink(text);
      assertEquals([read.server, read.port, read.secret.kind], ["10.1.2.3", 8443, kind]);
      assertEquals(formatSecret(parseSecret(read.secretText)), secret);
    }
  });
}

Deno.test("a base64 secret of the config becomes hex in the link", () => {
  const base64 = btoa(String.fromCharCode(...Uint8Array.fromHex(EE))).replaceAll("+", "-").replaceAll(
    "/",
    "_",
  );
  const [{ links: [link] }] = userLinks(configOf([["me", base64]]), ["10.1.2.3"]);
  assertEquals(parseProxyLink(link.tg).secretText, EE);
});

Deno.test("every address gets links; --host replaces them; a listen address is used alone", () => {
  const box = ["192.168.1.1", "10.0.0.1", "127.0.0.1"];
  const servers = (config: Config, host?: string) =>
    userLinks(config, box, host)[0].links.map(({ server }) => server);
  assertEquals(servers(configOf([["", EE]])), box);
  assertEquals(servers(configOf([["", EE]], "::")), box);
  assertEquals(servers(configOf([["", EE]]), "proxy.example.org"), ["proxy.example.org"]);
  assertEquals(servers(configOf([["", EE]], "10.0.0.1")), ["10.0.0.1"]);
  assertEquals(servers(configOf([["", EE]], "10.0.0.1"), "proxy.example.org"), ["proxy.example.org"]);
  assertEquals(userLinks(configOf([["", EE]]), [])[0].links[0].server, "127.0.0.1");
});

Deno.test("an IPv6 host survives the way through a link", () => {
  const [{ links: [link] }] = userLinks(configOf([["", EE]]), [], checkedHost("[2001:db8::1]"));
  assertEquals(new URL(link.tg.replace("tg://", "https://")).searchParams.get("server"), "2001:db8::1");
});

Deno.test("hosts that no client could use are refused", () => {
  assertEquals(checkedHost(" Proxy.Example.org "), "proxy.example.org");
  assertEquals(checkedHost("192.0.2.7"), "192.0.2.7");
  for (const host of ["", "a b", "https://a.org", "a.org/x", "a.org:443", "1.2.3", "[::1", "a&secret=x"]) {
    const error = thrown(() => checkedHost(host));
    assertEquals(error.code, "usage");
  }
  assertMatch(thrown(() => checkedHost("a.org:443")).message, /port comes from the config/);
});

Deno.test("people get one code for each user, and the other addresses in short", () => {
  const users = userLinks(configOf([["anna", EE], ["", DD]]), ["192.168.1.1", "127.0.0.1"]);
  const screen = recordedScreen();
  printLinks(users, screen);
  for (const { links } of users) {
    for (const { tg, https } of links) {
      assertHolds(screen.stdout, `  ${tg}\n`);
      assertHolds(screen.stdout, `  ${https}\n`);
    }
  }
  const anna = screen.stdout.indexOf("anna, through tg-in, at 192.168.1.1 port 8443:");
  const nameless = screen.stdout.indexOf("A user without a name, through tg-in");
  assert(anna >= 0 && anna < nameless);
  const codes = screen.stdout.split("\n").filter((line) => /^█▀*█$|^█{30,}$/.test(line));
  assert(codes.length >= 2 && codes.length <= 4, `${codes.length} edges of codes`);
  assertEquals(screen.stderr, "");
});

Deno.test("more ports of an inbound are mentioned, not multiplied", () => {
  const users = userLinks(configOf([["anna", EE]], "0.0.0.0", [8443, 8444, 8445]), ["192.168.1.1"]);
  assertEquals(users[0].links.length, 1);
  const screen = recordedScreen();
  printLinks(users, screen);
  assertHolds(screen.stdout, "2 more ports");
});

Deno.test("programs get JSON with the first address above and all of them below", () => {
  const users = userLinks(configOf([["anna", EE], ["", CLASSIC]]), ["192.168.1.1", "127.0.0.1"]);
  const json = JSON.parse(linksAsJson(users));
  assertEquals(json.users.length, 2);
  const [anna] = json.users;
  assertEquals(Object.keys(anna), ["inbound", "email", "server", "port", "tg", "https", "all"]);
  assertEquals([anna.inbound, anna.email, anna.server, anna.port], ["tg-in", "anna", "192.168.1.1", 8443]);
  assertEquals(anna.all, users[0].links);
  assertEquals([anna.tg, anna.https], [users[0].links[0].tg, users[0].links[0].https]);
});
