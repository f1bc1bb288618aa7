// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { concat, toHex } from "../../lib/stream/bytes.ts";
import { memoryPair } from "../../lib/stream/pair.ts";
import { parseNetworks, PRIVATE_NETWORKS, readIntroduction } from "../../lib/transport/behind_proxy.ts";
import { parseProxyHeader, proxyHeader } from "../../lib/transport/proxy_protocol.ts";
import { hex } from "../support.ts";
import { bytesOf, errorOf, readSome, textOf } from "./streams.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const client4 = { host: "192.0.2.7", port: 56_324 }, server4 = { host: "198.51.100.9", port: 443 };
const client6 = { host: "2001:db8::7", port: 1 }, server6 = { host: "2001:db8::9", port: 65_535 };

Deno.test("the headers of the specification", () => {
  assertEquals(
    textOf(proxyHeader(1, { host: "192.168.0.1", port: 56_324 }, { host: "192.168.0.11", port: 443 })),
    "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
  );
  assertEquals(
    toHex(proxyHeader(2, client4, server4)),
    `${SIGNATURE}2111000c` + "c0000207" + "c6336409" + "dc04" + "01bb",
  );
  const mixed = textOf(proxyHeader(1, client4, server6));
  assertEquals(mixed, "PROXY TCP6 ::ffff:c000:207 2001:db8::9 56324 65535\r\n");
});

Deno.test("what is written is read, cut anywhere, and nothing behind it is touched", () => {
  const address = fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => ({ host, port }));
  fc.assert(
    fc.property(fc.constantFrom(1, 2), address, address, (version, remote, local) => {
      const header = proxyHeader(version as 1 | 2, remote, local);
      assertEquals(parseProxyHeader(concat(header, bytesOf("behind"))), {
        kind: "header",
        used: header.length,
        endpoints: { remote, local },
      });
    }),
    { numRuns: 30 },
  );
  for (
    const header of [1, 2].flatMap((v) =>
      [[client4, server4], [client6, server6]].map(([a, b]) => proxyHeader(v as 1 | 2, a, b))
    )
  ) {
    for (let cut = 0; cut < header.length; cut++) {
      assertEquals(parseProxyHeader(header.subarray(0, cut)), { kind: "more" }, `${cut} of ${toHex(header)}`);
    }
    const verdict = parseProxyHeader(header);
    assert(verdict.kind === "header" && verdict.used === header.length);
  }
});

Deno.test("a relay that speaks for itself, or of what has no address, is skipped", () => {
  const cases: [Uint8Array, number][] = [
    [bytesOf("PROXY UNKNOWN\r\nGET"), 15],
    [bytesOf("PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n"), 43],
    [hex(`${SIGNATURE}20000000`), 16],
    [hex(`${SIGNATURE}2011000c${"00".repeat(12)}aa`), 28],
    [hex(`${SIGNATURE}210000030400aa`), 19],
    // A unix socket.
    [hex(`${SIGNATURE}213100d8${"00".repeat(216)}`), 232],
  ];
  for (const [bytes, used] of cases) {
    assertEquals(parseProxyHeader(bytes), { kind: "header", used, endpoints: null });
  }
});

Deno.test("what a relay says beside the addresses is skipped", () => {
  const header = hex(`${SIGNATURE}21110012c0000207c6336409dc0401bb` + "040003aabbcc" + "ff");
  const verdict = parseProxyHeader(header);
  assertEquals(verdict, { kind: "header", used: 34, endpoints: { remote: client4, local: server4 } });
});

Deno.test("an IPv4 address inside IPv6 is an IPv4 address", () => {
  const line = bytesOf("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.9 56324 443\r\n");
  const verdict = parseProxyHeader(line);
  assertEquals(verdict, {
    kind: "header",
    used: line.length,
    endpoints: { remote: client4, local: server4 },
  });
});

Deno.test("anything else is no header, as soon as that is clear", () => {
  const cases: Uint8Array[] = [
    bytesOf("G"),
    hex("160301"),
    hex("0d0a0d0b"),
    bytesOf("PROXX"),
    bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
    bytesOf("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
    bytesOf("PROXY TCP4 ::1 ::1 1 2\r\n"),
    bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
    bytesOf("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"),
    bytesOf("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
    bytesOf(`PROXY ${"x".repeat(101)}`),
    hex(`${SIGNATURE}11110000`),
    hex(`${SIGNATURE}22110000`),
    hex(`${SIGNATURE}21110004aabbccdd`),
    hex(`${SIGNATURE}2111ffff`),
  ];
  for (const bytes of cases) assertEquals(parseProxyHeader(bytes).kind, "bad", textOf(bytes));
});

Deno.test("a header counts when it comes from a trusted network, and then it must come", async () => {
  const introduce = async (from: string, trusted: readonly string[], sent: string) => {
    const [peer, stream] = memoryPair();
    await peer.write(bytesOf(sent));
    await peer.closeWrite();
    return await readIntroduction(
      { stream, remote: { host: from, port: 1 }, local: { host: "10.0.0.1", port: 2 } },
      parseNetworks(trusted),
    );
  };
  const header = "PROXY TCP4 192.0.2.7 198.51.100.9 56324 443\r\n";
  for (
    const from of [
      "127.0.0.1",
      "10.1.2.3",
      "192.168.1.1",
      "172.31.255.255",
      "::1",
      "fd00::1",
      "fe80::1%eth0",
      "::ffff:10.0.0.1",
    ]
  ) {
    const { accepted, rest } = await introduce(from, PRIVATE_NETWORKS, `${header}rest`);
    assertEquals([accepted.remote, accepted.local], [client4, server4], from);
    assertEquals(textOf(rest!), "rest");
  }
  for (const from of ["192.0.2.1", "172.32.0.1", "2001:db8::1", "somewhere"]) {
    assertEquals((await errorOf(introduce(from, PRIVATE_NETWORKS, header))).code, "protocol", from);
  }
  // A list replaces the private networks.
  await introduce("192.0.2.1", ["192.0.2.0/24"], header);
  assertEquals(
    (await errorOf(introduce("127.0.0.1", ["192.0.2.0/24", "2001:db8::1"], header))).code,
    "protocol",
  );
  await introduce("2001:db8::1", ["192.0.2.0/24", "2001:db8::1"], header);

  assertEquals(
    (await errorOf(introduce("127.0.0.1", PRIVATE_NETWORKS, "GET / HTTP/1.1\r\n"))).code,
    "protocol",
  );
  assertEquals((await errorOf(introduce("127.0.0.1", PRIVATE_NETWORKS, "PROXY TC"))).code, "protocol");
  assertEquals((await errorOf(introduce("127.0.0.1", PRIVATE_NETWORKS, ""))).code, "closed");

  const { accepted, rest } = await introduce("127.0.0.1", PRIVATE_NETWORKS, "PROXY UNKNOWN\r\n");
  assertEquals([accepted.remote.host, accepted.local.host, rest], ["127.0.0.1", "10.0.0.1", undefined]);
  assertEquals(textOf(await readSome(accepted.stream, 1)), "");
});
