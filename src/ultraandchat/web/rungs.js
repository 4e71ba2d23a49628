/**
 * The rungs of the ladder in words: which one carries, how an attempt went, what is not offered. Pure.
 *
 * @import {Kind, Probed} from "./connection/probe.js"
 * @import {Rungs} from "./config.js"
 * @import {PageState} from "./state.js"
 * @import {PairTried, PathReport} from "./wire.js"
 */

/** What went wrong is more than a line says; the pairs are in the server's log. */
const MOST_TOLD = 3;

/** @param {string} protocol as `PairTried.protocol`; empty: not known yet */
export function rungName(protocol) {
  if (protocol.startsWith("relay/")) return `WebRTC through a relay (${protocol.slice("relay/".length).toUpperCase()})`;
  return protocol ? `WebRTC over ${protocol.toUpperCase()}` : "WebRTC";
}

/** @param {PathReport} report @returns {PairTried | undefined} */
export function chosenPair({ pairs }) {
  return pairs.find(({ state }) => state === "chosen");
}

/** For the head of the page, where there is little room. @param {PageState} state */
export function shortRung({ way, attempts }) {
  if (way?.path !== "webrtc") return "WebSocket";
  const chosen = lastChosen(attempts);
  const protocol = (chosen && chosenPair(chosen)?.protocol) ?? "";
  return protocol.startsWith("relay/") ? "relay" : protocol.toUpperCase() || "WebRTC";
}

/** @param {PathReport[]} attempts */
export function lastChosen(attempts) {
  return attempts.filter(({ outcome }) => outcome === "chosen").at(-1);
}

/** The rung in use, as it was found out last. @param {PageState} state */
export function rungInUse({ way, attempts }) {
  if (way?.path !== "webrtc") return "WebSocket";
  const chosen = lastChosen(attempts);
  return rungName((chosen && chosenPair(chosen)?.protocol) ?? "");
}

/** An attempt as one line. @param {PathReport} report */
export function attemptLine(report) {
  const pair = chosenPair(report);
  const name = rungName(pair?.protocol ?? "");
  const after = duration(report.after_ms);
  if (report.outcome === "chosen") return `${name} carried sound after ${after}${pair ? ` (${pair.remote})` : ""}`;
  if (report.outcome === "lost") return `${name} was lost: ${report.text}`;
  return `WebRTC failed after ${after}: ${report.text}. ${tried(report.pairs)}`;
}

/** @param {PairTried[]} pairs */
function tried(pairs) {
  if (pairs.length === 0) return "No pair of addresses could be tried";
  const told = new Map();
  for (const { protocol, remote, state } of pairs) {
    const line = `${protocol.toUpperCase()} to ${remote.split(" ").at(-1)} ${state === "succeeded" ? "answered" : state}`;
    told.set(line, (told.get(line) ?? 0) + 1);
  }
  const lines = [...told].map(([line, times]) => (times > 1 ? `${line} (${times} times)` : line));
  const more = lines.length > MOST_TOLD ? ` and ${lines.length - MOST_TOLD} more` : "";
  return `Tried: ${lines.slice(0, MOST_TOLD).join(", ")}${more}`;
}

/**
 * What this server does not offer, each with its reason.
 * @param {Rungs | undefined} rungs
 * @returns {[string, string][]}
 */
export function notOffered(rungs) {
  if (!rungs) return [];
  const { why } = rungs;
  /** @type {[string, string, boolean][]} */
  const all = [
    ["UDP", why.udp, rungs.udp],
    ["TCP", why.ice_tcp, rungs.ice_tcp !== null],
    ["relay", why.turn, rungs.turn],
  ];
  return all.filter(([, , there]) => !there).map(([name, reason]) => [`No ${name}`, reason]);
}

export const PROBED_NAMES = /** @type {Record<Kind, string>} */ ({
  websocket: "WebSocket",
  tcp: "WebRTC over TCP",
  udp: "WebRTC over UDP",
  relay: "Through a relay",
});

/** What a rung that does not answer means, and what would change it. @type {Record<Kind, string>} */
const SILENT = {
  websocket: "Something between here and the server lets no WebSocket through: a proxy must pass “Upgrade” on. Without it nothing works.",
  tcp: "A firewall is in between, or the port that the server announces does not lead to it: see “webrtc.tcp_port” and “webrtc.tcp_announce”.",
  udp: "A firewall lets no UDP through, here or there. Where TCP works nothing needs to be changed.",
  relay: "The relay cannot be reached, or did not take the account: see “webrtc.turn”, its user name and its password.",
};

/** How a rung did in the network test. @param {Probed} probed */
export function probedLine({ kind, outcome, ms, why }) {
  if (outcome === "offered") return "trying …";
  if (outcome === "works") return `works, in ${duration(ms)}`;
  if (outcome === "missing") return `not offered: ${why}.`;
  return `no answer${why ? ` (${why})` : ""}. ${SILENT[kind]}`;
}

/** @param {number} ms */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
}
