/**
 * Whether the server is still there, decided: when to ask, and when to look for another way to it. Like
 * ladder.js it owns no clock: it is told what came and when (in ms), and says when it wants to be asked.
 *
 * A doubt costs little, as the old connection stays until a new one is open; so it comes early.
 */

/** In a conversation: the sooner a dead network is noticed, the less of the talk is lost. 60 bytes each way. */
export const PING_MS = 1_000;
/** Before one: the server closes who says nothing for 60 s. */
export const LOBBY_PING_MS = 20_000;
/** A ping that has no answer for so long makes a doubt, where nothing else came meanwhile. */
export const PATIENCE_MS = 2_000;
/** As long, though sound does come: a network that carries it may still keep messages waiting. */
export const LONG_PATIENCE_MS = 6_000;
/** The network changed: most likely the connection is of the old one, and will never say so. */
export const SHORT_PATIENCE_MS = 500;
/** Round trips that belong to a slow network, not to a dead one. */
const ROUND_TRIPS = 4;

/** @typedef {{do: "ping", id: number, rttMs: number | null} | {do: "doubt"}} Step */

export class Liveness {
  constructor() {
    /** @private */
    this.id = 0;
    /** @private */
    this.everyMs = PING_MS;
    /** @private */
    this.pingAt = Infinity;
    /** @private The first ping without an answer, and the last of all. @type {{first: number, ids: Map<number, number>}} */
    this.unanswered = { first: Infinity, ids: new Map() };
    /** @private */
    this.heardAt = -Infinity;
    /** @private The network is another one. */
    this.suspected = false;
    /** @private */
    this.doubted = false;
    /** The last measured round trip of messages. @type {number | null} */
    this.rttMs = null;
  }

  /** A connection is open. @param {number} now @param {number} everyMs */
  begin(now, everyMs) {
    this.everyMs = everyMs;
    this.pingAt = now;
    this.heardAt = now;
    this.forget();
  }

  /** There is no connection. */
  rest() {
    this.pingAt = Infinity;
    this.forget();
  }

  /** A message or sound came. @param {number} now */
  heard(now) {
    this.heardAt = now;
  }

  /**
   * A pong came.
   * @param {number} now
   * @param {number} id
   * @returns {number | null} the round trip; null for an answer to nothing
   */
  answered(now, id) {
    const sent = this.unanswered.ids.get(id);
    if (sent === undefined) return null;
    this.forget();
    this.rttMs = now - sent;
    return this.rttMs;
  }

  /** Ask at once. @param {number} now @param {boolean} other the network is another one */
  suspect(now, other) {
    if (this.pingAt === Infinity) return; // there is nothing to doubt
    this.forget();
    this.suspected = other;
    this.pingAt = now;
  }

  /** @param {number} now @returns {Step[]} */
  tick(now) {
    /** @type {Step[]} */
    const steps = [];
    if (now >= this.doubtAt()) {
      this.doubted = true;
      steps.push({ do: "doubt" });
    }
    if (now >= this.pingAt) {
      this.pingAt = now + this.everyMs;
      steps.push({ do: "ping", id: ++this.id, rttMs: this.rttMs });
      this.sent(now);
    }
    return steps;
  }

  /** When `tick` is to be called next; Infinity: nothing is waited for. */
  deadline() {
    return Math.min(this.pingAt, this.doubtAt());
  }

  /** @private */
  doubtAt() {
    if (this.doubted) return Infinity;
    const { first } = this.unanswered;
    const slow = ROUND_TRIPS * (this.rttMs ?? 0);
    if (this.suspected) return first + Math.max(SHORT_PATIENCE_MS, slow);
    const patience = Math.max(PATIENCE_MS, slow);
    const quiet = Math.max(first, this.heardAt) + patience;
    return Math.min(quiet, first + Math.max(LONG_PATIENCE_MS, patience));
  }

  /** @private @param {number} now */
  sent(now) {
    const { ids } = this.unanswered;
    if (ids.size === 0) this.unanswered.first = now;
    ids.set(this.id, now);
    if (ids.size > LONG_PATIENCE_MS / PING_MS) ids.delete(this.id - ids.size + 1); // the oldest
  }

  /** @private */
  forget() {
    this.unanswered = { first: Infinity, ids: new Map() };
    this.suspected = false;
    this.doubted = false;
  }
}
