/**
 * How the turns of this conversation compare: two numbers, a chart, and the same as a table.
 *
 * @import {PageState} from "../state.js"
 * @import {TurnTiming} from "../wire.js"
 */
import { COMPARED } from "../meanings.js";
import { chartWords, compared, lookedAt, slowest } from "../turns.js";
import { Chart } from "./chart.js";
import { facts } from "./facts.js";
import { find, make, write } from "./find.js";

/**
 * @param {(turn: number) => void} pick one whose parts are to be shown
 * @returns {(state: PageState, picked: number | null) => void}
 */
export function turnsView(pick) {
  const numbers = find("turns-numbers", HTMLElement);
  const count = find("turns-count", HTMLElement);
  const picture = find("turns-chart", HTMLElement);
  const fold = find("turns-fold", HTMLDetailsElement);
  const rows = find("turns-rows", HTMLElement);
  const chart = new Chart(picture, (pointed) => write(count, gist(pointed)), pick);
  /** Each is made once, so that whoever is at one stays there. @type {Map<TurnTiming, HTMLElement>} */
  const items = new Map();
  /** @type {TurnTiming[] | undefined} */
  let drawn;
  /** @type {TurnTiming[] | undefined} */
  let listed;
  /** @type {number | undefined} */
  let shown;
  /** @type {TurnTiming[]} */
  let turns = [];
  rows.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLButtonElement) pick(Number(target.textContent));
  });

  /** @param {TurnTiming} [pointed] */
  const gist = (pointed) => {
    if (pointed) return `turn ${pointed.turn}: ${Math.round(pointed.total_ms)} ms`;
    return turns.length === 1 ? "1 turn" : `${turns.length || "no"} turns`;
  };
  const list = () => {
    if (!fold.open || listed === turns) return;
    listed = turns;
    for (const [timing, item] of items) {
      if (turns.includes(timing)) continue;
      item.remove();
      items.delete(timing);
    }
    for (const timing of turns) {
      if (items.has(timing)) continue;
      items.set(timing, row(timing));
      rows.prepend(/** @type {Node} */ (items.get(timing)));
    }
  };
  /** @param {number | undefined} picked */
  const mark = (picked) => {
    for (const button of rows.querySelectorAll("button")) {
      button.ariaPressed = String(Number(button.textContent) === picked);
    }
  };
  fold.addEventListener("toggle", () => {
    list();
    mark(shown);
  });

  return (state, picked) => {
    ({ turns } = state);
    const now = lookedAt(turns, picked)?.turn;
    if (drawn === turns && now === shown) return;
    shown = now;
    if (drawn === turns) return mark(shown);
    drawn = turns;
    const { p50, p95 } = compared(turns);
    facts(numbers, [pair("p50", p50), pair("p95", p95)], COMPARED);
    write(count, gist());
    picture.ariaLabel = chartWords(turns);
    void chart.show(turns);
    list();
    mark(shown);
  };
}

/** @param {string} name @param {number | null} ms @returns {[string, string]} */
function pair(name, ms) {
  return [name, ms === null ? "–" : `${Math.round(ms)}\u00a0ms`];
}

/** @param {TurnTiming} timing */
function row(timing) {
  const item = make("tr");
  const turn = make("td");
  turn.append(make("button", "quiet", String(timing.turn)));
  item.append(turn, make("td", "", `${Math.round(timing.total_ms)}\u00a0ms`), make("td", "", slowest(timing)));
  return item;
}
