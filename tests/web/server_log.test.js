import assert from "node:assert/strict";
import { test } from "node:test";

import { copied, gone, matching, merged, ownLine, parsed, shownLine } from "../../src/ultraandchat/web/server_log.js";

const SERVER = `2026-11-27T03:14:55.697Z info server sphinx: ready, pid 2, loaded in 2.69 s
2026-11-27T03:15:01.000Z error server session=ab12 turn=3 request failed
  | Traceback
  | ValueError
2026-11-27T03:15:02.500Z info server session=ab12 turn=3 conversation closed reason=peer_left
`;
const TURN = "2026-11-27T03:15:02.000Z info turn session=ab12 turn=3 turn ended kind=spoken\n";

test("a line has its time, level, component and turn; a trace belongs to the line before it", () => {
  const [ready, failed, closed] = parsed(SERVER);
  assert.deepEqual(ready, {
    stamp: "2026-11-27T03:14:55.697Z",
    level: "info",
    component: "server",
    turn: null,
    text: "sphinx: ready, pid 2, loaded in 2.69 s",
  });
  assert.equal(failed.text, "request failed\n  | Traceback\n  | ValueError");
  assert.equal(closed.turn, 3);
  assert.deepEqual(parsed(""), []);
  assert.deepEqual(parsed("  | the end of a trace that was cut off\n"), []);
});

test("files are shown in the order of time", () => {
  const all = merged([parsed(SERVER), parsed(TURN)]);
  assert.deepEqual(all.map(({ component }) => component), ["server", "server", "turn", "server"]);
});

test("a line is shown shortly, and what is not usual about it is named", () => {
  const [ready, failed] = parsed(SERVER).map(shownLine);
  assert.deepEqual(ready, { at: "03:14:55", from: "server", text: "sphinx: ready, pid 2, loaded in 2.69 s", level: "info" });
  assert.match(failed.text, /^error, turn 3: request failed\n/);
  assert.deepEqual(ownLine({ at: 1234, text: "muted" }), { at: "1.2 s", from: "page", text: "muted", level: "info" });
});

test("the filter wants every word, in whatever case, wherever it stands", () => {
  const lines = merged([parsed(SERVER), parsed(TURN)]).map(shownLine);
  assert.equal(matching(lines, "").length, 4);
  assert.equal(matching(lines, "TURN ended").length, 1);
  assert.equal(matching(lines, "valueerror").length, 1);
  assert.equal(matching(lines, "03:15:02").length, 2);
  assert.equal(matching(lines, "no such thing").length, 0);
});

test("what is copied is what is shown", () => {
  assert.equal(copied(parsed(TURN).map(shownLine)), "03:15:02 turn turn 3: turn ended kind=spoken\n");
  assert.equal(copied([]), "");
});

test("of a log that goes on only the ends change", () => {
  assert.equal(gone([], ["a"]), 0);
  assert.equal(gone(["a", "b"], ["a", "b"]), 0);
  assert.equal(gone(["a", "b"], ["a", "b", "c"]), 0);
  assert.equal(gone(["a", "b", "c"], ["b", "c", "d"]), 1);
  assert.equal(gone(["a", "a", "b"], ["a", "b", "c"]), 1, "a line may stand there twice");
  assert.equal(gone(["a", "b", "c"], ["a", "c"]), 3, "one in between was filtered out");
  assert.equal(gone(["a", "b"], ["a"]), 2);
  assert.equal(gone(["a", "b"], []), 2);
});
