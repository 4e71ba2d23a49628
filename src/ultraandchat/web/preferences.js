/**
 * What a person chose, as this browser keeps it. Pure: text goes in, whatever it may be, and what can be obeyed comes
 * out; what cannot is as usual. view/settings.js lets it be changed, preferring.js keeps it.
 *
 * @import {Settings} from "./wire.js"
 */

/** In `localStorage`; early.js looks there, too. */
export const KEY = "preferences";
const VERSION = 1;

export const CAPTION_SIZES = /** @type {const} */ (["small", "medium", "large", "largest"]);
export const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
/** What the server takes. */
export const SPEEDS = /** @type {const} */ ([0.5, 2]);
/** Of a level below which sound is not speech, dBFS. */
export const LEVELS = /** @type {const} */ ([-70, -20]);
/** Ids and names are shorter; what is longer is none. */
const MOST_CHARS = 300;

/**
 * @typedef {Object} Preferences
 * @property {string} microphone the device's id; empty: what the system uses
 * @property {string} speaker likewise
 * @property {boolean} echo is cancelled by the browser
 * @property {boolean} noise is suppressed by it
 * @property {boolean} gain is set by it
 * @property {number} sensitivity the level below which sound is not speech, dBFS; 0: the server's own
 * @property {string} voice empty: the first
 * @property {number} speed 1: as made
 * @property {typeof CAPTION_SIZES[number]} captions how large they are
 * @property {typeof THEMES[number]} theme
 * @property {boolean} earcons the page's own two sounds
 */

/** @type {Readonly<Preferences>} */
export const USUAL = Object.freeze({
  microphone: "",
  speaker: "",
  echo: true,
  noise: true,
  gain: true,
  sensitivity: 0,
  voice: "",
  speed: 1,
  captions: "medium",
  theme: "auto",
  earcons: true,
});

/** Whether a value can be obeyed. @type {Record<keyof Preferences, (value: unknown) => boolean>} */
const POSSIBLE = {
  microphone: isName,
  speaker: isName,
  echo: isSwitch,
  noise: isSwitch,
  gain: isSwitch,
  sensitivity: (value) => value === 0 || isWithin(value, LEVELS),
  voice: isName,
  speed: (value) => isWithin(value, SPEEDS),
  captions: (value) => CAPTION_SIZES.some((size) => size === value),
  theme: (value) => THEMES.some((theme) => theme === value),
  earcons: isSwitch,
};

/**
 * @param {string | null} text as it was kept, or whatever stands there
 * @returns {Preferences}
 */
export function read(text) {
  return { ...USUAL, ...possible(parsed(text)) };
}

/**
 * Only what is not as usual: what is usual may change with the page.
 * @param {Preferences} preferences
 */
export function written(preferences) {
  const chosen = Object.entries(preferences).filter(([name, value]) => value !== USUAL[/** @type {keyof Preferences} */ (name)]);
  return JSON.stringify({ version: VERSION, ...Object.fromEntries(chosen) });
}

/** @param {Record<string, unknown>} kept @returns {Partial<Preferences>} */
function possible(kept) {
  const names = /** @type {(keyof Preferences)[]} */ (Object.keys(USUAL));
  return Object.fromEntries(names.filter((name) => POSSIBLE[name](kept[name])).map((name) => [name, kept[name]]));
}

/** @param {string | null} text @returns {Record<string, unknown>} */
function parsed(text) {
  try {
    const kept = JSON.parse(text ?? "{}");
    return kept?.version === VERSION ? kept : {};
  } catch {
    return {};
  }
}

/**
 * What the server is to be told, who knows that; null: nothing.
 * @param {Preferences} wanted
 * @param {Readonly<Preferences>} known
 * @returns {Omit<Settings, "type"> | null}
 */
export function forServer(wanted, known) {
  /** @type {Omit<Settings, "type">} */
  const told = {};
  if (wanted.voice && wanted.voice !== known.voice) told.voice = wanted.voice;
  if (wanted.speed !== known.speed) told.speed = wanted.speed;
  if (wanted.sensitivity !== known.sensitivity) told.sensitivity = wanted.sensitivity;
  return Object.keys(told).length > 0 ? told : null;
}

/**
 * What the browser is asked for. The device is demanded, as Chromium passes over one that is but wished for; where it
 * is not there, microphone.js takes another.
 * @param {Preferences} wanted
 * @returns {MediaTrackConstraints}
 */
export function constraints({ microphone, echo, noise, gain }) {
  const treated = { echoCancellation: echo, noiseSuppression: noise, autoGainControl: gain, channelCount: 1 };
  return microphone ? { ...treated, deviceId: { exact: microphone } } : treated;
}

/** The microphone is to be opened anew. @param {Preferences} wanted @param {Preferences} known */
export function isOtherMicrophone(wanted, known) {
  return /** @type {const} */ (["microphone", "echo", "noise", "gain"]).some((name) => wanted[name] !== known[name]);
}

/** @param {unknown} value */
function isSwitch(value) {
  return typeof value === "boolean";
}

/** @param {unknown} value */
function isName(value) {
  return typeof value === "string" && value.length <= MOST_CHARS;
}

/** @param {unknown} value @param {readonly [number, number]} bounds */
function isWithin(value, [least, most]) {
  return typeof value === "number" && value >= least && value <= most;
}
