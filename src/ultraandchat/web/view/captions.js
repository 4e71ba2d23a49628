/**
 * The words of both sides as they come, the newest at the bottom.
 *
 * @import {Caption} from "../captions.js"
 * @import {PageState} from "../state.js"
 */
import { find, make } from "./find.js";

/** Within this many pixels of the end the list follows what comes. */
const NEAR_END_PX = 48;
const NAMES = { user: "you", agent: "agent" };

/** @returns {(state: PageState) => void} */
export function captionsView() {
  const list = find("captions", HTMLOListElement);
  /** @type {Map<string, {caption: Caption, item: HTMLLIElement}>} */
  const shown = new Map();
  /** @type {Caption[]} */
  let last = [];

  return ({ captions }) => {
    if (captions === last) return;
    last = captions;
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    const kept = new Set(captions.map(({ id }) => id));
    for (const [id, { item }] of shown) {
      if (kept.has(id)) continue;
      item.remove();
      shown.delete(id);
    }
    captions.forEach((caption, index) => {
      const old = shown.get(caption.id);
      if (old?.caption === caption) return;
      const item = old?.item ?? begin(caption);
      if (!old) list.insertBefore(item, list.children[index] ?? null);
      item.classList.toggle("anew", index > 0 && captions[index - 1].conversation !== caption.conversation);
      fill(item, caption);
      shown.set(caption.id, { caption, item });
    });
    if (follows) list.scrollTop = list.scrollHeight;
  };
}

/** @param {Caption} caption */
function begin({ who, turn }) {
  const item = make("li");
  item.dataset.who = who;
  item.dataset.turn = String(turn);
  if (who === "user") item.setAttribute("aria-live", "off"); // one knows what one said
  item.append(make("span", "who", NAMES[who]), make("p"));
  return item;
}

/** @param {HTMLLIElement} item @param {Caption} caption */
function fill(item, { who, clauses, partial, unheard }) {
  item.classList.toggle("partial", who === "user" && partial);
  item.dataset.final = String(!partial);
  const words = /** @type {HTMLElement} */ (item.lastElementChild);
  words.textContent = clauses.join(" ");
  if (!unheard) return;
  const rest = make("s", "unheard", unheard);
  rest.title = "Not heard: the reply was cut here.";
  words.append(clauses.length ? " " : "", rest);
}
