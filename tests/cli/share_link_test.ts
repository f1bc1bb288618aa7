// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { parseShareLink } from "../../lib/cli/share_link.ts";
import { importLink, outboundOf } from "../../lib/cli/share_outbound.ts";
import {
  jsonLink,
  outboundFor,
  shadowrocketLink,
  type Shared,
  shared,
  spelling,
  uriLink,
} from "./share_links.ts";
import { thrown } from "./thrown.ts";

const ID = "27848739-7e62-4138-9fd3-098a63964b6b";

const read = (link: string) => outboundOf(parseShareLink(link));

/** A link in v2rayN's form with these fields. */
function jsonOf(fields: Record<string, unknown>): string {
  return `vmess://${btoa(JSON.stringify({ v: "2", add: "a.example", port: 443, id: ID, ...fields }))}`;
}

const refusal = (link: string) => {
  const error = thrown(() => importLink(link));
  assertEquals(error.code, "usage");
  assert(!error.message.includes("\n"));
  return error.message.replace(/^cannot import the link: /, "");
};

Deno.test("what a link was made of comes back, in every form and spelling", () => {
  fc.assert(
    fc.property(shared, spelling, (server, how) => {
      assertEquals(read(jsonLink(server, how)), outboundFor(server));
      assertEquals(read(uriLink(server)), outboundFor(server));
      const known: Shared = { ...server, network: server.network === "httpupgrade" ? "ws" : server.network };
      assertEquals(read(shadowrocketLink(known, how)), outboundFor(known));
    }),
    { numRuns: 500 },
  );
});

Deno.test("every outbound of a link is one that a config takes", () => {
  fc.assert(
    fc.property(shared, spelling, (server, how) => {
      const { outbound, notes } = importLink(jsonLink(server, how));
      assertEquals(outbound, outboundFor(server));
      const insecure = server.tls?.allowInsecure === true;
      const h2 = server.tls?.alpn.includes("h2") && server.network !== "tcp";
      assertEquals(
        notes.filter((note) => !note.includes("allowInsecure")),
        h2 ? [`alpn is left out: ${server.network} is HTTP/1.1`] : [],
      );
      assertEquals(notes.some((note) => note.includes("allowInsecure")), insecure);
    }),
    { numRuns: 200 },
  );
});

Deno.test("fields that a link may leave out, and old spellings", () => {
  const plain = {
    tag: "vmess-out",
    protocol: "vmess",
    settings: { vnext: [{ address: "a.example", port: 443, users: [{ id: ID, security: "auto" }] }] },
  };
  assertEquals(read(jsonOf({})), plain as ReturnType<typeof read>);
  assertEquals(read(`VMESS://${jsonOf({}).slice(8)}`), plain as ReturnType<typeof read>);
  assertEquals(read(` ${jsonOf({ net: "raw", type: "none", tls: "none", aid: "" })}\n`), read(jsonOf({})));
  assertEquals(read(`vmess://${ID}@a.example:443`), read(jsonOf({})));
  assertEquals(read(`vmess://${ID}@a.example:443/?type=tcp#a%20b`), read(jsonOf({})));
  assertEquals(read(jsonOf({ v: "1", net: "ws", host: "/chat;b.example" })).streamSettings, {
    network: "ws",
    wsSettings: { path: "/chat", headers: { Host: "b.example" } },
  });
  assertEquals(read(jsonOf({ net: "ws", path: "chat" })).streamSettings, {
    network: "ws",
    wsSettings: { path: "/chat" },
  });
  assertEquals(
    read(`vmess://${ID}@a.example:443?type=ws&path=%2F&ed=2048&eh=Sec-WebSocket-Protocol`).streamSettings,
    {
      network: "ws",
      wsSettings: { path: "/", maxEarlyData: 2048, earlyDataHeaderName: "Sec-WebSocket-Protocol" },
    },
  );
});

