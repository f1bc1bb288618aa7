import { ConfigError, formatComplaint } from "../../lib/config/complaint.ts";
import { loadConfig, type Loaded, type LoadOptions } from "../../lib/config/load.ts";

/** The parts of a config that runs, as text. */
export const CLASSIC = "b0cbcef5a486d9636472ac27f8e11a9d";
export const EE = `ee${CLASSIC}6578616d706c652e636f6d`;

/** A config of one mtproto inbound and one mtproto outbound; each part can be replaced or added to. */
export function configLike(parts: Record<string, unknown> = {}): string {
  return JSON.stringify({ inbounds: [inboundLike()], outbounds: [outboundLike()], ...parts }, null, 2);
}

export function inboundLike(fields: Record<string, unknown> = {}) {
  return {
    tag: "in",
    port: 8443,
    protocol: "mtproto",
    settings: { users: [{ secret: CLASSIC }] },
    ...fields,
  };
}

export function outboundLike(fields: Record<string, unknown> = {}) {
  return { tag: "out", protocol: "mtproto", ...fields };
}

/** Loads one file, or several by name. */
export function load(text: string | Record<string, string>, options: LoadOptions = {}): Loaded {
  const files = typeof text === "string" ? { "config.jsonc": text } : text;
  return loadConfig(Object.entries(files).map(([name, text]) => ({ name, text })), options);
}

/** "path: text" of each complaint, none where the config is fine. */
export function complaints(text: string | Record<string, string>, options: LoadOptions = {}): string[] {
  return errorOf(text, options)?.complaints.map(short) ?? [];
}

/** "path: text" of each warning of a config that is fine. */
export function warnings(text: string | Record<string, string>, options: LoadOptions = {}): string[] {
  return load(text, options).warnings.map(short);
}

/** What a person sees of a config that is not fine. */
export function screen(text: string | Record<string, string>, options: LoadOptions = {}): string {
  return errorOf(text, options)?.message ?? load(text, options).warnings.map(formatComplaint).join("\n");
}

function errorOf(text: string | Record<string, string>, options: LoadOptions): ConfigError | null {
  try {
    load(text, options);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function short({ path, text }: { path: string; text: string }): string {
  return path === "" ? text : `${path}: ${text}`;
}
