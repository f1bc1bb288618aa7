// @ts-types="../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { firstConfig } from "../../lib/cli/first_config.ts";
import { inFolder } from "./folder.ts";
import { type Finished, freePort, mtray, Program } from "./program.ts";
import { assertHolds } from "./thrown.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const SECRET = `ee${KEY}7777772e6578616d706c652e636f6d`;

/** A config that touches nothing outside this machine. */
function configOn(port: number): string {
  return firstConfig("www.example.com", SECRET)
    .replace('"listen": "0.0.0.0"', '"listen": "127.0.0.1"')
    .replace('"port": 8443', `"port": ${port}`)
    .replace('"settings": {},', '"settings": { "dataCenters": { "2": ["127.0.0.1:9"] } },');
}

/** To a port on which nobody listens. */
const USER = "27848739-7e62-4138-9fd3-098a63964b6b";
const LINK = `vmess://${USER}@127.0.0.1:9?encryption=none#home`;

function said({ stdout, stderr }: Finished): string {
  return `${stdout}\n${stderr}`;
}

Deno.test("23: no config anywhere, with the remedy", () =>
  inFolder(async (folder) => {
    for (const args of [[], ["run"], ["test"], ["link"], ["-test"]]) {
      const done = await mtray(folder, args);
      assertEquals(done.code, 23, said(done));
      assertMatch(done.stderr, /cannot find a config: there is no config\.jsonc.*mtray run --init/);
      assertEquals(done.stdout, "");
    }
  }));

Deno.test("23: a file that is not there, a folder, an empty folder, broken text, a wrong secret", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(join(folder, "empty"));
    Deno.writeTextFileSync(join(folder, "broken.json"), "{ inbounds: ");
    Deno.writeTextFileSync(join(folder, "wrong.json"), configOn(1).replace(SECRET, KEY.slice(1)));
    const cases: [string[], RegExp][] = [
      [["run", "-c", "absent.json"], /cannot read absent\.json: there is no such file/],
      [["test", "-c", "empty"], /cannot read empty: it is a folder/],
      [["-confdir", "empty"], /empty holds no \.json or \.jsonc file/],
      [["-confdir=absent"], /cannot read the folder absent/],
      [["-test", "-config=broken.json"], /^broken\.json:1:\d+ /m],
      [
        ["run", "-c", "wrong.json"],
        /^wrong\.json:\d+:\d+ inbounds\[0\]\.settings\.users\[0\]\.secret: must be /m,
      ],
    ];
    for (const [args, why] of cases) {
      const done = await mtray(folder, args);
      assertEquals(done.code, 23, said(done));
      assertMatch(done.stderr, why);
      assert(!said(done).includes(KEY.slice(1)), "a secret was printed");
      assert(!/\n\s+at /.test(said(done)), "a stack trace was printed");
    }
  }));

