import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { AccessNeeded, openWithToken, refusal, socketAddress, takeToken, tokenIn } from "../../src/ultraandchat/web/access.js";

/** @type {any} */
const browser = globalThis;

/** @type {{url: string, options: any}[]} */
let asked;

/** What the server answers next. @param {number} status @param {string} [body] @param {Record<string, string>} [headers] */
function answering(status, body, headers) {
  browser.fetch = async (/** @type {URL} */ url, /** @type {any} */ options) => {
    asked.push({ url: String(url), options });
    return new Response(body, { status, headers });
  };
}

beforeEach(() => {
  asked = [];
  browser.document = { baseURI: "https://host.example/room/" };
});

test("the token stands in the fragment, however it is written", () => {
  assert.equal(tokenIn("#token=abc-_.~"), "abc-_.~");
  assert.equal(tokenIn("#token=a%2Bb%2F"), "a+b/");
  assert.equal(tokenIn("#token=a+b/"), "a+b/");
  assert.equal(tokenIn("#x=1&token=abc&y=2"), "abc");
  assert.equal(tokenIn("#token=100%"), "100%");
  for (const none of ["", "#", "#token=", "#tokens=abc", "#mytoken=abc"]) assert.equal(tokenIn(none), "");
});

test("the address bar keeps everything but the token", () => {
  /** @type {any[]} */
  const replaced = [];
  browser.history = { state: { page: 1 }, replaceState: (/** @type {any[]} */ ...given) => replaced.push(given) };
  browser.location = { hash: "#token=abc", pathname: "/room/", search: "?transport=websocket" };
  assert.equal(takeToken(), "abc");
  assert.deepEqual(replaced, [[{ page: 1 }, "", "/room/?transport=websocket"]]);
  browser.location.hash = "";
  assert.equal(takeToken(), "");
  assert.equal(replaced.length, 1);
});

test("the token is posted once, in the body", async () => {
  answering(204);
  await openWithToken("abc");
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.url, "https://host.example/room/access");
  assert.deepEqual(JSON.parse(asked[0]?.options.body), { token: "abc" });
});

test("a wrong token is told, and one that came too often", async () => {
  answering(401);
  await assert.rejects(openWithToken("abc"), /not this server's token/);
  answering(429, "", { "Retry-After": "57" });
  await assert.rejects(openWithToken("abc"), /again in 57 s/);
});

test("each WebSocket has a ticket of its own", async () => {
  answering(200, '{"ticket": "a.b-c_d"}');
  assert.equal(String(await socketAddress()), "wss://host.example/room/ws?ticket=a.b-c_d");
  assert.equal(asked[0]?.options.method, "POST");
});

test("where no ticket is needed there is none", async () => {
  browser.document.baseURI = "http://localhost:7860/";
  answering(200, '{"ticket": null}');
  assert.equal(String(await socketAddress()), "ws://localhost:7860/ws");
});

test("without access no WebSocket is tried", async () => {
  answering(401);
  await assert.rejects(socketAddress(), AccessNeeded);
});

test("a server that does not answer is for the WebSocket to find out, which tries again", async () => {
  browser.fetch = () => Promise.reject(new TypeError("no network"));
  assert.equal(String(await socketAddress()), "wss://host.example/room/ws");
  answering(503);
  assert.equal(String(await socketAddress()), "wss://host.example/room/ws");
});

test("what the server says to whom it lets in nowhere is shown", async () => {
  const error = await refusal(new Response("set access.token to let others in\n", { status: 403 }));
  assert.match(error.message, /set access.token to let others in\./);
});
