/**
 * How long a model still loads, from how fast it came so far. Said only once that is known: a number that jumps
 * about is worse than none. Pure.
 *
 * @import {Engine, Progress} from "./config.js"
 */

/** Nothing is said before it was watched for so long. */
const KNOWN_MS = 4_000;
/** Only the last of it counts: a network may become slower. */
const WINDOW_MS = 30_000;
/** Of a mark each this long at least, so that there are few. */
const STEP_MS = 1_000;
/** One that has not moved for so long has no speed. */
const STALL_MS = 10_000;

/** @typedef {{at: number, done: number}} Mark */

/** One engine at one stage. @typedef {{key: string, marks: Mark[]}} Pace */

/**
 * What was seen so far, and what is there now.
 * @param {readonly Pace[]} paces
 * @param {readonly Engine[]} engines
 * @param {number} at in ms, by a clock that does not jump
 * @returns {Pace[]}
 */
export function paced(paces, engines, at) {
  return engines.flatMap(({ kind, name, progress }) => {
    if (!progress || progress.total <= 0) return [];
    const key = keyOf(kind, name, progress);
    const before = paces.find((pace) => pace.key === key)?.marks ?? [];
    return [{ key, marks: marked(before, { at, done: progress.done }) }];
  });
}

/** @param {Mark[]} marks @param {Mark} now @returns {Mark[]} */
function marked(marks, now) {
  const last = marks.at(-1);
  if (last && now.done < last.done) return [now]; // it began anew
  if (last && now.at - last.at < STEP_MS) return marks;
  return [...marks.filter(({ at }) => now.at - at <= WINDOW_MS), now];
}

/**
 * Seconds until this stage is through; null: nobody knows.
 * @param {readonly Pace[]} paces
 * @param {Engine} engine
 */
export function remainingS(paces, { kind, name, progress }) {
  if (!progress) return null;
  const key = keyOf(kind, name, progress);
  const marks = paces.find((pace) => pace.key === key)?.marks ?? [];
  const [first, last] = [marks[0], marks.at(-1)];
  if (!first || !last || last.at - first.at < KNOWN_MS || last.done <= first.done) return null;
  const moved = marks.find(({ done }) => done === last.done) ?? last;
  if (last.at - moved.at >= STALL_MS) return null;
  return ((progress.total - last.done) * (last.at - first.at)) / (last.done - first.done) / 1000;
}

/**
 * As a person would say it, and no finer than it is known.
 * @param {number} seconds
 */
export function about(seconds) {
  if (seconds < 10) return "a few seconds left";
  if (seconds < 90) return `about ${10 * Math.ceil(seconds / 10)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
}

/** @param {string} kind @param {string} name @param {Progress} progress */
function keyOf(kind, name, { stage, total }) {
  return `${kind} ${name} ${stage} ${total}`;
}
