/**
 * What the page knows, and how each event changes it. Pure: no clock, no document, no network, so
 * every situation of the page can be told in a test.
 *
 * @import {Caption} from "./captions.js"
 * @import {Link} from "./stats.js"
 * @import {EngineInfo, ServerMessage, TurnTiming, Welcome} from "./wire.js"
 */
import { agentCaption, bounded, replyDone, userCaption } from "./captions.js";
import { remark } from "./remarks.js";

/** Lines of the browser's own log kept. */
export const MOST_LOG = 200;
/** Timed turns kept. */
export const MOST_TURNS = 50;

/**
 * What the server asks browsers to connect with; `fallback_ms` is how long they wait for sound.
 * @typedef {Pick<Required<RTCConfiguration>, "iceServers" | "iceTransportPolicy" | "iceCandidatePoolSize"> & {fallback_ms: number}} WebRtcSettings
 */

/**
 * What `/config.json` says.
 * @typedef {Object} Config
 * @property {string} version
 * @property {number} protocol
 * @property {string} profile
 * @property {string} about
 * @property {EngineInfo[]} engines
 * @property {string[]} voices
 * @property {boolean} ready
 * @property {WebRtcSettings | null} webrtc
 */

/**
 * loading: the models are; ready: waits for the button; waiting: will try again by itself.
 * @typedef {"loading" | "ready" | "connecting" | "talking" | "waiting"} Phase
 */

/** @typedef {"off" | "asking" | "on" | "denied" | "missing" | "busy" | "insecure" | "unplugged"} MicrophoneState */

/** @typedef {{at: number, text: string}} LogLine `at` in ms since the page was opened */

/** @typedef {{path: "webrtc" | "websocket", why: string, failed: boolean}} SoundWay `why` not WebRTC; it was tried and `failed` */

/** @typedef {{bufferedMs: number, underruns: number, targetMs: number}} BufferReport */

/**
 * @typedef {Object} PageState
 * @property {Phase} phase
 * @property {Config | null} config
 * @property {boolean} reachable the server answered last time
 * @property {Welcome | null} welcome of the conversation that goes on, or of the last one
 * @property {number} conversation counts from 1
 * @property {string} floor a `TurnState` value
 * @property {MicrophoneState} microphone
 * @property {boolean} muted
 * @property {string} voice chosen by the user; empty = the first
 * @property {Caption[]} captions oldest first
 * @property {TurnTiming[]} turns of this conversation, oldest first
 * @property {SoundWay | null} way that sound goes; null: not decided
 * @property {number | null} rttMs of messages
 * @property {BufferReport | null} buffer of the WebSocket's sound
 * @property {Link | null} link how WebRTC fares
 * @property {string} trouble why there is no connection, in a sentence
 * @property {number} retryS until the next attempt
 * @property {string} notice the server's last notice, until the user's next turn
 * @property {LogLine[]} log oldest first
 */

/**
 * What happens on the page's own side.
 * @typedef {{type: "config", config: Config}
 *   | {type: "unreachable"}
 *   | {type: "connecting"}
 *   | {type: "stopped"}
 *   | {type: "ended"}
 *   | {type: "lost"}
 *   | {type: "waiting", seconds: number}
 *   | {type: "microphone", microphone: MicrophoneState}
 *   | {type: "muted", muted: boolean}
 *   | {type: "chosen_voice", voice: string}
 *   | {type: "round_trip", ms: number}
 *   | {type: "buffer", report: BufferReport}
 *   | ({type: "path"} & SoundWay)
 *   | {type: "impossible", why: string}
 *   | {type: "link", link: Link}
 *   | {type: "remark", text: string}} PageEvent
 */

/** @typedef {PageEvent | ServerMessage} PageChange */

const LOST = "The connection to the server was lost.";
const NO_ANSWER = "The server does not answer.";

/** @type {PageState} */
export const INITIAL = Object.freeze({
  phase: "loading",
  config: null,
  reachable: true,
  welcome: null,
  conversation: 0,
  floor: "listening",
  microphone: "off",
  muted: false,
  voice: "",
  captions: [],
  turns: [],
  way: null,
  rttMs: null,
  buffer: null,
  link: null,
  trouble: "",
  retryS: 0,
  notice: "",
  log: [],
});