Deno.test("2: a command line that is not understood", () =>
  inFolder(async (folder) => {
    const done = await mtray(folder, ["rnu"]);
    assertEquals(done, { code: 2, stdout: "", stderr: "unknown command rnu: did you mean mtray run?\n" });
    assertEquals((await mtray(folder, ["--confg=x"])).code, 2);
    assertEquals((await mtray(folder, ["run", "--domain", "a.org"])).code, 2);
    assertEquals((await mtray(folder, ["run", "--vmess", LINK])).code, 2);
    for (const args of [["init", LINK], ["import"], ["import", "a", "b"], ["run", "--vmess"], [LINK]]) {
      const done = await mtray(folder, args);
      assertEquals(done.code, 2, said(done));
      assert(!said(done).includes(LINK.slice(10)), "a link was printed");
    }
    assertEquals((await mtray(folder, ["run", "--init", "-c", "-"])).code, 2);
    assertEquals((await mtray(folder, ["link", "--host", "a.org:443"])).code, 2);
    assertEquals((await mtray(folder, ["secret", "--kind", "dd", "--domain", "a.org"])).code, 2);
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("1: the port is taken; two first starts at once write one config between them", () =>
  inFolder(async (folder) => {
    const holder = hold(8443);
    try {
      const args = ["run", "--init", "--domain", "www.example.com"];
      const both = await Promise.all([mtray(folder, args), mtray(folder, args)]);
      for (const done of both) {
        assertEquals(done.code, 1, said(done));
        assertMatch(done.stderr, /cannot start inbound telegram-in: .*8443: the port is taken.*"port"/);
        assertMatch(done.stdout, /^(Wrote|Using) \.\/config\.jsonc/);
        assert(!done.stdout.includes("tg://"), "links of a proxy that does not run");
      }
      assertEquals(both.filter(({ stdout }) => stdout.startsWith("Wrote")).length, 1);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["config.jsonc"]);
      assertEquals(Deno.statSync(join(folder, "config.jsonc")).mode! & 0o777, 0o600);
      assertEquals((await mtray(folder, ["test", "--strict"])).code, 0);
    } finally {
      holder?.close();
    }
  }));

Deno.test("0: help, version, uuid and secret", () =>
  inFolder(async (folder) => {
    assertMatch((await mtray(folder, ["-version"])).stdout, /^mtray \d+\.\d+\.\d+\n$/);
    assertMatch(
      (await mtray(folder, ["version", "--verbose"])).stdout,
      /^mtray .*\nreleased +\d{4}-\d\d-\d\d\nruntime +deno \d.*\nmachine +\w+ \w+, (glibc|musl)\nciphers +\S.*\n$/,
    );
    assertMatch((await mtray(folder, ["uuid"])).stdout, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/);
    const { code, stdout, stderr } = await mtray(folder, ["secret", "--domain", "www.example.com"]);
    assertMatch(stdout, /^ee[0-9a-f]{32}7777772e6578616d706c652e636f6d\n$/);
    assertEquals([code, stderr], [0, ""]);
    assertMatch((await mtray(folder, ["secret"])).stdout, /^ee[0-9a-f]{32}([0-9a-f]{2}){4,}\n$/);
    assertMatch((await mtray(folder, ["secret", "--kind", "dd"])).stdout, /^dd[0-9a-f]{32}\n$/);
    assertMatch((await mtray(folder, ["secret", "--kind", "classic"])).stdout, /^[0-9a-f]{32}\n$/);
  }));

Deno.test("0: a right config from standard input, with what it holds and no secret", () =>
  inFolder(async (folder) => {
    for (const args of [["test", "-c", "-"], ["-test", "-config=stdin:"]]) {
      const done = await mtray(folder, args, configOn(freePort()));
      assertEquals(done.code, 0, said(done));
      assertMatch(
        done.stdout,
        /^Configuration OK\.\n +inbound +telegram-in: mtproto, listens on 127\.0\.0\.1:\d+\n/,
      );
      assertMatch(done.stdout, /\n +outbound +telegram-out: mtproto, for what no rule takes\n$/);
      assert(!said(done).includes(KEY));
    }
    assertEquals([...Deno.readDirSync(folder)], [], "test wrote something");
  }));

Deno.test("test lists chains, first hop first, and prints warnings beside", () =>
  inFolder(async (folder) => {
    const text = configOn(freePort())
      .replace('// "proxySettings": { "tag": "..." },', '"proxySettings": { "tag": "hop" }, },')
      .replace(
        /\}\n +\],\n\n +"routing"/,
        '{ "tag": "hop", "protocol": "freedom", "remrks": 1 }\n  ],\n\n  "routing"',
      );
    const done = await mtray(folder, ["test", "-c", "-"], text);
    assertEquals(done.code, 0, said(done));
    assertMatch(done.stdout, /\n +chain +hop → telegram-out \(to Telegram\)\n$/);
    assertMatch(done.stdout, /outbound +telegram-out: mtproto, for what no rule takes\n/);
    assertMatch(done.stderr, /^warning: standard input:\d+:\d+ outbounds\[1\]\.remrks/m);
    assertEquals((await mtray(folder, ["test", "--strict", "-c", "-"], text)).code, 23);
  }));

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`0: ${signal}; a service's log holds no links`, () =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(join(folder, "config.json"), configOn(freePort()));
      const program = new Program(folder, []);
      await program.says(/`mtray link` shows them/);
      program.kill(signal);
      const done = await program.finished();
      assertEquals(done.code, 0, said(done));
      assertHolds(done.stdout, "Using ./config.json.");
      assertMatch(
        done.stdout,
        /mtray \d+\.\d+\.\d+ is running: telegram-in \(mtproto\) on 127\.0\.0\.1:\d+\./,
      );
      assert(!said(done).includes(KEY), "a secret in a log");
      assertEquals(done.stderr, "");
    }));
}

Deno.test("run --init on a config that is there prints the same links each time, and what Telegram says", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(join(folder, "config.jsonc"), configOn(freePort()));
    const links: string[][] = [];
    for (let i = 0; i < 2; i++) {
      const program = new Program(folder, ["run", "--init", "--domain", "www.example.org"]);
      await program.says(/Telegram does not answer from here: you need a chain, see /);
      program.kill("SIGTERM");
      const { code, stdout, stderr } = await program.finished();
      assertEquals(code, 0);
      assertHolds(stderr, "--domain has no effect: ./config.jsonc is there already");
      links.push(stdout.match(/(tg|https):\S*proxy\?\S+/g) ?? []);
    }
    assertEquals(links[0].length, 2);
    assertEquals(links[1], links[0]);

    const { users: [user] } = JSON.parse((await mtray(folder, ["link", "--json"])).stdout);
    assertEquals([user.tg, user.https], links[0]);
  }));

Deno.test("import prints an outbound, from the command line or standard input", () =>
  inFolder(async (folder) => {
    for (
      const done of [await mtray(folder, ["import", LINK]), await mtray(folder, ["import", "-"], `${LINK}\n`)]
    ) {
      assertEquals(done.code, 0, said(done));
      assertEquals(JSON.parse(done.stdout), {
        tag: "vmess-out",
        protocol: "vmess",
        settings: { vnext: [{ address: "127.0.0.1", port: 9, users: [{ id: USER, security: "none" }] }] },
      });
    }
    const refused = await mtray(folder, ["import", LINK.replace("?", "?type=kcp&")]);
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertEquals(
      refused.stderr,
      "cannot import the link: its transport is kcp, and mtray has tcp, ws and httpupgrade\n",
    );
  }));

