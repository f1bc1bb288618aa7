/** What is read out of other programs' words. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { readMachine } from "./machine.ts";
import { filesInCache } from "./without_libcrypto.ts";

Deno.test("a machine is described from /proc", () => {
  const cpuinfo =
    "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nprocessor\t: 1\nmodel name\t: Some CPU @ 2.00GHz\n";
  const meminfo = "MemTotal:        2048000 kB\nMemFree:          100000 kB\n";
  assertEquals(readMachine({ cpuinfo, meminfo, kernel: "6.1.0", cores: 2 }), {
    processor: "Some CPU @ 2.00GHz",
    cores: 2,
    kernel: "6.1.0",
    memory: 2_097_152_000,
  });
});

Deno.test("all files of libcrypto are found, each once, and no other library's", () => {
  const cache = `4 libs found in cache \`/etc/ld.so.cache'
\tlibk5crypto.so.3 (libc6,x86-64) => /lib/libk5crypto.so.3
\tlibcrypto.so.3 (libc6,x86-64) => /lib/libcrypto.so.3
\tlibcrypto.so.1.1 (libc6,x86-64) => /opt/libcrypto.so.1.1
\tlibcrypto.so (libc6,x86-64) => /lib/libcrypto.so
`;
  const realPath = (path: string) => path === "/lib/libcrypto.so" ? "/lib/libcrypto.so.3" : path;
  assertEquals(filesInCache(cache, realPath), ["/lib/libcrypto.so.3", "/opt/libcrypto.so.1.1"]);
});
