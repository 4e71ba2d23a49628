/**
 * Forgetting what was said, there and here. The button asks once more.
 *
 * @import {PageState} from "../state.js"
 */
import { find } from "./find.js";

/**
 * @param {() => void} forget
 * @returns {(state: PageState) => void}
 */
export function forgetPart(forget) {
  const part = find("forgetting", HTMLElement);
  const button = find("forget", HTMLButtonElement);
  const told = find("forgotten", HTMLElement);
  let asked = false;
  const ask = (/** @type {boolean} */ again) => {
    asked = again;
    button.textContent = again ? "Really forget it" : "Forget this conversation";
  };
  button.addEventListener("click", () => {
    if (asked) {
      told.textContent = "It is forgotten.";
      forget();
    }
    ask(!asked);
  });
  find("settings", HTMLDialogElement).addEventListener("close", () => {
    ask(false);
    told.textContent = "";
  });
  return ({ captions, phase }) => {
    const something = captions.length > 0;
    part.hidden = !["talking", "ready"].includes(phase) || (!something && !told.textContent);
    button.disabled = !something;
  };
}
