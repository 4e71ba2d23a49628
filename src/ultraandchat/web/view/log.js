/**
 * The browser's own events and the server's notices, for whoever unfolds them.
 *
 * @import {LogLine, PageState} from "../state.js"
 */
import { find, make } from "./find.js";

/** @returns {(state: PageState) => void} */
export function logView() {
  const fold = find("log", HTMLDetailsElement);
  const list = find("log-lines", HTMLOListElement);
  /** @type {LogLine[]} */
  let shown = [];
  /** @type {LogLine[]} */
  let latest = [];

  const draw = () => {
    if (!fold.open || latest === shown) return;
    shown = latest;
    list.replaceChildren(...latest.map(line));
    list.scrollTop = list.scrollHeight;
  };
  fold.addEventListener("toggle", draw);

  return ({ log }) => {
    latest = log;
    draw();
  };
}

/** @param {LogLine} entry */
function line({ at, text }) {
  const item = make("li");
  item.append(make("span", "at", `${(at / 1000).toFixed(1)} s`), make("span", "", text));
  return item;
}
