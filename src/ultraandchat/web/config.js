/**
 * What `/config.json` says, as types.
 *
 * @import {EngineInfo} from "./wire.js"
 */

/**
 * What the server asks browsers to connect with; `fallback_ms` is how long they wait for sound.
 * @typedef {Pick<Required<RTCConfiguration>, "iceServers" | "iceTransportPolicy" | "iceCandidatePoolSize"> & {fallback_ms: number}} WebRtcSettings
 */

/**
 * How far an engine is that loads: `done` of `total` bytes or parts, 0 where nobody knows.
 * @typedef {{stage: string, done: number, total: number}} Progress
 */

/**
 * One engine before a conversation. `remedy`: what the operator can do where it failed.
 * @typedef {EngineInfo & {remedy: string, progress: Progress | null}} Engine
 */

/**
 * What `/config.json` says.
 * @typedef {Object} Config
 * @property {string} version
 * @property {number} protocol
 * @property {string} [page] the version of the page's files at the server
 * @property {string} [start] another one after each start of the server
 * @property {string} profile
 * @property {string} about
 * @property {Engine[]} engines while they load, too
 * @property {string[]} voices
 * @property {boolean} [library] voices can be added and removed
 * @property {number} [gate_dbfs] the level below which the server takes sound for none of speech
 * @property {boolean} ready
 * @property {WebRtcSettings | null} webrtc
 * @property {Rungs} [rungs]
 * @property {string | null} [https_url] where this page is to be had with a microphone
 */

/**
 * Which ways of the sound this server offers, and why (not).
 * @typedef {Object} Rungs
 * @property {boolean} udp
 * @property {string | null} ice_tcp address and port
 * @property {boolean} turn
 * @property {Record<string, string>} why
 */

export {};
