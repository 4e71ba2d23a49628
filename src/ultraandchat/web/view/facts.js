/** Names with their values, and what a name means: shown to whoever points at it, read to whoever comes to it. */
import { make, write } from "./find.js";

let hints = 0;

/**
 * Let an element be come to, and have a line that explains it.
 * @param {HTMLElement} element
 * @param {string} meaning
 */
export function explain(element, meaning) {
  const hint = make("span", "hint", meaning);
  hint.id = `hint-${(hints += 1)}`;
  hint.role = "tooltip";
  element.classList.add("term");
  element.tabIndex = 0;
  element.setAttribute("aria-describedby", hint.id);
  element.append(hint);
  return hint;
}

/** Escape takes away the line that is shown, and nothing else with it. @param {KeyboardEvent} event */
export function hush(event) {
  const hint = document.querySelector(".term:is(:hover, :focus) > .hint:not([hidden])");
  if (event.key !== "Escape" || !(hint instanceof HTMLElement)) return;
  event.stopPropagation();
  hint.hidden = true;
  const again = () => {
    hint.hidden = false;
  };
  for (const leaving of ["blur", "pointerleave"]) hint.parentElement?.addEventListener(leaving, again, { once: true });
}

/**
 * Show these pairs; what stays the same is left as it is, so that focus and selection stay, too.
 * @param {HTMLElement} list a `dl`
 * @param {[string, string][]} pairs
 * @param {Record<string, string>} [meanings]
 */
export function facts(list, pairs, meanings = {}) {
  pairs.forEach(([name, value], index) => {
    const there = list.children[2 * index];
    const after = list.children[2 * index + 1];
    if (there instanceof HTMLElement && there.dataset.name === name) return write(after, value);
    const term = make("dt", "", name);
    term.dataset.name = name;
    if (meanings[name]) explain(term, meanings[name]);
    there?.remove();
    after?.remove();
    list.insertBefore(term, list.children[2 * index] ?? null);
    term.after(make("dd", "", value));
  });
  while (list.children.length > 2 * pairs.length) list.lastElementChild?.remove();
}
