/**
 * How the page looks and sounds: light or dark, the size of captions, its own two sounds. early.js paints.
 *
 * @import {CAPTION_SIZES, Preferences, THEMES} from "../preferences.js"
 * @import {Preferring} from "../preferring.js"
 */
import { find } from "./find.js";

/** @param {Preferring} preferring */
export function looksPart(preferring) {
  const theme = find("theme", HTMLElement);
  const captions = find("caption-size", HTMLElement);
  const earcons = find("earcons", HTMLInputElement);
  onChoice(theme, (value) => preferring.choose({ theme: /** @type {typeof THEMES[number]} */ (value) }));
  onChoice(captions, (value) => preferring.choose({ captions: /** @type {typeof CAPTION_SIZES[number]} */ (value) }));
  earcons.addEventListener("change", () => preferring.choose({ earcons: earcons.checked }));
  return {
    /** @param {Preferences} now */
    show(now) {
      check(theme, now.theme);
      check(captions, now.captions);
      earcons.checked = now.earcons;
      dispatchEvent(new Event("preferences"));
    },
  };
}

/** @param {HTMLElement} group of radio buttons @param {(value: string) => void} choose */
function onChoice(group, choose) {
  group.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLInputElement) choose(target.value);
  });
}

/** @param {HTMLElement} group @param {string} value */
function check(group, value) {
  for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
}
