/** One connection with everything that is random fixed, computed outside of this repository and tried on real peers. */
export const VECTORS = {
  uuid: "27848739-7e62-4138-9fd3-098a63964b6b",
  cmdKey: "6f87e1b19f8da25df715d655ae9a1764",
  /** KDF of the cmdKey. */
  kdfWithoutPath: "7a8a95cc2671e89395999ce8ef49797d6f3d123cb4206da24993bf88b99e437f",
  /** The one vector in V2Ray's own tests. */
  kdfOfUpstream: "53e9d7e1bd7bd25022b71ead07d8a596efc8a845c7888652fd684b4903dc8892",
  authIdKey: "1d3a02ab9f56cff3ec46c641e6b89716",
  /** Seconds. */
  time: 1700000000,
  authIdRandom: "01020304",
  authId: "6868c12572a3ce177baac5f08cc54ec3",
  /** TCP to example.com:443, AES-128-GCM, options 0x0d, padding aabbcc. */
  header: "01101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f7a0d33000101bb020b657861" +
    "6d706c652e636f6daabbccacd19288",
  nonce: "0102030405060708",
  lengthKey: "27da9d1ba4254c138e622e9281606e7d",
  lengthNonce: "d22a4ce58ac844325732674a",
  headerKey: "88d3386c8df92f8ffc66cb8f93e82901",
  headerNonce: "4e087fee8aee504edb400ca9",
  request: "6868c12572a3ce177baac5f08cc54ec3270bfc4afc6906e54b93651f518328555c6f0102030405060708d11233" +
    "dce7e6342be0ea28441ccaf2ff3346112262977e49dc48774b4ba742c63c24301698ba990aec13a782682f10fe" +
    "7b36daf606eb57fdf34f663892d097bfe85fd93c955bc6a8fec39280",
  /** Of the request IV. */
  shake: "fc918e43ecc4b6aea436a3be55984a75",
  chachaKey: "35ba6d08f0e34c15b9d0b09998960eb608192e2100960d3badb6175ebb26e7ab",
  lengthSealKey: "b5aa9ae1cde5868ebebf49f8fc314664",
  /** Chunks of "hello", of "world!" and of the end, as far as they were computed; padding is zeros. */
  chunks: {
    gcm: [
      "8e6526aca2da2078f552797282c9aa9cf67d935233aad80000000000000000000000000000000000",
      "b6b486216f764ffcbb17c1f377c6507eb71fb854eebbab2200000000",
      "a3f8a2a59ee76df01745231f2b034d37a6d1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ],
    chacha: ["8e658fa7c8ae8c6567bf102495bdd19d574bf38eefa3c30000000000000000000000000000000000"],
    gcmSealedLength: [
      "d94d29f472bad22b1d04fc30ffa643f9ba3426aca2da2078f552797282c9aa9cf67d935233aad80000000000000000000000000000000000",
    ],
    none: ["fc9468656c6c6f"],
  },
  responseKey: "36db1adc807ac50e4c85bd86a174b4aa",
  responseIv: "fc2e2c73072bfa2bda03ff9307472deb",
  response: "bdbf42fa9d3621ee2883fcdb50faf39e5149a040906a220ac0f96c95a40f527cbda1783cd88f",
  /** "hello", with the options of the header. */
  responseChunk:
    "c2363083cb1e365725593f3b77d290eb7a22ece2f4bab800000000000000000000000000000000000000000000" +
    "000000000000",
} as const;
