// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MtrayError } from "../../../lib/errors.ts";
import {
  bodyLengthOf,
  formatHead,
  type Header,
  parseHead,
  withoutHops,
} from "../../../lib/proxy/http/head.ts";
import { parseAbsolute, parseAuthority } from "../../../lib/proxy/http/target.ts";
import { concat } from "../../../lib/stream/bytes.ts";
import { ascii } from "../fakes.ts";

Deno.test("a head is read once it is whole, and nothing behind it", () => {
  const wire = ascii("GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-Odd:\t  a: b \t\r\nEmpty:\r\n\r\n");
  const head = {
    first: ["GET", "/a?b", "HTTP/1.1"] as [string, string, string],
    headers: [["Host", "example.com"], ["X-Odd", "a: b"], ["Empty", ""]] as Header[],
    used: wire.length,
  };
  for (let cut = 0; cut < wire.length; cut++) assertEquals(parseHead(wire.slice(0, cut)), null);
  assertEquals(parseHead(wire), head);
  assertEquals(parseHead(concat(wire, ascii("body\r\n\r\n"))), head);
});

Deno.test("first lines of responses may have a reason of many words, or none", () => {
  for (
    const [line, reason] of [["HTTP/1.1 200 All is well", "All is well"], ["HTTP/1.1 200 ", ""], [
      "HTTP/1.0 200",
      "",
    ]]
  ) {
    assertEquals(parseHead(ascii(`${line}\r\n\r\n`))?.first[2], reason);
  }
});

Deno.test("what is no head is refused, for others might read it otherwise", () => {
  for (
    const text of [
      "\r\n\r\n",
      "GET\r\n\r\n",
      " GET / HTTP/1.1\r\n\r\n",
      "GET  / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\0\r\n\r\n",
      "GET / HTTP/1.1\n\r\n\r\n",
      "\x16\x03\x01\r\n\r\n",
    ]
  ) assertThrows(() => parseHead(ascii(text)), MtrayError, "cannot read the head");
});

Deno.test("what is written is read again; bytes beyond ASCII stay as they are", () => {
  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);
  const value = fc.stringMatching(/^(|[!-~\x80-\xff]|[!-~\x80-\xff][ -~\x80-\xff]{0,20}[!-~\x80-\xff])$/);
  fc.assert(
    fc.property(token, token, fc.array(fc.tuple(token, value), { maxLength: 5 }), (method, path, headers) => {
      const wire = formatHead([method, path, "HTTP/1.1"], headers);
      assertEquals(parseHead(wire), { first: [method, path, "HTTP/1.1"], headers, used: wire.length });
    }),
  );
});

Deno.test("headers of one connection are taken out, those that frame the body never", () => {
  const kept: Header[] = [["Host", "a"], ["Accept", "*/*"], ["Transfer-Encoding", "chunked"], [
    "Trailer",
    "X",
  ]];
  assertEquals(
    withoutHops([
      ...kept,
      ["Connection", "close, X-Mine"],
      ["connection", "content-length, HOST"],
      ["Keep-Alive", "1"],
      ["X-MINE", "1"],
      ["Proxy-Connection", "keep-alive"],
      ["Proxy-Authorization", "Basic x"],
      ["TE", "trailers"],
      ["Upgrade", "websocket"],
    ]),
    kept,
  );
});

Deno.test("a body has one length", () => {
  const of = (...headers: Header[]) => bodyLengthOf(headers);
  assertEquals(of(), 0);
  assertEquals(of(["Content-Length", "12"]), 12);
  assertEquals(of(["Content-Length", "12"], ["content-length", "12"]), 12);
  assertEquals(of(["TRANSFER-ENCODING", "Chunked"]), "chunked");
  for (
    const headers of [
      [["Content-Length", "1"], ["Transfer-Encoding", "chunked"]],
      [["Content-Length", "1"], ["Content-Length", "2"]],
      [["Content-Length", "+1"]],
      [["Content-Length", "1, 1"]],
      [["Content-Length", ""]],
      [["Transfer-Encoding", "gzip, chunked"]],
      [["Transfer-Encoding", "identity"]],
      [["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "chunked"]],
    ] as Header[][]
  ) assertThrows(() => of(...headers), MtrayError, "cannot read the head");
});

Deno.test("targets are read from what clients write", () => {
  assertEquals(parseAuthority("Example.com:443"), { host: "example.com", port: 443 });
  assertEquals(parseAuthority("[2001:DB8::1]:443"), { host: "2001:db8::1", port: 443 });
  assertEquals(parseAuthority("1.2.3.4", 80), { host: "1.2.3.4", port: 80 });
  for (
    const wrong of [
      "",
      ":443",
      "a",
      "a:0",
      "a:65536",
      "a:b",
      "a:443x",
      "u@a:443",
      "10.1:80",
      "2001:db8::1:443",
      "a/b:1",
    ]
  ) {
    assertEquals(parseAuthority(wrong), null, wrong);
  }
  assertEquals(parseAbsolute("http://a.example/x?y#z"), {
    target: { host: "a.example", port: 80 },
    authority: "a.example",
    path: "/x?y",
  });
  assertEquals(parseAbsolute("HTTP://a:8080?q"), {
    target: { host: "a", port: 8080 },
    authority: "a:8080",
    path: "/?q",
  });
  assertEquals(parseAbsolute("http://[::1]:8080")?.path, "/");
  for (const wrong of ["/", "*", "https://a/", "ftp://a/", "http:///", "http://u:p@a/", "http:a"]) {
    assertEquals(parseAbsolute(wrong), null, wrong);
  }
});

Deno.test("no bytes make the parser throw anything but an error of the protocol", () => {
  const letters = fc.constantFrom(..."GET /:\r\n \tA1\0\xff");
  fc.assert(fc.property(fc.array(letters, { maxLength: 60 }), (text) => {
    try {
      parseHead(concat(Uint8Array.from(text, (letter) => letter.charCodeAt(0)), ascii("\r\n\r\n")));
    } catch (error) {
      assert(error instanceof MtrayError && error.code === "protocol", String(error));
    }
  }));
});
