/**
 * What is one click away: the engines in honest words, the voice; view/connection.js has the way the
 * sound takes. Closed at the first visit; the choice is remembered.
 *
 * @import {PageState} from "../state.js"
 * @import {EngineInfo} from "../wire.js"
 */
import { ENGINE_KINDS } from "../words.js";
import { facts, find, milliseconds } from "./find.js";

const REMEMBERED = "details";

/**
 * @param {(voice: string) => void} choose
 * @returns {(state: PageState) => void}
 */
export function detailsView(choose) {
  foldable();
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
    find("answered", HTMLElement).textContent = answered ? `answered in ${milliseconds(answered)}` : "";
    find("about", HTMLElement).textContent = known?.about ?? "";
    facts(find("engines", HTMLElement), (known?.engines ?? []).map(engine));
    showVoices(voices, known?.voices ?? [], voice);
  };
}

function foldable() {
  const side = find("side", HTMLElement);
  const more = find("more", HTMLButtonElement);
  const fold = (/** @type {boolean} */ open) => {
    side.hidden = !open;
    more.setAttribute("aria-expanded", String(open));
    document.documentElement.dataset.side = open ? "open" : "closed";
  };
  const choose = (/** @type {boolean} */ open) => {
    fold(open);
    localStorage.setItem(REMEMBERED, open ? "open" : "closed");
    more.focus();
  };
  more.addEventListener("click", () => choose(Boolean(side.hidden)));
  find("less", HTMLButtonElement).addEventListener("click", () => choose(false));
  side.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") choose(false);
  });
  fold(localStorage.getItem(REMEMBERED) === "open");
}

/** @param {EngineInfo} info @returns {[string, string]} */
function engine({ kind, name, state, detail }) {
  const rest = [state === "ready" ? "" : state, detail].filter(Boolean).join(", ");
  return [ENGINE_KINDS[kind] ?? kind, rest ? `${name}: ${rest}` : name];
}

/** @param {HTMLSelectElement} select @param {string[]} voices @param {string} chosen */
function showVoices(select, voices, chosen) {
  const there = [...select.options].map(({ value }) => value);
  if (there.join("\n") !== voices.join("\n")) {
    select.replaceChildren(...voices.map((voice) => new Option(voice, voice)));
  }
  if (chosen) select.value = chosen;
  find("voice", HTMLElement).hidden = voices.length < 2;
}