const WORDS = /** @type {Record<string, string>} */ ({
  listening: "listening",
  "user speaking": "hearing you",
  "user paused": "hearing you",
  "user holding": "hearing you",
  replying: "thinking",
  "agent speaking": "speaking",
  overlap: "hearing you",
});

/** @param {PageState} state */
export function stateWord(state) {
  if (state.phase !== "talking") return state.phase;
  const word = WORDS[state.floor] ?? state.floor;
  return state.muted && word === "listening" ? "muted" : word;
}

/**
 * @param {PageState} state
 * @param {PageChange} event
 * @param {number} at ms since the page was opened; for the log only
 * @returns {PageState}
 */
export function update(state, event, at = 0) {
  const next = changed(state, event);
  const line = remark(state, event);
  return line ? { ...next, log: bounded([...next.log, { at, text: line }], MOST_LOG) } : next;
}

/**
 * @param {PageState} state
 * @param {PageChange} event
 * @returns {PageState}
 */
function changed(state, event) {
  switch (event.type) {
    case "config":
      return configured(state, event.config);
    case "unreachable":
      return state.phase === "ready" ? { ...state, reachable: false, phase: "loading" } : { ...state, reachable: false };
    case "connecting":
      return { ...state, phase: "connecting", trouble: state.phase === "waiting" ? state.trouble : "", notice: "", retryS: 0, way: null };
    case "stopped":
      return { ...state, phase: "ready" };
    case "ended":
      return { ...state, phase: "ready", trouble: "", notice: "" };
    case "lost":
      return { ...state, trouble: state.phase === "talking" ? LOST : state.trouble || NO_ANSWER };
    case "waiting":
      return { ...state, phase: "waiting", retryS: event.seconds };
    case "microphone":
      return { ...state, microphone: event.microphone };
    case "muted":
      return { ...state, muted: event.muted };
    case "chosen_voice":
      return { ...state, voice: event.voice };
    case "round_trip":
      return { ...state, rttMs: event.ms };
    case "buffer":
      return { ...state, buffer: event.report };
    case "path":
      return moved(state, event);
    case "impossible":
      return { ...state, trouble: `This page was asked for WebRTC alone, but ${event.why}.` };
    case "link":
      return { ...state, link: event.link };
    case "welcome":
      return begun(state, event);
    case "state":
      return { ...state, floor: event.state };
    case "user_caption":
      return {
        ...state,
        captions: userCaption(state.captions, state.conversation, event),
        notice: event.final ? "" : state.notice,
      };
    case "agent_caption":
      return { ...state, captions: agentCaption(state.captions, state.conversation, event) };
    case "reply_done":
      return { ...state, captions: replyDone(state.captions, state.conversation, event) };
    case "turn_timing":
      return { ...state, turns: bounded([...state.turns, event], MOST_TURNS) };
    case "notice":
      return { ...state, notice: event.text };
    case "closing":
      return { ...state, trouble: sentence(event.text) };
    default:
      return state;
  }
}

/** @param {PageState} state @param {Config} config @returns {PageState} */
function configured(state, config) {
  const idle = state.phase === "loading" || state.phase === "ready";
  const phase = idle ? (config.ready ? "ready" : "loading") : state.phase;
  return { ...state, config, phase, reachable: true };
}

/** @param {PageState} state @param {SoundWay} event @returns {PageState} */
function moved(state, { path, why, failed }) {
  const way = { path, why, failed };
  return { ...state, way, link: null, buffer: null, notice: fallBack(way) || state.notice };
}

/** @param {SoundWay | null} way */
function fallBack(way) {
  return way?.failed ? `Sound goes over a WebSocket now: ${way.why}.` : "";
}

/** @param {PageState} state @param {Welcome} welcome @returns {PageState} */
function begun(state, welcome) {
  return {
    ...state,
    phase: "talking",
    welcome,
    conversation: state.conversation + 1,
    floor: "listening",
    turns: [],
    rttMs: null,
    buffer: null,
    link: null,
    trouble: "",
    notice: fallBack(state.way),
    retryS: 0,
  };
}

/** @param {string} text */
function sentence(text) {
  const stopped = /[.!?]$/.test(text) ? text : `${text}.`;
  return stopped.charAt(0).toUpperCase() + stopped.slice(1);
}
