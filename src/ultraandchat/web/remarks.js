/**
 * The page's own log, a line for what is worth one. Pure.
 *
 * @import {PageChange, PageState} from "./state.js"
 */
import { attemptLine } from "./rungs.js";

/**
 * The event as a line of the log, if it is worth one. What was said is not.
 * @param {PageState} state before the event
 * @param {PageChange} event
 * @returns {string}
 */
export function remark(state, event) {
  switch (event.type) {
    case "unreachable":
      return state.reachable ? "the server does not answer" : "";
    case "locked":
      return state.phase === "locked" ? "" : "the server asks for its token";
    case "barred":
      return state.phase === "barred" ? "" : event.text;
    case "connecting":
      return state.phase === "connecting" ? "" : "connecting";
    case "welcome":
      return `conversation ${event.session} ${event.resumed ? "goes on" : "begins"}, server ${event.server}`;
    case "path":
      return event.path === "webrtc" ? "sound goes over WebRTC" : `sound goes over the WebSocket: ${event.why}`;
    case "codec":
      return event.why && `sound on the WebSocket is PCM16 now: ${event.why}`;
    case "impossible":
      return `no sound over WebRTC: ${event.why}`;
    case "microphone":
      return `microphone: ${event.microphone}`;
    case "muted":
      return event.muted ? "muted" : "no longer muted";
    case "silenced":
      return event.silenced ? "the system gives no sound of the microphone" : "the microphone gives sound again";
    case "lost":
      return "the connection was lost";
    case "kept":
      return "a conversation waits for this page";
    case "not_resumed":
      return "the earlier conversation could not go on";
    case "refused":
      return event.text;
    case "blocked":
      return event.blocked ? "this browser plays nothing before the page is touched" : state.blocked ? "sound is played now" : "";
    case "attempt":
      return attemptLine(event.report);
    case "forgotten":
      return "what was said was forgotten";
    case "ended":
      return "the conversation was ended";
    case "buffer":
      return event.report.underruns > (state.buffer?.underruns ?? 0)
        ? `playout ran dry (${event.report.underruns} times so far)`
        : "";
    case "turn_timing":
      return `turn ${event.turn}: ${Math.round(event.total_ms)} ms`;
    case "reply_done":
      return event.cut ? `the reply of turn ${event.turn} was cut` : "";
    case "notice":
    case "error":
      return `${event.code}: ${event.text}`;
    case "closing":
      return `the server closes: ${event.text}`;
    case "remark":
      return event.text;
    default:
      return "";
  }
}
