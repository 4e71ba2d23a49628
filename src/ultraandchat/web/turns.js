/**
 * Where the time of a turn went, and how turns compare. Pure: `turn_timing` messages go in, rows and numbers come out.
 *
 * @import {TurnTiming} from "./wire.js"
 */

/** The parts as they follow each other; rows are kept for all of them, so that nothing moves when one is missing. */
export const PART_NAMES = ["end silence", "words", "first clause", "first sound", "playout"];

/**
 * One part of a turn. Parts overlap where the answer was begun before the silence was over; what a part *added* is
 * what of it ran while nothing before it did, so the added times sum to the total.
 * @typedef {Object} Step
 * @property {string} name
 * @property {boolean} there
 * @property {number} startMs
 * @property {number} endMs
 * @property {number} addedMs a whole number
 * @property {number} tookMs a whole number
 */

/**
 * @param {TurnTiming | undefined} timing
 * @returns {Step[]}
 */
export function steps(timing) {
  const parts = timing?.parts ?? [];
  const known = new Map(parts.map((part) => [part.name, part]));
  const names = [...PART_NAMES, ...parts.map(({ name }) => name).filter((name) => !PART_NAMES.includes(name))];
  let covered = 0;
  return names.map((name) => {
    const part = known.get(name);
    if (!part) return { name, there: false, startMs: 0, endMs: 0, addedMs: 0, tookMs: 0 };
    const { start_ms: startMs, end_ms: endMs } = part;
    const before = covered;
    covered = Math.max(covered, endMs);
    const addedMs = Math.round(covered) - Math.round(before);
    return { name, there: true, startMs, endMs, addedMs, tookMs: Math.max(addedMs, Math.round(endMs - startMs)) };
  });
}

/**
 * What lies outside of the server's clock, as far as this page knows it.
 * @param {import("./state.js").PageState} state
 * @returns {{networkMs: number | null, bufferMs: number | null}}
 */
export function outside({ link, rttMs, buffer }) {
  const networkMs = link?.rttMs ?? rttMs;
  const bufferMs = link?.bufferedMs ?? buffer?.targetMs ?? null;
  return { networkMs, bufferMs };
}

/**
 * The smallest of these that so many of them do not exceed (nearest rank).
 * @param {number[]} numbers
 * @param {number} share 0…1
 */
export function percentile(numbers, share) {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** @param {TurnTiming[]} turns */
export function compared(turns) {
  const totals = turns.map(({ total_ms }) => total_ms);
  return { count: totals.length, p50: percentile(totals, 0.5), p95: percentile(totals, 0.95) };
}

/**
 * The turn that is looked at: the one that was picked while it is known, else the newest.
 * @param {TurnTiming[]} turns
 * @param {number | null} picked
 */
export function lookedAt(turns, picked) {
  return turns.find(({ turn }) => turn === picked) ?? turns.at(-1);
}

/** The chart in words, for whoever does not see it. @param {TurnTiming[]} turns */
export function chartWords(turns) {
  const totals = turns.map(({ total_ms }) => Math.round(total_ms));
  if (totals.length === 0) return "Time to the answer, turn by turn: none yet.";
  const [least, most] = [Math.min(...totals), Math.max(...totals)];
  const turn = totals.length === 1 ? "1 turn" : `${totals.length} turns`;
  return `Time to the answer of ${turn}: from ${least} to ${most} ms, ${totals.at(-1)} ms in the last one.`;
}

/** @param {TurnTiming} timing @returns {string} the part that added most */
export function slowest(timing) {
  const [first] = steps(timing).sort((a, b) => b.addedMs - a.addedMs);
  return first.there ? first.name : "";
}
