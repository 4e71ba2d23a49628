/**
 * What is speaking, in one sentence, how soon it answered, and the voice that is chosen; view/side.js has the rest.
 *
 * @import {PageState} from "../state.js"
 */
import { find, make, milliseconds } from "./find.js";

/**
 * @param {(voice: string) => void} choose
 * @returns {(state: PageState) => void}
 */
export function detailsView(choose) {
  const voices = find("voices", HTMLSelectElement);
  voices.addEventListener("change", () => choose(voices.value));
  /** @type {readonly unknown[]} */
  let last = [];

  return (state) => {
    const known = state.phase === "talking" ? state.welcome : (state.config ?? state.welcome);
    const { voice } = state;
    const answered = state.turns.at(-1)?.total_ms;
    const now = [known, voice, answered];
    if (now.every((value, index) => value === last[index])) return;
    last = now;
    const time = answered ? [make("span", "wide", "answered in "), milliseconds(answered)] : [];
    find("answered", HTMLElement).replaceChildren(...time);
    const { dataset } = find("latency", HTMLElement);
    if (answered) dataset.totalMs = answered.toFixed(1);
    else delete dataset.totalMs;
    find("about", HTMLElement).textContent = known?.about ?? "";
    showVoices(voices, known?.voices ?? [], voice);
    find("voice", HTMLElement).hidden = !state.config?.library && (known?.voices ?? []).length < 2;
  };
}

/** @param {HTMLSelectElement} select @param {string[]} voices @param {string} chosen */
function showVoices(select, voices, chosen) {
  const there = [...select.options].map(({ value }) => value);
  if (there.join("\n") !== voices.join("\n")) {
    select.replaceChildren(...voices.map((voice) => new Option(voice, voice)));
  }
  if (voices.includes(chosen)) select.value = chosen;
}
