/**
 * What the sound of a conversation may try: asked for by the page's address (`?transport=websocket`), else
 * chosen in the details, else what works, in the order that did best here in the last hour. Pure.
 *
 * @import {WebRtcSettings} from "../config.js"
 */

/**
 * auto: WebRTC, and the WebSocket where that does not work; webrtc: nothing else; websocket: nothing else.
 * @typedef {"auto" | "webrtc" | "websocket"} Transport
 */

/**
 * How the last attempt at this server went: `rung` as `PairTried.protocol`, or "websocket"; `late`: media
 * came, but after the sound had begun over the WebSocket.
 * @typedef {{rung: string, late: boolean, at: number}} Remembered
 */

/** What was learned about a network is used for so long: people seldom change it more often. */
export const REMEMBERED_MS = 60 * 60_000;

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
 */
export function whyNot({ transport, settings, supported, microphone }) {
  if (transport === "websocket") return "this page was asked for it";
  if (!settings) return "this server offers no WebRTC";
  if (!supported) return "this browser has no WebRTC";
  if (!microphone) return "there is no microphone";
  return "";
}

/**
 * Why WebRTC is tried beside the WebSocket and not waited for; empty: it is waited for.
 * @param {Object} known
 * @param {boolean} known.resuming a conversation goes on, and nobody is to wait
 * @param {Remembered | null} known.remembered
 * @param {number} now by the same clock as `Remembered.at`
 */
export function whyLater({ resuming, remembered }, now) {
  if (resuming) return "it was there first, and the conversation goes on";
  if (!remembered || now - remembered.at >= REMEMBERED_MS || now < remembered.at) return "";
  if (remembered.rung === "websocket") return "WebRTC did not connect here in the last hour";
  return remembered.late ? "WebRTC was slow to connect here in the last hour" : "";
}

/** Text that was kept, or null for what is none of ours. @param {string | null} text @returns {Remembered | null} */
export function parsed(text) {
  try {
    const { rung, late, at } = JSON.parse(text ?? "null");
    return typeof rung === "string" && typeof late === "boolean" && typeof at === "number" ? { rung, late, at } : null;
  } catch {
    return null;
  }
}
