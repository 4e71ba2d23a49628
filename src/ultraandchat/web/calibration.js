/**
 * Where the level belongs below which sound is not speech, between a voice and a room. Pure: levels go in, in dBFS, of
 * frames of some seconds each; a level and a sentence come out.
 */
import { LEVELS } from "./preferences.js";

/** Who speaks more quietly than that has another microphone, or none. */
const NOTHING_DBFS = -68;
/** A voice that stands out less cannot be told from its room by loudness. */
const LEAST_GAP_DB = 10;
const CLEAR_GAP_DB = 25;
/** The level stays so far above the room, and, if it can, so far below the voice: words have weak ends. */
const ABOVE_ROOM_DB = 4;
const BELOW_VOICE_DB = 15;

/** @typedef {{level: number, words: string}} Calibrated `level`: as `Preferences.sensitivity`; 0: the server's own does */

/**
 * @param {number[]} speech levels while somebody spoke
 * @param {number[]} quiet levels while nobody did
 * @param {number} usual the server's own level
 * @returns {Calibrated}
 */
export function calibrated(speech, quiet, usual) {
  const voice = percentile(speech, 0.75);
  const room = percentile(quiet, 0.95);
  const gap = voice - room;
  if (speech.length === 0 || quiet.length === 0) return { level: 0, words: "No sound came from the microphone." };
  if (voice < NOTHING_DBFS) return { level: 0, words: "I heard next to nothing. Is it the right microphone, and is it switched on?" };
  if (gap < LEAST_GAP_DB) {
    return { level: 0, words: "Your voice hardly stands out from your room. Come nearer, or make it quieter." };
  }
  const stands = `Your voice stands ${gap >= CLEAR_GAP_DB ? "well " : ""}above your room.`;
  if (room + ABOVE_ROOM_DB <= usual && usual <= voice - BELOW_VOICE_DB) return { level: 0, words: `${stands} Nothing needs to be set.` };
  const between = Math.max(room + ABOVE_ROOM_DB, voice - BELOW_VOICE_DB);
  const [least, most] = LEVELS;
  const level = Math.round(Math.min(Math.max(between, least), most));
  const so = level < usual ? "I listen more closely now." : "Only what is as loud as you counts now.";
  return { level, words: `${stands} ${so}` };
}

/** @param {number[]} values @param {number} share */
function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)];
}

/** Frames of 20 ms: while somebody speaks, until they are still, and while they are. */
const SPEAKING = 200;
const SETTLING = 40;
const STILL = 125;

/** Levels of both steps, one after the other. */
export class Gathering {
  constructor() {
    /** @type {number[]} */
    this.speech = [];
    /** @type {number[]} */
    this.quiet = [];
    /** @private */
    this.frames = 0;
  }

  /** @param {number} dbfs of the next frame */
  hear(dbfs) {
    this.frames += 1;
    if (this.frames <= SPEAKING) this.speech.push(dbfs);
    else if (this.frames > SPEAKING + SETTLING) this.quiet.push(dbfs);
  }

  /** What the person is to do now; how much of it is done, 0…1. */
  get step() {
    const still = this.frames - SPEAKING;
    if (still < 0) return { does: /** @type {const} */ ("speaks"), done: this.frames / SPEAKING };
    if (still < SETTLING + STILL) return { does: /** @type {const} */ ("is still"), done: still / (SETTLING + STILL) };
    return { does: /** @type {const} */ ("is done"), done: 1 };
  }
}
