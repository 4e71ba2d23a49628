/**
 * How far the models are, in plain words. Pure: `view/loading.js` shows it.
 *
 * @import {Engine, Progress} from "./config.js"
 * @import {Pace} from "./remaining.js"
 */
import { about, remainingS } from "./remaining.js";

/** Stages as a person would say them, by their first word; the terminal has the same words (server/loading.py). */
const STAGES = /** @type {Record<string, string>} */ ({
  start: "starting",
  import: "starting",
  download: "downloading",
  load: "loading",
  capture: "recording its steps",
  "warm-up": "warming up",
});

/**
 * One engine that is on its way.
 * @typedef {Object} Line
 * @property {string} name
 * @property {string} text what it is at, and how far
 * @property {number | null} share 0…1; null: nobody knows
 */

/**
 * What is worth a line: models that say what they are at. Others are there before one could read it.
 * @param {Engine[]} engines
 * @param {readonly Pace[]} [paces] how fast they came so far
 * @returns {Line[]}
 */
export function lines(engines, paces = []) {
  return engines.flatMap((engine) => {
    const { name, state, progress } = engine;
    if (state === "ready" || !progress || progress.stage === "start") return [];
    const { stage, done, total } = progress;
    const said = stage.replace(/^\S+/, (word) => STAGES[word] ?? word);
    const left = remainingS(paces, engine);
    const text = [said, amount(progress), left === null ? "" : about(left)].filter(Boolean).join(", ");
    return [{ name: titled(name), text, share: total > 0 ? Math.min(done / total, 1) : null }];
  });
}

/**
 * What stands under the state's word; empty when all of them are there.
 * @param {Engine[]} engines
 */
export function summary(engines) {
  const failed = engines.filter(({ state }) => state === "failed");
  if (failed.length > 0) {
    return failed.map(({ name, detail, remedy }) => `${titled(name)} does not run: ${ended(detail)} ${remedy}`.trim()).join(" ");
  }
  const anew = engines.filter(({ state }) => state === "restarting");
  if (anew.length > 0) return anew.map(({ name, detail }) => `${titled(name)} is being started again: ${ended(detail)}`).join(" ");
  if (engines.every(({ state }) => state === "ready")) return "";
  const fetched = engines.some(({ progress }) => progress?.stage === "download");
  return `The models are loading.${fetched ? " What is downloaded now is there at the next start." : ""}`;
}

/** @param {Engine[]} engines */
export function anyFailed(engines) {
  return engines.some(({ state }) => state === "failed");
}

/** @param {Progress} progress */
function amount({ stage, done, total }) {
  if (total <= 0) return "";
  if (stage !== "download") return `${done} of ${total}`;
  if (total < 1e9) return `${(done / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
  return `${(done / 1e9).toFixed(1)} of ${(total / 1e9).toFixed(1)} GB`;
}

/** @param {string} name */
function titled(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** @param {string} sentence */
function ended(sentence) {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence || "nobody knows why"}.`;
}
