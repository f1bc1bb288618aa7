/** `proxySettings` and `sockopt.dialerProxy`: who carries whom, and what of an outbound that leaves without effect. */
// @ts-types="../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { complaints, configLike, load, outboundLike, warnings } from "./helpers.ts";

type Fields = Record<string, unknown>;

/** An outbound that is carried by "hop", with these fields beside, as a config. */
const carried = (fields: Fields) =>
  configLike({
    outbounds: [outboundLike(), { tag: "a", protocol: "freedom", ...fields }, {
      tag: "hop",
      protocol: "freedom",
    }],
  });

const dialer = (tag: unknown, more: Fields = {}) => ({
  streamSettings: { sockopt: { dialerProxy: tag, ...more } },
});
const proxy = (tag: unknown, more: Fields = {}) => ({ proxySettings: { tag, ...more } });

function chainOf(fields: Fields) {
  const { proxyTag, transportLayer } = load(carried(fields)).config.outbounds[1];
  return [proxyTag, transportLayer];
}

Deno.test("proxySettings names who carries, transportLayer how much; dialerProxy is both", () => {
  assertEquals(chainOf({}), [undefined, false]);
  assertEquals(chainOf(proxy("")), [undefined, false]);
  assertEquals(chainOf(proxy("", { transportLayer: true })), [undefined, false]);
  assertEquals(chainOf(proxy("hop")), ["hop", false]);
  assertEquals(chainOf(proxy("hop", { transportLayer: false })), ["hop", false]);
  assertEquals(chainOf(proxy("hop", { transportLayer: true })), ["hop", true]);
  assertEquals(chainOf({ ProxySettings: { Tag: "hop", TRANSPORTLAYER: true } }), ["hop", true]);
  assertEquals(chainOf(dialer("hop")), ["hop", true]);
  assertEquals(chainOf({ StreamSettings: { SockOpt: { DialerProxy: "hop" } } }), ["hop", true]);
  assertEquals(chainOf(dialer("")), [undefined, false]);
  assertEquals(chainOf({ ...proxy(""), ...dialer("hop") }), ["hop", true]);
  assertEquals(chainOf({ ...proxy("hop"), ...dialer("") }), ["hop", false]);
});

Deno.test("both at once, or a value of another kind, is an error", () => {
  assertEquals(complaints(carried({ ...proxy("hop"), ...dialer("hop") })), [
    "outbounds[1].streamSettings.sockopt.dialerProxy: must not stand beside proxySettings.tag: " +
    "each names the outbound that carries this one",
  ]);
  assertEquals(complaints(carried(proxy(5))), [
    "outbounds[1].proxySettings.tag: must be text in quotes; got a number",
  ]);
  assertEquals(complaints(carried(proxy("hop", { transportLayer: "yes" }))), [
    "outbounds[1].proxySettings.transportLayer: must be true or false; got text",
  ]);
  assertEquals(complaints(carried({ proxySettings: "hop" })), [
    "outbounds[1].proxySettings: must be an object; got text",
  ]);
});

Deno.test("every mistake prints the path", () => {
  const circle = (...outbounds: Fields[]) =>
    complaints(configLike({
      outbounds: [outboundLike(), ...outbounds.map((each) => ({ protocol: "freedom", ...each }))],
    }));
  assertEquals(circle({ tag: "a", ...dialer("a") }), [
    "outbounds[1].streamSettings.sockopt.dialerProxy: goes round in a circle: a → a",
  ]);
  assertEquals(circle({ tag: "a", ...dialer("b") }, { tag: "b", ...proxy("a", { transportLayer: true }) }), [
    "outbounds[1].streamSettings.sockopt.dialerProxy: goes round in a circle: a → b → a",
    "outbounds[2].proxySettings.tag: goes round in a circle: b → a → b",
  ]);
  assertEquals(circle({ tag: "a", ...dialer("gone") }), [
    "outbounds[1].streamSettings.sockopt.dialerProxy: names an outbound that is not there: a → gone; there is out, a",
  ]);
  assertEquals(circle({ tag: "a", ...dialer("out") }), [
    "outbounds[1].streamSettings.sockopt.dialerProxy: must not name an mtproto outbound, " +
    "which carries nothing but the sessions of MTProto clients",
  ]);
});

Deno.test("what a carried outbound says of sockets is one warning", () => {
  const why = 'this outbound opens no socket, "hop" carries it';
  const sockopt = { streamSettings: { sockopt: { mark: 255, tcpFastOpen: true } } };
  const at = "outbounds[1].streamSettings.sockopt";
  assertEquals(warnings(carried({ ...proxy("hop"), ...sockopt })), [`${at}: has no effect: ${why}`]);
  assertEquals(warnings(carried(dialer("hop", { mark: 255 }))), [`${at}: has no effect: ${why}`]);
  assertEquals(warnings(carried({ ...proxy("hop"), sendThrough: "192.168.1.2" })), [
    `outbounds[1].sendThrough: has no effect: ${why}`,
  ]);
  assertEquals(warnings(carried({ ...proxy("hop"), ...sockopt, sendThrough: "192.168.1.2" })), [
    `${at}: has no effect, nor has sendThrough: ${why}`,
  ]);
  assertEquals(warnings(carried(dialer("hop"))), []);
  assertEquals(warnings(carried({ ...proxy("hop"), ...dialer(""), sendThrough: "" })), []);
  // Whoever opens sockets is held to what it says of them.
  assertEquals(complaints(carried({ sendThrough: "192.168.1.2" })).length, 1);
  assertEquals(complaints(carried(sockopt)).length, 1);
});

Deno.test("without transportLayer a chain carries TLS and nothing else of a transport", () => {
  const ws = { network: "ws", security: "tls" };
  const remedy = 'add "transportLayer": true to proxySettings, or remove it';
  const tls = { network: "tcp", security: "tls", tcpSettings: { header: { type: "none" } } };
  assertEquals(complaints(carried({ ...proxy("hop"), streamSettings: tls })), []);
  for (const network of ["ws", "httpupgrade"]) {
    assertEquals(complaints(carried({ ...proxy("hop"), streamSettings: { ...ws, network } })), [
      `outbounds[1].streamSettings.network: "${network}" is not carried by "hop" as it is: ${remedy}`,
    ]);
  }
  for (const key of ["tcpSettings", "rawSettings"]) {
    const streamSettings = { network: "tcp", [key]: { header: { type: "http" } } };
    assertEquals(complaints(carried({ ...proxy("hop"), streamSettings })), [
      `outbounds[1].streamSettings.${key}.header: is not carried by "hop" as it is: ${remedy}`,
    ]);
    assertEquals(complaints(carried({ ...proxy("hop", { transportLayer: true }), streamSettings })), []);
  }
  assertEquals(complaints(carried({ ...proxy("hop", { transportLayer: true }), streamSettings: ws })), []);
  assertEquals(complaints(carried({ streamSettings: { ...ws, sockopt: { dialerProxy: "hop" } } })), []);
});
