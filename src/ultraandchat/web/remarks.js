/**
 * The page's own log, a line for what is worth one. Pure.
 *
 * @import {PageChange, PageState} from "./state.js"
 */

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
    case "connecting":
      return state.phase === "connecting" ? "" : "connecting";
    case "welcome":
      return `conversation ${event.session} over ${event.transport}, server ${event.server}`;
    case "path":
      return event.path === "webrtc" ? "sound over WebRTC" : `sound over the WebSocket: ${event.why}`;
    case "impossible":
      return `no sound over WebRTC: ${event.why}`;
    case "microphone":
      return `microphone: ${event.microphone}`;
    case "muted":
      return event.muted ? "muted" : "no longer muted";
    case "lost":
      return "the connection was lost";
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
