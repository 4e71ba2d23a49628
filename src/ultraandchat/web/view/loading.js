/**
 * A bar for each model that says how far it is, until it is there.
 *
 * @import {Line} from "../loading.js"
 * @import {PageState} from "../state.js"
 */
import { lines } from "../loading.js";
import { find, make } from "./find.js";

/** @returns {(state: PageState) => void} */
export function loadingView() {
  const list = find("loading", HTMLUListElement);

  return ({ phase, reachable, config, paces }) => {
    const shown = phase === "loading" && reachable ? lines(config?.engines ?? [], paces) : [];
    list.hidden = shown.length === 0;
    while (list.children.length > shown.length) list.lastElementChild?.remove();
    while (list.children.length < shown.length) list.append(row());
    shown.forEach((line, index) => show(/** @type {HTMLLIElement} */ (list.children[index]), line));
  };
}

function row() {
  const item = document.createElement("li");
  item.append(make("span", "what", ""), document.createElement("progress"));
  return item;
}

/** @param {HTMLLIElement} item @param {Line} line */
function show(item, { name, text, share }) {
  const words = /** @type {HTMLElement} */ (item.querySelector(".what"));
  words.textContent = `${name}: ${text}`;
  const bar = /** @type {HTMLProgressElement} */ (item.querySelector("progress"));
  bar.ariaLabel = name;
  bar.ariaValueText = text;
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}
