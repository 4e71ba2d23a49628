/**
 * The details beside the room (a sheet from below where there is no place): opened and closed, remembered, and drawn only
 * while somebody can see them.
 *
 * @import {Probed} from "../connection/probe.js"
 * @import {PageState} from "../state.js"
 */
import { connectionGist, connectionView } from "./connection.js";
import { EnginesView } from "./engines.js";
import { hush } from "./facts.js";
import { find, write } from "./find.js";
import { latencyView } from "./latency.js";
import { LogView } from "./log.js";
import { networkTestView } from "./network_test.js";
import { reportView } from "./report.js";
import { turnsView } from "./turns.js";

const REMEMBERED = "details";
/** Which folds are open, by name. */
const REMEMBERED_FOLDS = "folds";

/**
 * @param {(tell: (probed: Probed) => void) => Promise<void>} test
 * @returns {(state: PageState) => void}
 */
export function sideView(test) {
  const engines = new EnginesView();
  const log = new LogView();
  /** @type {number | null} An earlier turn that is looked at. */
  let picked = null;
  const pick = (/** @type {number} */ turn) => {
    picked = turn === picked || turn === latest?.turns.at(-1)?.turn ? null : turn;
    draw();
  };
  const always = [latencyView(), turnsView(pick), reportView()];
  const connection = find("connection-fold", HTMLDetailsElement);
  const folded = [
    { fold: connection, show: connectionView(), look: () => {} },
    { fold: connection, show: networkTestView(test), look: () => {} },
    { fold: find("engines-fold", HTMLDetailsElement), show: (/** @type {PageState} */ state) => engines.show(state), look: (/** @type {boolean} */ on) => engines.look(on) },
    { fold: find("log-fold", HTMLDetailsElement), show: (/** @type {PageState} */ state) => log.show(state), look: (/** @type {boolean} */ on) => log.look(on) },
  ];
  const path = find("connection-gist", HTMLElement);
  let open = false;
  /** @type {PageState | null} */
  let latest = null;

  const draw = () => {
    if (!open || !latest) return;
    for (const show of always) show(latest, picked);
    write(path, connectionGist(latest));
    engines.gist(latest);
    for (const { fold, show } of folded) if (fold.open) show(latest);
  };
  const look = () => {
    const seen = open && document.visibilityState === "visible";
    for (const { fold, look } of folded) look(seen && fold.open);
  };
  const changed = () => {
    draw();
    look();
  };
  foldable((now) => {
    open = now;
    changed();
  });
  remembered(new Set(folded.map(({ fold }) => fold)), changed);
  document.addEventListener("visibilitychange", look);

  return (state) => {
    if (state.conversation !== latest?.conversation) picked = null;
    latest = state;
    draw();
  };
}

/** The whole of it. @param {(open: boolean) => void} tell */
function foldable(tell) {
  const side = find("side", HTMLElement);
  const button = find("details", HTMLButtonElement);
  const fold = (/** @type {boolean} */ open) => {
    side.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    document.documentElement.dataset.side = open ? "open" : "closed";
    tell(open);
  };
  const choose = (/** @type {boolean} */ open, byMouse = false) => {
    fold(open);
    localStorage.setItem(REMEMBERED, open ? "open" : "closed");
    if (byMouse) button.blur(); // the space bar is for holding the floor
    else if (open) side.focus();
    else button.focus();
  };
  button.addEventListener("click", ({ detail }) => choose(side.hidden === true, detail > 0));
  find("less", HTMLButtonElement).addEventListener("click", ({ detail }) => choose(false, detail > 0));
  document.addEventListener("keydown", hush, { capture: true }); // before the side hears it
  side.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") choose(false);
  });
  fold(localStorage.getItem(REMEMBERED) === "open");
}

/** Its folds are as they were left. @param {Set<HTMLDetailsElement>} folds @param {() => void} changed */
function remembered(folds, changed) {
  const kept = localStorage.getItem(REMEMBERED_FOLDS)?.split(" ");
  for (const fold of folds) {
    if (kept) fold.open = kept.includes(fold.id);
    fold.addEventListener("toggle", () => {
      const open = [...folds].filter((one) => one.open).map(({ id }) => id);
      localStorage.setItem(REMEMBERED_FOLDS, open.join(" "));
      changed();
    });
  }
}
