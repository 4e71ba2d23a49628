/**
 * How one attempt at WebRTC went, pair by pair, out of a browser's `getStats`. For the server's log and
 * for the details: a fallback is never silent. Pure.
 *
 * @import {PairTried, PathReport} from "../wire.js"
 */
import { selected } from "../stats.js";

/** The server takes no more. */
export const MOST_PAIRS = 64;

/** Those that say most come first, should there be too many. */
const STATES = ["chosen", "succeeded", "failed", "unanswered"];

/** @typedef {PathReport["outcome"]} Outcome */

/**
 * @param {Outcome} outcome
 * @param {string} text why, as a clause; empty where it was chosen
 * @param {number} afterMs from the offer
 * @param {Iterable<[string, any]>} stats an `RTCStatsReport`
 * @returns {PathReport}
 */
export function pathReport(outcome, text, afterMs, stats) {
  return { type: "path_report", outcome, text, after_ms: Math.round(afterMs), pairs: pairsTried(stats) };
}

/**
 * The addresses of the caller stay here, only their kinds are told.
 * @param {Iterable<[string, any]>} stats
 * @returns {PairTried[]}
 */
export function pairsTried(stats) {
  const all = new Map(stats);
  const entries = [...all.values()];
  const chosen = selected(all, entries);
  return entries
    .filter(({ type }) => type === "candidate-pair")
    .map((pair) => tried(pair, pair === chosen, all))
    .sort((one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state))
    .slice(0, MOST_PAIRS);
}

/** @param {any} pair @param {boolean} chosen @param {Map<string, any>} all @returns {PairTried} */
function tried(pair, chosen, all) {
  const here = all.get(pair.localCandidateId) ?? {};
  const there = all.get(pair.remoteCandidateId) ?? {};
  const rtt = pair.currentRoundTripTime;
  return {
    protocol: protocol(here),
    local: here.candidateType ?? "",
    remote: `${there.candidateType ?? "?"} ${address(there)}`,
    state: chosen ? "chosen" : state(pair),
    rtt_ms: rtt === undefined ? null : Math.round(10_000 * rtt) / 10,
  };
}

/** @param {any} pair a pair that no answer came to is "in-progress" for long, and says nothing of it */
function state({ state, responsesReceived }) {
  if (state === "succeeded" || responsesReceived > 0) return "succeeded";
  return state === "failed" ? "failed" : "unanswered";
}

/** @param {any} candidate the caller's @returns {string} as in `PairTried.protocol` */
export function protocol({ candidateType, protocol, relayProtocol }) {
  return candidateType === "relay" ? `relay/${relayProtocol ?? "udp"}` : (protocol ?? "");
}

/** @param {any} candidate the server's */
function address({ address, ip, port }) {
  const host = address || ip || "?";
  return `${host.includes(":") ? `[${host}]` : host}:${port ?? "?"}`;
}
