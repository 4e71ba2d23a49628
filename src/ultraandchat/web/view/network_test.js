/**
 * The network test in the details: a button, and what came of each rung. Not while somebody talks: the
 * attempts would take from the conversation's sound.
 *
 * @import {Probed} from "../connection/probe.js"
 * @import {PageState} from "../state.js"
 */
import { probedLine, PROBED_NAMES } from "../rungs.js";
import { facts } from "./facts.js";
import { find } from "./find.js";

/**
 * @param {(tell: (probed: Probed) => void) => Promise<void>} test
 * @returns {(state: PageState) => void}
 */
export function networkTestView(test) {
  const button = find("test-network", HTMLButtonElement);
  const list = find("network-test", HTMLElement);
  const hint = find("network-hint", HTMLElement);
  let running = false;
  let idle = true;

  /** @type {Map<string, [string, string]>} */
  const shown = new Map();
  const show = (/** @type {Probed} */ probed) => {
    shown.set(probed.kind, [PROBED_NAMES[probed.kind], probedLine(probed)]);
    list.dataset[probed.kind] = probed.outcome;
    facts(list, [...shown.values()]);
  };
  const enable = () => {
    button.disabled = running || !idle;
    hint.hidden = idle;
  };
  button.addEventListener("click", async () => {
    running = true;
    shown.clear();
    enable();
    await test(show).finally(() => {
      running = false;
      enable();
    });
  });

  return ({ phase }) => {
    if (idle === (phase === "ready")) return;
    idle = phase === "ready";
    enable();
  };
}
