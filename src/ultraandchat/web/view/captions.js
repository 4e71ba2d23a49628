/**
 * The words of both sides as they come, the newest at the bottom. Words grow where they stand: nothing moves what was
 * there before.
 *
 * @import {Caption} from "../captions.js"
 * @import {PageState} from "../state.js"
 */
import { bounded } from "../captions.js";
import { find, make } from "./find.js";

/** Captions shown; older ones leave the page, and are saved nevertheless. */
export const MOST_SHOWN = 200;
/** Within this many pixels of the end the list follows what comes. */
const NEAR_END_PX = 48;
/** An unhurried voice, to let the words of a clause come up about as they are said. */
const CHARS_PER_S = 15;
const NAMES = { user: "you", agent: "agent" };

/** @returns {(state: PageState) => void} */
export function captionsView() {
  const list = find("captions", HTMLOListElement);
  /** @type {Map<string, {caption: Caption, item: HTMLLIElement}>} */
  const shown = new Map();
  /** @type {readonly unknown[]} */
  let last = [];
  let follows = true;
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
  const follow = () => {
    if (follows) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("scroll", () => (follows = atEnd()), { passive: true });
  const resized = new ResizeObserver(follow);
  resized.observe(list);
  /** @type {Element | null} Tells of another size of all of them. */
  let newest = null;

  return ({ captions: all, conversation }) => {
    if (all === last[0] && conversation === last[1]) return;
    last = [all, conversation];
    const captions = bounded(all, MOST_SHOWN);
    const kept = new Set(captions.map(({ id }) => id));
    for (const [id, { item }] of shown) {
      if (kept.has(id)) continue;
      item.remove();
      shown.delete(id);
    }
    captions.forEach((caption, index) => {
      const old = shown.get(caption.id);
      old?.item.classList.toggle("earlier", caption.conversation !== conversation);
      if (old?.caption === caption) return;
      const item = old?.item ?? begin(caption);
      if (!old) list.insertBefore(item, list.children[index] ?? null);
      item.classList.toggle("anew", index > 0 && captions[index - 1].conversation !== caption.conversation);
      fill(item, caption);
      shown.set(caption.id, { caption, item });
    });
    follow();
    if (newest === list.lastElementChild) return;
    if (newest) resized.unobserve(newest);
    newest = list.lastElementChild;
    if (newest) resized.observe(newest);
  };
}

/** @param {Caption} caption */
function begin({ who, turn }) {
  const item = make("li");
  item.dataset.who = who;
  item.dataset.turn = String(turn);
  if (who === "user") item.setAttribute("aria-live", "off"); // they know what they said
  const words = make("p");
  words.dir = "auto"; // Arabic and Hebrew begin at the right
  item.append(make("span", "who", NAMES[who]), words);
  return item;
}

/** @param {HTMLLIElement} item @param {Caption} caption */
function fill(item, { who, clauses, partial, unheard }) {
  item.classList.toggle("partial", who === "user" && partial);
  item.dataset.final = String(!partial);
  const words = /** @type {HTMLElement} */ (item.lastElementChild);
  if (who === "agent" && partial) return grow(words, clauses);
  item.setAttribute("aria-live", "off"); // it was read while it grew
  words.textContent = clauses.join(" ");
  if (!unheard) return;
  const rest = make("s", "unheard", unheard);
  rest.title = "Not heard: the reply was cut here.";
  words.append(clauses.length ? " " : "", rest);
}

/**
 * A clause comes when it begins to be heard. It takes its place at once, and its words come up one by one; whatever
 * was said before is there. Words are added only, so that a screen reader reads each once.
 * @param {HTMLElement} words @param {string[]} clauses
 */
function grow(words, clauses) {
  const there = words.textContent ?? "";
  const text = clauses.join(" ");
  if (there === text) return; // told twice
  if (!text.startsWith(there)) words.textContent = "";
  for (const word of [...words.children]) word.className = "";
  let chars = 0;
  for (const word of text.slice(words.textContent?.length).match(/\s*\S+/g) ?? []) {
    const span = make("span", "word", word);
    span.style.animationDelay = `${((1000 * chars) / CHARS_PER_S).toFixed()}ms`;
    chars += word.length;
    words.append(span);
  }
}
