import { renderUnicodeCompact } from "uqr";

/** Modules of quiet zone. The standard wants four; scanners do with two, and the code must fit 80 × 24. */
const BORDER = 2;

/**
 * A QR code for a terminal, two modules in one character.
 *
 * Light modules are drawn and dark ones left empty. With colours both are set, white on black, so that the code
 * reads the same on a light terminal; without, it is right on a dark one, and inverted on a light one, which most
 * scanners read too.
 *
 * @throws where the text is longer than a QR code can hold (2,953 bytes)
 */
export function qrLines(text: string, colours: boolean): string[] {
  const lines = renderUnicodeCompact(text, { border: BORDER }).split("\n");
  return colours ? lines.map((line) => `\x1b[97;40m${line}\x1b[0m`) : lines;
}
