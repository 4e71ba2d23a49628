import assert from "node:assert/strict";
import { test } from "node:test";

import { mends, wayBack } from "../../src/ultraandchat/web/ways.js";

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const AGENTS = {
  chrome: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
  edge: "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0",
  android: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36",
  firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
  firefoxAndroid: "Mozilla/5.0 (Android 16; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0",
  safari: `${MAC}/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`,
  iphone: `${IPHONE} Version/26.0 Mobile/15E148 Safari/604.1`,
  chromeIphone: `${IPHONE} CriOS/156.0 Mobile/15E148 Safari/604.1`,
};

/** The words by which a way is known. */
const KNOWN_BY = {
  chrome: /^Click the icon left/,
  edge: /^Click the icon left/,
  android: /then Permissions/,
  firefox: /crossed-out microphone/,
  firefoxAndroid: /^Tap the lock/,
  safari: /Safari menu/,
  iphone: /Website Settings/,
  chromeIphone: /iPhone's Settings/,
};

test("each browser has its own way back from a refusal", () => {
  for (const [browser, agent] of Object.entries(AGENTS)) {
    assert.match(wayBack(agent), KNOWN_BY[/** @type {keyof typeof KNOWN_BY} */ (browser)], browser);
  }
  assert.match(wayBack("something new"), /browser's settings/);
});

test("a page that is not secure names the command that makes it local, and the one that makes it secure", () => {
  const [here, there] = mends({ agent: AGENTS.chrome, origin: "http://10.0.0.7:7860" });
  assert.equal(here?.command, "ssh -L 7860:localhost:7860 10.0.0.7");
  assert.equal(here?.url, "http://localhost:7860/");
  assert.equal(there?.command, "ultraandchat serve --tls self-signed");
  assert.equal(there?.url, "https://10.0.0.7:7860/");
});

test("port 80 and addresses in brackets are led to a port that one may open", () => {
  const [plain] = mends({ agent: AGENTS.chrome, origin: "http://talk.example" });
  assert.deepEqual([plain?.command, plain?.url], ["ssh -L 7860:localhost:80 talk.example", "http://localhost:7860/"]);
  const [six] = mends({ agent: AGENTS.chrome, origin: "http://[2001:db8::7]:7860" });
  assert.equal(six?.command, "ssh -L 7860:localhost:7860 2001:db8::7");
});

test("a telephone has no ssh", () => {
  const all = mends({ agent: AGENTS.iphone, origin: "http://10.0.0.7:7860" });
  assert.deepEqual(all.map(({ command }) => command), ["ultraandchat serve --tls self-signed"]);
});
