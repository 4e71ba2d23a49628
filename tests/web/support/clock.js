/** One virtual clock for everything that waits, and for `performance.now`. */
import { mock } from "node:test";

import { settled } from "./peer.js";

export function virtualTime() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  performance.now = () => Date.now();
}

/** Let time pass in steps, so that what waits for a promise gets its turn. @param {number} ms @param {number} [step] */
export async function pass(ms, step = 10) {
  for (let left = ms; left > 0; left -= step) {
    mock.timers.tick(Math.min(step, left));
    await settled();
  }
}
