/**
 * "Report this turn": the button that puts a turn into the clipboard as plain text.
 *
 * @import {PageState} from "../state.js"
 */
import { health, ServerLog } from "../looking.js";
import { turnReport } from "../turn_report.js";
import { copy } from "./copy.js";
import { find, write } from "./find.js";

/** @returns {(state: PageState, picked: number | null) => void} */
export function reportView() {
  const button = find("report-copy", HTMLButtonElement);
  const told = find("report-told", HTMLElement);
  const words = find("report-words", HTMLInputElement);
  const log = new ServerLog();
  /** @type {PageState | null} */
  let latest = null;
  /** @type {number | null} */
  let turn = null;

  /** @param {PageState} state */
  const text = async (state) => {
    const session = state.welcome?.session ?? "";
    const [now, { lines, why }] = await Promise.all([health(), session ? log.look("all", session) : { lines: [], why: "none" }]);
    return turnReport({
      state,
      health: now,
      lines: why ? null : lines,
      when: new Date().toISOString(),
      browser: navigator.userAgent,
      picked: turn,
      words: words.checked,
    });
  };
  button.addEventListener("click", async () => {
    if (!latest) return;
    const made = text(latest);
    const done = await copy(made);
    const count = (await made).trimEnd().split("\n").length;
    write(told, done ? `Copied, ${count} lines.` : "This browser lets nothing be copied by itself: the text stands below.");
  });

  return (state, picked) => {
    latest = state;
    turn = picked;
  };
}
