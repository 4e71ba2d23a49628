/**
 * The way the sound takes and how it fares there, in the head and in the details.
 *
 * @import {Link} from "../stats.js"
 * @import {SoundWay} from "../events.js"
 * @import {PageState} from "../state.js"
 */
import { attemptLine, duration, lastChosen, notOffered, rungInUse, shortRung } from "../rungs.js";
import { CONNECTION } from "../meanings.js";
import { facts } from "./facts.js";
import { find, milliseconds, write } from "./find.js";

const REMEMBERED = "transport";
/** Of what was tried and failed; the log has all. */
const MOST_TOLD = 3;
/** Rows that are there before they have a number. */
const FARED = ["Round trip", "Jitter", "Sound in store", "Packets lost to here", "Packets lost from here", "Filled in"];
const CODECS = { opus: "Opus", pcm16: "PCM16" };

/** The choice made in the details, from the next conversation on. */
export function chosenTransport() {
  return localStorage.getItem(REMEMBERED);
}

/** What the head of the page says of it, always. @returns {(state: PageState) => void} */
export function pathView() {
  const root = document.documentElement;
  const head = find("path", HTMLElement);
  /** @type {readonly unknown[]} */
  let last = [];

  return (state) => {
    const way = carrying(state);
    const now = [way, state.codec, state.link, state.attempts];
    if (now.every((value, index) => value === last[index])) return;
    last = now;
    write(head, way ? shortRung(state) : "");
    head.title = way ? rungInUse(state) : "";
    mark(root, { path: way?.path });
    mark(head, { ...hooks(way ? state.link : null), codec: way?.path === "websocket" ? state.codec : undefined });
  };
}

/** Its section of the details. @returns {(state: PageState) => void} */
export function connectionView() {
  const list = find("connection-facts", HTMLElement);
  const choice = find("transports", HTMLSelectElement);
  choice.value = chosenTransport() ?? "auto";
  choice.addEventListener("change", () => localStorage.setItem(REMEMBERED, choice.value));
  /** @type {readonly unknown[]} */
  let last = [];

  return (state) => {
    const way = carrying(state);
    const now = [way, state.codec, state.rttMs, state.buffer, state.link, state.attempts, state.config?.rungs];
    if (now.every((value, index) => value === last[index])) return;
    last = now;
    const shown = way ? rows(state, way) : [pair("Path of the sound", "not connected")];
    const missing = way?.path === "webrtc" ? [] : notOffered(state.config?.rungs);
    facts(list, [...shown, ...tried(state), ...missing], CONNECTION);
  };
}

/** In few words, for the fold. @param {PageState} state */
export function connectionGist(state) {
  if (!carrying(state)) return "";
  const rtt = state.link?.rttMs ?? state.rttMs;
  return [shortRung(state), rtt === null ? "" : milliseconds(rtt)].filter(Boolean).join(", ");
}

/** @param {PageState} state */
function carrying({ phase, way }) {
  return phase === "talking" ? way : null;
}

/** @param {PageState} state @param {SoundWay} way @returns {[string, string][]} */
function rows(state, { path, why }) {
  const { codec, rttMs, buffer, link, attempts } = state;
  const rung = rungInUse(state);
  if (path === "webrtc") {
    const chosen = lastChosen(attempts);
    return [pair("Path of the sound", rung), pair("Connected in", chosen ? duration(chosen.after_ms) : "–"), ...fared(link)];
  }
  return [
    pair("Path of the sound", `${rung}, ${CODECS[codec]}`),
    pair("Because", why),
    pair("Round trip", rttMs === null ? "–" : milliseconds(rttMs)),
    pair("Sound in store", buffer ? milliseconds(buffer.bufferedMs) : "–"),
    pair("Times it ran dry", buffer ? String(buffer.underruns) : "–"),
  ];
}

/** What was tried and did not work, the last of it first. @param {PageState} state @returns {[string, string][]} */
function tried({ attempts }) {
  const failed = attempts.filter(({ outcome }) => outcome !== "chosen");
  return failed.slice(-MOST_TOLD).reverse().map((report) => pair("Tried", attemptLine(report)));
}

/** @param {string} name @param {string} value @returns {[string, string]} */
function pair(name, value) {
  return [name, value];
}

/** @param {Link | null} link @returns {[string, string][]} */
function fared(link) {
  if (!link) return FARED.map((name) => pair(name, "–"));
  const { rttMs, jitterMs, bufferedMs, received, lost, concealedMs, concealedNowMs, sent, lostThere } = link;
  return [
    ["Round trip", rttMs === null ? "–" : milliseconds(rttMs)],
    ["Jitter", milliseconds(jitterMs)],
    ["Sound in store", milliseconds(bufferedMs)],
    ["Packets lost to here", share(lost, received + lost)],
    ["Packets lost from here", lostThere === null ? "–" : share(lostThere, sent)],
    ["Filled in", `${milliseconds(concealedNowMs)}, in all ${(concealedMs / 1000).toFixed(1)} s`],
  ];
}

/** @param {number} part @param {number} whole packets */
function share(part, whole) {
  return `${part} of ${whole} (${((100 * part) / Math.max(1, whole)).toFixed(1)}\u00a0%)`;
}

/** @param {Link | null} link @returns {Record<string, string | undefined>} */
function hooks(link) {
  return {
    protocol: link?.protocol,
    rttMs: link?.rttMs?.toFixed(1),
    jitterMs: link?.jitterMs.toFixed(1),
    received: link?.received.toFixed(),
    lost: link?.lost.toFixed(),
    concealedMs: link?.concealedMs.toFixed(1),
    bufferedMs: link?.bufferedMs.toFixed(1),
  };
}

/** Data attributes as they are; undefined takes one away. @param {HTMLElement} element @param {Record<string, string | undefined>} data */
function mark(element, data) {
  for (const [name, value] of Object.entries(data)) {
    if (value === undefined) delete element.dataset[name];
    else element.dataset[name] = value;
  }
}
