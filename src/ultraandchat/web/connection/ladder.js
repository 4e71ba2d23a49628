/**
 * Which way the sound of one conversation goes, from rung to rung: decided here, done in sound.js. It owns
 * no clock and no connection: it is told what happened and when (in ms, of any steady clock), answers
 * with the steps to take, and says when it wants to be asked again.
 *
 * The WebSocket is always there. WebRTC is raced against it, and sound moves up to it only when media
 * has come through and nobody speaks; down from it at once.
 */

/** From the offer; after that ICE is given up. Longer than any ICE that was seen to connect at all. */
export const GIVE_UP_MS = 10_000;
/** Before each further attempt, after a path that carried was lost; then only when the network changes. */
export const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000];
/** A path that carried for so long was a good one: what comes after its loss counts from the beginning. */
export const STEADY_MS = 30_000;
/** Nobody has had the floor, and nothing was heard here, for so long: sound may move. */
export const QUIET_MS = 300;
/** After the network changed: its addresses and routes have settled by then. */
export const SETTLED_MS = 500;

/**
 * offer: make an attempt; drop: end the one there is, and tell `lost`; use: sound goes this way from now on
 * (`failed`: WebRTC was tried and did not work); impossible: the caller wanted WebRTC and nothing else.
 * @typedef {{do: "offer"}
 *   | {do: "drop", why: string}
 *   | {do: "use", path: "webrtc" | "websocket", why: string, failed: boolean}
 *   | {do: "impossible", why: string}} Step
 */

export class Ladder {
  /**
   * @param {Object} given
   * @param {string} given.whyNot WebRTC is not tried at all; empty: it is
   * @param {string} given.whyLater the WebSocket is begun with, and WebRTC tried beside it; empty: WebRTC is waited for
   * @param {boolean} given.only WebRTC or nothing
   * @param {number} given.fallbackMs how long media is waited for
   */
  constructor({ whyNot, whyLater, only, fallbackMs }) {
    /** @private */
    this.given = { whyNot, whyLater, only, fallbackMs };
    /** Where sound goes; null: not decided. @type {"webrtc" | "websocket" | null} */
    this.sound = null;
    /** @private @type {null | "offered" | "answered" | "carries"} */
    this.attempt = null;
    /** @private While sound waits for WebRTC: how long it still does. */
    this.settleAt = Infinity;
    /** @private */
    this.giveUpAt = Infinity;
    /** @private */
    this.retryAt = Infinity;
    /** @private Attempts since the last steady path. */
    this.tries = 0;
    /** @private */
    this.carriesSince = Infinity;
    /** @private One attempt of this conversation has carried. */
    this.everCarried = false;
    /** @private Since when nobody has the floor. */
    this.listeningSince = Infinity;
    /** @private When the agent was last heard here. */
    this.audibleAt = -Infinity;
  }

  /** Messages can be sent. @param {number} now @returns {Step[]} */
  begin(now) {
    const { whyNot, whyLater, only } = this.given;
    if (whyNot && only) return [{ do: "impossible", why: whyNot }];
    if (whyNot) return [this.use("websocket", whyNot, false)];
    if (whyLater && !only) return [this.use("websocket", whyLater, false), this.offer(now)];
    return [this.offer(now)];
  }

  /** The server has answered the offer: from here on media is waited for. @param {number} now @returns {Step[]} */
  answered(now) {
    if (this.attempt !== "offered") return [];
    this.attempt = "answered";
    this.settleAt = now + this.given.fallbackMs;
    return [];
  }

  /** Media has come through the attempt. @param {number} now @returns {Step[]} */
  carries(now) {
    if (!this.attempt) return [];
    this.attempt = "carries";
    this.carriesSince = now;
    this.everCarried = true;
    return this.sound === null ? [this.use("webrtc", "", false)] : this.tick(now);
  }

  /** The attempt, or the path it became, is over. @param {number} now @param {string} why @returns {Step[]} */
  lost(now, why) {
    if (!this.attempt) return [];
    this.plan(now);
    this.attempt = null;
    if (this.sound === "websocket") return [];
    if (this.given.only) return [{ do: "impossible", why }];
    return [this.use("websocket", why, true)];
  }

  /** Whether nobody has the floor. @param {number} now @param {boolean} nobody @returns {Step[]} */
  floor(now, nobody) {
    if (!nobody) this.listeningSince = Infinity;
    else if (this.listeningSince === Infinity) this.listeningSince = now;
    return this.tick(now);
  }

  /** The agent is heard here. @param {number} now */
  audible(now) {
    this.audibleAt = now;
  }

  /** Other addresses, another network: what failed before may work. @param {number} now @returns {Step[]} */
  networkChanged(now) {
    this.tries = 0;
    if (this.sound && !this.attempt && !this.given.whyNot) this.retryAt = now + SETTLED_MS;
    return [];
  }

  /** @param {number} now @returns {Step[]} */
  tick(now) {
    if (this.attempt === "carries") return this.quietAt() <= now ? [this.use("webrtc", "", false)] : [];
    if (this.attempt && now >= this.giveUpAt) {
      this.giveUpAt = Infinity; // said once: `lost` follows
      return [{ do: "drop", why: `no sound came over WebRTC within ${GIVE_UP_MS / 1000} s` }];
    }
    if (this.attempt && !this.sound && now >= this.settleAt && !this.given.only) {
      return [this.use("websocket", this.overdue(), true)];
    }
    if (!this.attempt && now >= this.retryAt) return [this.offer(now)];
    return [];
  }

  /** When `tick` is to be called next; Infinity: nothing is waited for. */
  deadline() {
    if (this.attempt === "carries") return this.quietAt();
    if (!this.attempt) return this.retryAt;
    const waits = !this.sound && !this.given.only;
    return Math.min(this.giveUpAt, waits ? this.settleAt : Infinity);
  }

  /** @private When sound may move up: a turn is over here and at the server; Infinity: it is there. */
  quietAt() {
    if (this.sound !== "websocket") return Infinity;
    return Math.max(this.listeningSince, this.audibleAt) + QUIET_MS;
  }

  /** @private @param {number} now @returns {Step} */
  offer(now) {
    this.attempt = "offered";
    this.settleAt = now + this.given.fallbackMs;
    this.giveUpAt = now + GIVE_UP_MS;
    this.retryAt = Infinity;
    this.carriesSince = Infinity;
    return { do: "offer" };
  }

  /** @private What is overdue, as a clause. */
  overdue() {
    const within = `within ${this.given.fallbackMs / 1000} s`;
    return this.attempt === "offered"
      ? `the server did not answer WebRTC's offer ${within}`
      : `no sound came over WebRTC ${within}`;
  }

  /** @private When the next attempt is to be made. @param {number} now */
  plan(now) {
    if (now - this.carriesSince >= STEADY_MS) this.tries = 0;
    const pause = this.everCarried ? RETRY_MS[this.tries++] : undefined;
    this.retryAt = pause === undefined ? Infinity : now + pause;
  }

  /** @private @param {"webrtc" | "websocket"} path @param {string} why @param {boolean} failed @returns {Step} */
  use(path, why, failed) {
    this.sound = path;
    return { do: "use", path, why, failed };
  }
}
