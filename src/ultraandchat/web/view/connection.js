/**
 * The way the sound takes and how it fares there, in the head and in the details.
 *
 * @import {Link} from "../stats.js"
 * @import {PageState} from "../state.js"
 */
import { facts, find, milliseconds } from "./find.js";

const REMEMBERED = "transport";
const NAMES = { webrtc: "WebRTC", websocket: "WebSocket" };

/** The choice made in the details, from the next conversation on. */
export function chosenTransport() {
  return localStorage.getItem(REMEMBERED);
}

/** @returns {(state: PageState) => void} */
export function connectionView() {
  const root = document.documentElement;
  const head = find("path", HTMLElement);
  const list = find("connection", HTMLElement);
  const choice = find("transports", HTMLSelectElement);
  choice.value = chosenTransport() ?? "auto";
  choice.addEventListener("change", () => localStorage.setItem(REMEMBERED, choice.value));
  /** @type {readonly unknown[]} */
  let last = [];

  return (state) => {
    const way = state.phase === "talking" ? state.way : null;
    const now = [way, state.rttMs, state.buffer, state.link];
    if (now.every((value, index) => value === last[index])) return;
    last = now;
    head.textContent = way ? NAMES[way.path] : "";
    mark(root, { path: way?.path });
    mark(head, hooks(way ? state.link : null));
    facts(list, way ? rows(state, way.path, way.why) : [["Path of the sound", "not connected"]]);
  };
}

/** @param {PageState} state @param {"webrtc" | "websocket"} path @param {string} why @returns {[string, string][]} */
function rows({ rttMs, buffer, link }, path, why) {
  if (path === "webrtc") return [["Path of the sound", route(link)], ...fared(link)];
  return [
    ["Path of the sound", NAMES.websocket],
    ["Because", why],
    ["Round trip", rttMs === null ? "–" : milliseconds(rttMs)],
    ["Sound in store", buffer ? milliseconds(buffer.bufferedMs) : "–"],
    ["Times it ran dry", buffer ? String(buffer.underruns) : "–"],
  ];
}

/** @param {Link | null} link */
function route(link) {
  return [NAMES.webrtc, link?.protocol, link?.relayed ? "through a relay" : ""].filter(Boolean).join(", ");
}

/** @param {Link | null} link @returns {[string, string][]} */
function fared(link) {
  if (!link) return [["Round trip", "–"]];
  const { rttMs, jitterMs, bufferedMs, received, lost, concealedMs, concealedNowMs, sent, lostThere } = link;
  return [
    ["Round trip", rttMs === null ? "–" : milliseconds(rttMs)],
    ["Jitter", milliseconds(jitterMs)],
    ["Sound in store", milliseconds(bufferedMs)],
    ["Packets lost to here", share(lost, received + lost)],
    ["Packets lost from here", lostThere === null ? "–" : share(lostThere, sent)],
    ["Filled in", `${milliseconds(concealedNowMs)} in the last second, ${(concealedMs / 1000).toFixed(1)} s in all`],
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