Deno.test("what is left out of a link is said", () => {
  const { notes } = importLink(jsonOf({ fp: "chrome", mux: "1", flow: "", udp: true, "a b": "x" }));
  assertEquals(notes, [
    "fp is left out: the TLS greeting is that of the system",
    "mux of the link is left out: mtray does not know it",
    "udp of the link is left out: mtray does not know it",
    "something of the link is left out: mtray does not know it",
  ]);
});

Deno.test("what mtray cannot do is refused in one sentence", () => {
  const transports = "and mtray has tcp, ws and httpupgrade";
  const cases: [link: string, why: string][] = [
    ["", "it does not begin with vmess://"],
    ["https://a.example", OTHER],
    [`vless://${ID}@a.example:443?security=tls`, OTHER],
    ["vmess://", "what follows vmess:// is in no form that mtray knows"],
    ["vmess://!!!", "what follows vmess:// is in no form that mtray knows"],
    [`vmess://${btoa("hello")}`, "what follows vmess:// is in no form that mtray knows"],
    [`vmess://${btoa('{"v": ')}`, "the JSON in it is broken"],
    [`vmess://${ID}@a.example`, "it has no address and port"],
    [`vmess://${ID}@a.example:443?path=%zz`, "it has a broken % escape"],
    [jsonOf({ add: "" }), "it has no address"],
    [jsonOf({ port: undefined }), "it has no port"],
    [jsonOf({ id: "" }), "it has no id"],
    [
      jsonOf({ aid: 64 }),
      "it asks for alterId 64, which mtray has not: ask for a link with 0, which servers since V2Ray 4.28.1 take",
    ],
    [
      jsonOf({ aid: "x" }),
      "it asks for alterId, which mtray has not: ask for a link with 0, which servers since V2Ray 4.28.1 take",
    ],
    ...["kcp", "grpc", "h2", "quic", "xhttp"].map((net): [string, string] => [
      jsonOf({ net }),
      `its transport is ${net}, ${transports}`,
    ]),
    [jsonOf({ net: "carrier pigeon" }), `its transport is of another kind, ${transports}`],
    [`vmess://${btoa(`auto:${ID}@a.example:1`)}?obfs=mkcp`, `its transport is mkcp, ${transports}`],
    [jsonOf({ tls: "reality" }), "its security is reality, and mtray has tls"],
    [jsonOf({ tls: "yes" }), "its security is of another kind, and mtray has tls"],
    [
      jsonOf({ scy: "aes-128-cfb" }),
      "its encryption is none that mtray has: it must be one of auto, aes-128-gcm, chacha20-poly1305, none, zero",
    ],
    [`vmess://${ID}@a.example:443?type=ws&ed=x`, "its early data is no number of bytes"],
  ];
  for (const [link, why] of cases) assertEquals(refusal(link), why, link);
});

const OTHER =
  "mtray speaks VMess: run a program that speaks this protocol beside it, and chain with a socks outbound " +
  '(README.md, "Other protocols")';

Deno.test("what the config's checks say of a link is one sentence without its values", () => {
  for (const fields of [{ port: 99999 }, { port: "no" }, { add: "no host" }, { id: "" + "x".repeat(40) }]) {
    const why = refusal(jsonOf(fields));
    assert(/^(port|address|id) /.test(why), why);
    for (const value of Object.values(fields)) assert(!why.includes(String(value)), why);
  }
});

Deno.test("the section that the refusal names is in the README", () => {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  assertMatch(readme, new RegExp(`\n##+ ${/"(.+)"/.exec(OTHER)![1]}\n`));
});

Deno.test("text at random, and links cut anywhere, are refused or read", () => {
  const tried = (text: string) => {
    try {
      parseShareLink(text);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "usage", text);
    }
  };
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => tried(`vmess://${text}`)));
  const link = uriLink({
    name: "n",
    address: "2001:db8::1",
    port: 1,
    id: ID,
    security: "auto",
    network: "ws",
    httpHeader: false,
    host: "b.example",
    path: "/%",
  });
  for (const text of [link, jsonOf({ net: "ws", path: "/x" })]) {
    for (let length = 0; length < text.length; length++) tried(text.slice(0, length));
  }
});
