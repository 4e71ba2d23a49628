/**
 * What the page knows, and how each event changes it. Pure: no clock, no document, no network, so
 * every situation of the page can be told in a test.
 *
 * @import {Caption, Spans} from "./captions.js"
 * @import {Config} from "./config.js"
 * @import {BufferReport, PageEvent, SoundWay} from "./events.js"
 * @import {Codec} from "./opus.js"
 * @import {Pace} from "./remaining.js"
 * @import {Link} from "./stats.js"
 * @import {PathReport, ReplyRead, ServerMessage, TurnTiming, Welcome} from "./wire.js"
 */
import { agentCaption, bounded, NO_SPANS, replyDone, userCaption } from "./captions.js";
import { anyFailed } from "./loading.js";
import { paced } from "./remaining.js";
import { remark } from "./remarks.js";

/** Lines of the browser's own log kept. */
export const MOST_LOG = 200;
/** Timed turns kept. */
export const MOST_TURNS = 50;
/** Attempts at WebRTC kept. */
export const MOST_ATTEMPTS = 8;

/**
 * locked: the server asks for its token; barred: it lets nobody in who comes this way;
 * loading: the models are; ready: waits for the button; waiting: will try again by itself.
 * @typedef {"locked" | "barred" | "loading" | "ready" | "connecting" | "talking" | "waiting"} Phase
 */

/** @type {Phase[]} Nothing goes on that the server's own state could end. */
export const IDLE = ["locked", "barred", "loading", "ready"];

/** @typedef {"off" | "asking" | "on" | "denied" | "dismissed" | "forbidden" | "missing" | "busy" | "insecure" | "unplugged"} MicrophoneState */

/** @typedef {{at: number, text: string}} LogLine `at` in ms since the page was opened */

/**
 * @typedef {Object} PageState
 * @property {Phase} phase
 * @property {string} page the version of this page's files; empty: not known
 * @property {Config | null} config
 * @property {Pace[]} paces how fast the models came so far
 * @property {boolean} reachable the server answered last time
 * @property {Welcome | null} welcome of the conversation that goes on, or of the last one
 * @property {number} conversation counts from 1
 * @property {string} floor a `TurnState` value
 * @property {MicrophoneState} microphone
 * @property {boolean} muted
 * @property {boolean} silenced the system gives no sound of the microphone for a while
 * @property {string} voice chosen by the user; empty = the first
 * @property {Caption[]} captions oldest first
 * @property {Spans} spans when captions were said that the server tells a second time
 * @property {number[]} begun when each conversation began, in ms since the page was opened
 * @property {TurnTiming[]} turns of this conversation, oldest first
 * @property {ReplyRead | null} read for the newest reply by a model beside the server
 * @property {SoundWay | null} way that sound goes; null: not decided
 * @property {Codec} codec of sound on the WebSocket
 * @property {number | null} rttMs of messages
 * @property {BufferReport | null} buffer of the WebSocket's sound
 * @property {Link | null} link how WebRTC fares
 * @property {PathReport[]} attempts at WebRTC on this page, oldest first
 * @property {string} trouble why there is no connection, in a sentence
 * @property {number} misses attempts to connect that failed, in a row
 * @property {"" | "waits" | "elsewhere"} kept a conversation waits for this page, or goes on in another tab
 * @property {boolean} unresumed a conversation was to go on and could not
 * @property {boolean} blocked the browser plays nothing before the page is touched
 * @property {number} retryS until the next attempt
 * @property {string} notice the server's last notice, until the user's next turn
 * @property {LogLine[]} log oldest first
 */

/** @typedef {PageEvent | ServerMessage} PageChange */

const LOST = "The connection to the server was lost.";
const NO_ANSWER = "The server does not answer.";
const ELSEWHERE = "The conversation goes on in another tab or window.";
const RESTARTED = "The server was started anew. The earlier conversation is over; this is a new one.";
const UNRESUMED = "The earlier conversation is over; this is a new one.";

