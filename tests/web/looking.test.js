import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { health, ServerLog } from "../../src/ultraandchat/web/looking.js";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

/** A server that answers so; what is asked of it. @param {(address: string) => [number, unknown]} answer */
function server(answer) {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(String(address));
    const [status, body] = answer(String(address));
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return asked;
}

const line = (/** @type {string} */ second, /** @type {string} */ component) =>
  `2026-11-27T03:15:0${second}.000Z info ${component} session=ab12 turn=1 something\n`;

test("files are read again only when they have grown, or something else is asked for", async () => {
  let bytes = 10;
  const asked = server((address) => {
    if (address === "logs") return [200, { files: [{ file: "turn", bytes }, { file: "audio", bytes: 5 }] }];
    return [200, line("2", "turn")];
  });
  const log = new ServerLog();
  assert.equal((await log.look("turn", "ab12")).lines.length, 1);
  assert.deepEqual(asked, ["logs", "logs?file=turn&lines=200&session=ab12"]);
  assert.equal((await log.look("turn", "ab12")).lines.length, 1);
  assert.equal(asked.length, 3);
  bytes = 20;
  await log.look("turn", "ab12");
  assert.equal(asked.length, 5);
  await log.look("turn", "");
  assert.equal(asked.at(-1), "logs?file=turn&lines=200");
});

test("all of the server is every component, in the order of time", async () => {
  server((address) => {
    if (address === "logs") return [200, { files: [{ file: "turn", bytes: 1 }, { file: "server", bytes: 1 }] }];
    const component = new URLSearchParams(address.slice(5)).get("file") ?? "";
    return component === "turn" ? [200, line("1", "turn")] : component === "server" ? [200, line("2", "server")] : [404, "none"];
  });
  const { lines } = await new ServerLog().look("all", "ab12");
  assert.deepEqual(lines.map(({ component }) => component), ["turn", "server"]);
});

test("why there is nothing is said", async () => {
  for (const [status, body, why] of /** @type {[number, unknown, RegExp][]} */ ([
    [401, "token", /only to whoever has access/],
    [403, "host", /only to whoever has access/],
    [500, "", /cannot be read now/],
    [200, { files: [] }, /writes no log files/],
  ])) {
    server(() => [status, body]);
    assert.match((await new ServerLog().look("all", "")).why, why);
  }
  globalThis.fetch = () => Promise.reject(new TypeError("gone"));
  assert.match((await new ServerLog().look("all", "")).why, /does not answer/);
});

test("health is what the server says, or nothing", async () => {
  server(() => [200, { status: "healthy" }]);
  assert.deepEqual(await health(), { status: "healthy" });
  server(() => [502, "a proxy speaks"]);
  assert.equal(await health(), null);
  server(() => [200, "<html>a proxy speaks</html>"]);
  assert.equal(await health(), null);
});
