import assert from "node:assert/strict";
import { test } from "node:test";

import { attemptLine, notOffered, rungInUse, rungName, shortRung } from "../../src/ultraandchat/web/rungs.js";
import { INITIAL, update } from "../../src/ultraandchat/web/state.js";

/** @import {PathReport, PairTried} from "../../src/ultraandchat/web/wire.js" */

/** @param {Partial<PairTried>} change @returns {PairTried} */
const pair = (change) => ({ protocol: "udp", local: "host", remote: "host 203.0.113.7:13007", state: "unanswered", ...change });
/** @param {Partial<PathReport>} change @returns {PathReport} */
const report = (change) => ({ type: "path_report", outcome: "failed", text: "no sound came", after_ms: 10_000, pairs: [], ...change });

test("each rung has a name", () => {
  assert.equal(rungName("udp"), "WebRTC over UDP");
  assert.equal(rungName("tcp"), "WebRTC over TCP");
  assert.equal(rungName("relay/tls"), "WebRTC through a relay (TLS)");
  assert.equal(rungName(""), "WebRTC");
});

test("the rung in use is that of the last attempt that carried", () => {
  const way = /** @type {const} */ ({ type: "path", path: "webrtc", why: "", failed: false });
  const attempt = (/** @type {string} */ protocol) =>
    /** @type {const} */ ({ type: "attempt", report: report({ outcome: "chosen", pairs: [pair({ state: "chosen", protocol })] }) });
  let state = update(INITIAL, way);
  assert.equal(rungInUse(state), "WebRTC");
  state = update(update(state, attempt("udp")), attempt("tcp"));
  assert.equal(rungInUse(state), "WebRTC over TCP");
  assert.equal(shortRung(state), "TCP");
  const websocket = update(state, { ...way, path: "websocket" });
  assert.deepEqual([rungInUse(websocket), shortRung(websocket)], ["WebSocket", "WebSocket"]);
  assert.equal(shortRung(update(state, attempt("relay/tls"))), "relay");
});

test("an attempt is told in one line, with what was tried", () => {
  assert.equal(
    attemptLine(report({ outcome: "chosen", after_ms: 312, pairs: [pair({ state: "chosen", protocol: "tcp" })] })),
    "WebRTC over TCP carried sound after 312\u00a0ms (host 203.0.113.7:13007)",
  );
  const failed = attemptLine(report({ pairs: [pair({}), pair({}), pair({ protocol: "tcp", state: "failed" })] }));
  assert.equal(failed, "WebRTC failed after 10.0\u00a0s: no sound came. Tried: UDP to 203.0.113.7:13007 unanswered (2 times), TCP to 203.0.113.7:13007 failed");
  assert.match(attemptLine(report({})), /No pair of addresses could be tried/);
  const many = [1, 2, 3, 4, 5].map((port) => pair({ remote: `host 203.0.113.7:${port}` }));
  assert.match(attemptLine(report({ pairs: many })), /and 2 more$/);
});

test("what is not offered is told with its reason", () => {
  const why = { udp: "pods take none", ice_tcp: "", turn: "no server is named" };
  assert.deepEqual(notOffered({ udp: false, ice_tcp: "203.0.113.7:1", turn: false, why }), [
    ["No UDP", "pods take none"],
    ["No relay", "no server is named"],
  ]);
  assert.deepEqual(notOffered(undefined), []);
});
