/**
 * A browser's `getStats` as the few numbers that tell how sound fares over WebRTC. Pure: a report goes
 * in with the numbers a second before, numbers come out.
 *
 * @import {Stats} from "./wire.js"
 */

/** RTP's clock for Opus, which is also what concealed samples are counted in (RFC 7587 §4.1). */
const RATE = 48_000;

/**
 * Counts since the path began; times in ms. "Here" is what comes to this page, "there" what goes to
 * the server, as its receiver reports tell it.
 * @typedef {Object} Link
 * @property {string} protocol "UDP", "TCP"; empty while unknown
 * @property {boolean} relayed through a TURN server
 * @property {number | null} rttMs
 * @property {number} jitterMs
 * @property {number} received packets
 * @property {number} lost packets
 * @property {number} concealedMs sound that was invented here for what did not come in time
 * @property {number} concealedNowMs of it in the last second
 * @property {number} bufferedMs what a packet waited here, mean over the last second
 * @property {number} sent packets
 * @property {number | null} lostThere packets
 * @property {number} delaySum ms that all emitted samples waited
 * @property {number} emitted samples
 */

/**
 * @param {Iterable<[string, any]>} report an `RTCStatsReport`
 * @param {Link | null} before
 * @returns {Link}
 */
export function measure(report, before) {
  const all = new Map(report);
  const entries = [...all.values()];
  const voice = (/** @type {string} */ type) =>
    entries.find((entry) => entry.type === type && (entry.kind ?? "audio") === "audio") ?? {};
  const here = voice("inbound-rtp");
  const there = voice("remote-inbound-rtp");
  const pair = selected(all, entries);
  const local = all.get(pair.localCandidateId) ?? {};
  const delaySum = ms(here.jitterBufferDelay);
  const emitted = here.jitterBufferEmittedCount ?? 0;
  const concealedMs = (1000 * (here.concealedSamples ?? 0)) / RATE;
  const rtt = there.roundTripTime ?? pair.currentRoundTripTime;
  return {
    protocol: (local.protocol ?? "").toUpperCase(),
    relayed: local.candidateType === "relay",
    rttMs: rtt === undefined ? null : ms(rtt),
    jitterMs: ms(here.jitter),
    received: here.packetsReceived ?? 0,
    lost: Math.max(0, here.packetsLost ?? 0), // packets that came twice make it negative (RFC 3550 §6.4.1)
    concealedMs,
    concealedNowMs: Math.max(0, concealedMs - (before?.concealedMs ?? 0)),
    bufferedMs: mean(delaySum - (before?.delaySum ?? 0), emitted - (before?.emitted ?? 0)),
    sent: voice("outbound-rtp").packetsSent ?? 0,
    lostThere: there.packetsLost === undefined ? null : Math.max(0, there.packetsLost),
    delaySum,
    emitted,
  };
}

/** @param {Link} link @returns {Stats} */
export function told({ rttMs, jitterMs, received, lost, concealedMs, bufferedMs }) {
  return {
    type: "stats",
    rtt_ms: rttMs,
    jitter_ms: jitterMs,
    received,
    lost,
    concealed_ms: concealedMs,
    buffered_ms: bufferedMs,
  };
}

/**
 * The candidate pair that carries: named by the transport, or (Firefox) marked itself.
 * @param {Map<string, any>} all
 * @param {any[]} entries
 */
export function selected(all, entries) {
  const transport = entries.find((entry) => entry.type === "transport" && entry.selectedCandidatePairId);
  if (transport) return all.get(transport.selectedCandidatePairId) ?? {};
  const pairs = entries.filter((entry) => entry.type === "candidate-pair");
  return pairs.find((pair) => pair.selected) ?? pairs.find((pair) => pair.nominated && pair.state === "succeeded") ?? {};
}

/** @param {number | undefined} seconds */
function ms(seconds) {
  return 1000 * (seconds ?? 0);
}

/** @param {number} sum of ms @param {number} count of samples */
function mean(sum, count) {
  return count > 0 ? Math.max(0, sum / count) : 0;
}