/** @type {PageState} */
export const INITIAL = Object.freeze({
  phase: "loading",
  page: "",
  config: null,
  paces: [],
  reachable: true,
  welcome: null,
  conversation: 0,
  floor: "listening",
  microphone: "off",
  muted: false,
  silenced: false,
  voice: "",
  captions: [],
  spans: NO_SPANS,
  begun: [],
  turns: [],
  read: null,
  way: null,
  codec: "pcm16",
  rttMs: null,
  buffer: null,
  link: null,
  attempts: [],
  trouble: "",
  misses: 0,
  kept: "",
  unresumed: false,
  blocked: false,
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
  if (state.phase === "loading" && state.reachable && anyFailed(state.config?.engines ?? [])) return "failed";
  if (state.phase !== "talking") return state.phase;
  const word = WORDS[state.floor] ?? state.floor;
  return state.muted && word === "listening" ? "muted" : word;
}

/**
 * @param {PageState} state
 * @param {PageChange} event
 * @param {number} at ms since the page was opened
 * @returns {PageState}
 */
export function update(state, event, at = 0) {
  const next = changed(state, event, at);
  const line = remark(state, event);
  return line ? { ...next, log: bounded([...next.log, { at, text: line }], MOST_LOG) } : next;
}

/**
 * @param {PageState} state
 * @param {PageChange} event
 * @param {number} at
 * @returns {PageState}
 */
function changed(state, event, at) {
  switch (event.type) {
    case "config":
      return configured(state, event.config, at);
    case "locked":
    case "barred":
      return IDLE.includes(state.phase) ? { ...state, phase: event.type, trouble: event.text } : state;
    case "unreachable":
      return state.phase === "ready" ? { ...state, reachable: false, phase: "loading" } : { ...state, reachable: false };
    case "connecting":
      return connecting(state);
    case "stopped":
      return { ...state, phase: "ready", blocked: false };
    case "ended":
      return { ...state, phase: "ready", trouble: "", notice: "" };
    case "lost":
      return lost(state);
    case "kept":
      return { ...state, kept: "waits" };
    case "not_resumed":
      return { ...state, unresumed: true };
    case "refused":
      return { ...state, trouble: sentence(event.text) };
    case "blocked":
      return { ...state, blocked: event.blocked };
    case "attempt":
      return { ...state, attempts: bounded([...state.attempts, event.report], MOST_ATTEMPTS) };
    case "waiting":
      return { ...state, phase: "waiting", retryS: event.seconds };
    case "microphone":
      return { ...state, microphone: event.microphone, silenced: false };
    case "silenced":
      return { ...state, silenced: event.silenced };
    case "muted":
      return { ...state, muted: event.muted };
    case "chosen_voice":
      return { ...state, voice: event.voice };
    case "voices":
      return collected(state, event.voices);
    case "round_trip":
      return { ...state, rttMs: event.ms };
    case "buffer":
      return { ...state, buffer: event.report };
    case "path":
      return moved(state, event);
    case "codec":
      return { ...state, codec: event.codec };
    case "impossible":
      return { ...state, trouble: `This page was asked for WebRTC alone, but ${event.why}.` };
    case "link":
      return { ...state, link: event.link };
    case "welcome":
      return begun(state, event, at);
    case "state":
      return { ...state, floor: event.state };
    case "user_caption":
      return {
        ...state,
        captions: userCaption(state.captions, moment(state, at), event),
        notice: event.final ? "" : state.notice,
      };
    case "agent_caption":
      return { ...state, captions: agentCaption(state.captions, moment(state, at), event) };
    case "reply_done":
      return { ...state, captions: replyDone(state.captions, moment(state, at), event) };
    case "turn_timing":
      return { ...state, turns: bounded([...state.turns, event], MOST_TURNS) };
    case "reply_read":
      return { ...state, read: event };
    case "notice":
      return { ...state, notice: event.text };
    case "forgotten":
      return { ...state, captions: [], spans: NO_SPANS, read: null };
    case "closing":
      if (event.reason === "replaced") return { ...state, trouble: ELSEWHERE, kept: "elsewhere" };
      return { ...state, trouble: sentence(event.text) };
    default:
      return state;
  }
}

/** @param {PageState} state @returns {PageState} */
function connecting(state) {
  const trouble = state.phase === "ready" ? "" : state.trouble;
  return { ...state, phase: "connecting", trouble, kept: "", notice: "", retryS: 0, way: null };
}

/** @param {PageState} state @returns {PageState} */
function lost(state) {
  const trouble = state.trouble || (state.phase === "talking" ? LOST : NO_ANSWER);
  return { ...state, phase: "connecting", trouble, misses: state.misses + 1, way: null };
}

/** @param {PageState} state @param {Config} config @param {number} at @returns {PageState} */
function configured(state, config, at) {
  const phase = IDLE.includes(state.phase) ? (config.ready ? "ready" : "loading") : state.phase;
  const letIn = state.phase === "locked" || state.phase === "barred";
  const paces = paced(state.paces, config.engines, at);
  const anew = state.notice === UNRESUMED && config.start !== state.config?.start;
  const notice = anew ? RESTARTED : state.notice;
  return { ...state, config, paces, phase, notice, trouble: letIn ? "" : state.trouble, reachable: true };
}

/** These can be chosen now. @param {PageState} state @param {string[]} voices @returns {PageState} */
function collected(state, voices) {
  const { config, welcome, voice } = state;
  return {
    ...state,
    config: config && { ...config, voices },
    welcome: welcome && { ...welcome, voices },
    voice: voices.includes(voice) ? voice : "",
  };
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

/** @param {PageState} state @param {Welcome} welcome @param {number} at @returns {PageState} */
function begun(state, welcome, at) {
  const known = { phase: /** @type {const} */ ("talking"), welcome, floor: "listening", trouble: "", misses: 0, retryS: 0 };
  if (welcome.resumed) return { ...state, ...known, ...goesOn(state, at) };
  return {
    ...state,
    ...known,
    conversation: state.conversation + 1,
    spans: NO_SPANS,
    begun: [...state.begun, at],
    turns: [],
    read: null,
    rttMs: null,
    buffer: null,
    link: null,
    unresumed: false,
    notice: state.unresumed ? UNRESUMED : fallBack(state.way),
  };
}

/**
 * The server tells the captions anew: what it heard of is what counts. When they were said is known here, unless the
 * page was loaded again.
 * @param {PageState} state
 * @param {number} at
 */
function goesOn({ conversation, captions, spans, begun }, at) {
  const anew = captions.filter((caption) => caption.conversation === conversation);
  return {
    conversation: Math.max(1, conversation),
    captions: captions.filter((caption) => caption.conversation !== conversation),
    spans: new Map([...spans, ...anew.map(({ id, span }) => /** @type {const} */ ([id, span]))]),
    begun: begun.length > 0 ? begun : [at],
  };
}

/** @param {PageState} state @param {number} at */
function moment({ conversation, spans }, at) {
  return { conversation, at, spans };
}

/** @param {string} text */
function sentence(text) {
  const stopped = /[.!?]$/.test(text) ? text : `${text}.`;
  return stopped.charAt(0).toUpperCase() + stopped.slice(1);
}
