/**
 * Whether sound shall go over WebRTC: asked for by the page's address (`?transport=websocket`), else
 * chosen in the details, else what works. Pure.
 *
 * @import {WebRtcSettings} from "../state.js"
 */

/**
 * auto: WebRTC, and the WebSocket where that does not work; webrtc: nothing else; websocket: at once.
 * @typedef {"auto" | "webrtc" | "websocket"} Transport
 */

/** After a failure the WebSocket is begun with for so long: the same network fails the same way. */
export const REMEMBERED_MS = 5 * 60_000;

/**
 * @param {string} query of the page's address
 * @param {string | null} chosen in the details
 * @returns {Transport}
 */
export function asked(query, chosen) {
  const words = [new URLSearchParams(query).get("transport"), chosen];
  return words.find((word) => word === "auto" || word === "webrtc" || word === "websocket") ?? "auto";
}

/**
 * Why WebRTC is not tried; empty: it is.
 * @param {Object} known
 * @param {Transport} known.transport
 * @param {WebRtcSettings | null} known.settings
 * @param {boolean} known.supported by this browser
 * @param {boolean} known.microphone there is one
 * @param {number} known.failedAgoMs since it failed last on this page
 */
export function whyNot({ transport, settings, supported, microphone, failedAgoMs }) {
  if (transport === "websocket") return "this page was asked for it";
  if (!settings) return "WebRTC is switched off at this server";
  if (!supported) return "this browser has no WebRTC";
  if (!microphone) return "there is no microphone";
  if (transport === "auto" && failedAgoMs < REMEMBERED_MS) return "WebRTC failed here a few minutes ago";
  return "";
}
