/** The hand-made VMess client makes the bytes that V2Ray makes. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { hex, unhex } from "../telegram/bytes.ts";
import { Chunks, kdf, OPTION, seal } from "./vmess_client.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("key derivation, as V2Ray's own test has it", () => {
  const path = ["", "2", "3"].map((number) => utf8(`Demo Path for KDF Value Test${number}`));
  assertEquals(
    hex(kdf(utf8("Demo Key for KDF Value Test"), path)),
    "53e9d7e1bd7bd25022b71ead07d8a596efc8a845c7888652fd684b4903dc8892",
  );
});

Deno.test("a sealed header", () => {
  const plain = unhex(
    "01101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f7a0d33000101bb020b6578616d706c652e636f6d" +
      "aabbccacd19288",
  );
  const user = { uuid: "27848739-7e62-4138-9fd3-098a63964b6b", time: 1_700_000_000 };
  assertEquals(
    hex(seal(plain, user, [unhex("01020304"), unhex("0102030405060708")])),
    "6868c12572a3ce177baac5f08cc54ec3270bfc4afc6906e54b93651f518328555c6f0102030405060708d11233dce7e6342be0ea2844" +
      "1ccaf2ff3346112262977e49dc48774b4ba742c63c24301698ba990aec13a782682f10fe7b36daf606eb57fdf34f663892d097bfe85f" +
      "d93c955bc6a8fec39280",
  );
});

Deno.test("chunks with masks and padding, and with an authenticated length", () => {
  const [iv, key] = [unhex("101112131415161718191a1b1c1d1e1f"), unhex("202122232425262728292a2b2c2d2e2f")];
  const usual = OPTION.chunks | OPTION.masking | OPTION.padding;
  const masked = new Chunks(key, iv, usual);
  assertEquals(
    hex(masked.next(utf8("hello"))),
    `8e6526aca2da2078f552797282c9aa9cf67d935233aad8${"00".repeat(17)}`,
  );
  assertEquals(
    hex(masked.next(utf8("world!"))),
    `b6b486216f764ffcbb17c1f377c6507eb71fb854eebbab22${"00".repeat(4)}`,
  );
  assertEquals(hex(masked.next(new Uint8Array())), `a3f8a2a59ee76df01745231f2b034d37a6d1${"00".repeat(54)}`);
  const authenticated = new Chunks(key, iv, usual | OPTION.authenticatedLength);
  assertEquals(
    hex(authenticated.next(utf8("hello"))),
    `d94d29f472bad22b1d04fc30ffa643f9ba3426aca2da2078f552797282c9aa9cf67d935233aad8${"00".repeat(17)}`,
  );
});