Deno.test("init writes a config once, says what comes next, and prints no secret", () =>
  inFolder(async (folder) => {
    const done = await mtray(folder, ["init", "--vmess", LINK, "--domain", "www.example.com"]);
    assertEquals(done.code, 0, said(done));
    assertMatch(done.stdout, /^Wrote \.\/config\.jsonc: .*\nNext: `mtray run --init` runs it/);
    assertEquals(done.stderr, "");
    assert(!said(done).includes(USER) && !/ee[0-9a-f]{32}/.test(said(done)), "a secret was printed");
    const name = join(folder, "config.jsonc");
    assertEquals(Deno.statSync(name).mode! & 0o777, 0o600);
    const text = Deno.readTextFileSync(name);
    const tested = await mtray(folder, ["test", "--strict"]);
    assertEquals(tested.code, 0, said(tested));
    assertMatch(tested.stdout, /\n +chain +vmess-out → tg-out \(to Telegram\)\n$/);

    const again = await mtray(folder, ["init"]);
    assertEquals([again.code, again.stdout], [1, ""]);
    assertMatch(
      again.stderr,
      /^cannot write \.\/config\.jsonc: it is there already; remove it, or name another/,
    );
    assertEquals(Deno.readTextFileSync(name), text);
    const plain = await mtray(folder, ["init", "-c", "plain.jsonc"]);
    assertEquals(plain.code, 0, said(plain));
    assertMatch(plain.stdout, /\nNext: `mtray run --init -c plain\.jsonc` runs it/);
    assertEquals((await mtray(folder, ["init", "-c", "-"])).code, 2);
    assertEquals((await mtray(folder, ["init", "--vmess", "vmess://x", "-c", "x.jsonc"])).code, 2);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "config.jsonc",
      "plain.jsonc",
    ]);
  }));

Deno.test("run --init with a link uses a config that goes through its server, and no other", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(join(folder, "config.jsonc"), configOn(freePort()));
    const refused = await mtray(folder, ["run", "--init", "--vmess", LINK]);
    assertEquals(refused.code, 2, said(refused));
    assertMatch(
      refused.stderr,
      /^cannot use --vmess: \.\/config\.jsonc is there already, and goes another way; /,
    );
    assert(!said(refused).includes(USER), "a link was printed");

    const made = await mtray(folder, ["init", "-c", "chain.jsonc", "--vmess", LINK]);
    assertEquals(made.code, 0, said(made));
    const name = join(folder, "chain.jsonc");
    const port = freePort();
    Deno.writeTextFileSync(name, Deno.readTextFileSync(name).replace('"port": 8443', `"port": ${port}`));
    const program = new Program(folder, ["run", "--init", "-c", "chain.jsonc", "--vmess", LINK]);
    await program.says(
      /Telegram does not answer through vmess-out: cannot go through vmess-out: .*127\.0\.0\.1:9/,
    );
    program.kill("SIGTERM");
    const { code, stdout } = await program.finished();
    assertEquals(code, 0);
    assertHolds(stdout, "Using chain.jsonc.");
    assert(!stdout.includes(USER), "an id was printed");
  }));

Deno.test("a stop waits for a write that is under way; a second signal ends it at once", () =>
  inFolder(async (folder) => {
    const site = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    let sent = 0;
    const serving = site.accept().then(async (connection) => {
      const piece = new Uint8Array(1 << 20);
      try {
        for (; sent < 256; sent++) await connection.write(piece);
      } catch { /* mtray ended */ }
      connection.close();
    });
    const port = freePort();
    const fallbacks = `"fallbacks": [{ "dest": "127.0.0.1:${site.addr.port}" }], "users"`;
    Deno.writeTextFileSync(join(folder, "config.jsonc"), configOn(port).replace('"users"', fallbacks));
    const program = new Program(folder, ["run"]);
    await program.says(/is running/);

    // A stranger who reads nothing: once all buffers are full, mtray is in the middle of a write to it.
    const stranger = await Deno.connect({ hostname: "127.0.0.1", port });
    await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    for (let still = 0, before = -1, looks = 0; still < 6; looks++) {
      assert(looks < 200, "the site was never held back");
      still = sent > 0 && sent === before ? still + 1 : 0;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(sent < 256, "nothing was held back");

    const asked = performance.now();
    program.kill("SIGTERM");
    await program.says(/no longer listens/);
    const ended = program.finished();
    const early = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
    assertEquals(early, undefined, "the stop did not wait");
    program.kill("SIGTERM");
    assertEquals((await ended).code, 0);
    assert(performance.now() - asked < 2500, "the second signal was not heeded");
    stranger.close();
    site.close();
    await serving;
  }));

/** Holds a port; nothing where somebody else does. */
function hold(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
}
