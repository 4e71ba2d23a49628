/**
 * The conversation that this tab has: who it is for the server, and up to where its voice was heard. It is
 * kept for a reload, and handed to another tab that asks for it.
 *
 * @import {Keepsake} from "./keepsake.js"
 * @import {Handed} from "./tabs.js"
 * @import {Hello, Welcome} from "../wire.js"
 */
import { forget, keep, kept } from "./keepsake.js";
import { answerTabs, askTabs } from "./tabs.js";

/** While the agent is heard, what was heard is kept so often: a tab may end without a word. */
const AUDIBLE_MS = 250;
/** The server waits from when it lost us on: that it was there is kept so often. */
const ALIVE_MS = 5_000;

/** How the page stands, to be kept over a reload. @typedef {Pick<Keepsake, "microphone" | "muted">} Standing */

export class OwnConversation {
  /**
   * @param {Object} ends
   * @param {() => number | null} ends.heard on this line; null: nothing was
   * @param {() => Standing} ends.standing
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private The one that goes on, or would. @type {Handed | null} */
    this.own = null;
    /** @private It goes on here, now. */
    this.live = false;
    /** @private It was to go on. */
    this.asked = false;
    /** @private */
    this.keptAt = -Infinity;
    if ("BroadcastChannel" in globalThis) {
      answerTabs((session) => (this.live && this.own?.session === session ? { ...this.own, heard: this.heard() } : null));
    }
  }

  /** There is one to go on with. */
  get there() {
    return this.own !== null;
  }

  /** What was kept before the page was loaded again. */
  find() {
    this.own ??= kept();
  }

  /** Have it back from another tab, if one has it. */
  async takeBack() {
    this.own = await askTabs(this.own?.session ?? "");
    this.asked = true; // or say that it could not be
  }

  /** With what makes it go on. @param {Hello} hello @returns {Hello} */
  greet(hello) {
    this.asked ||= this.there;
    if (!this.own) return hello;
    // What left between the loss and the flush behind it was told since then.
    this.own.heard = later(this.own.heard, this.ends.heard());
    return { ...hello, resume: this.own.token, heard: this.own.heard };
  }

  /** @param {Welcome} welcome @returns {boolean} whether it is another one, though it was to go on */
  begin({ session, resume, resume_s, resumed }) {
    const failed = this.asked && !resumed;
    this.asked = false;
    this.live = true;
    const heard = resumed ? (this.own?.heard ?? null) : null;
    this.own = resume ? { session, token: resume, heard, resumeS: resume_s } : null;
    if (this.own) this.keep();
    else forget();
    return failed;
  }

  /** @param {string} token in place of the one before */
  renew(token) {
    if (this.own) this.own.token = token;
    this.keep();
  }

  /** The line is gone: what was heard on it counts. */
  pause() {
    if (this.own) this.own.heard = this.heard();
    this.live = false;
  }

  /** A sign of life; `audible`: the agent is heard. @param {boolean} audible */
  note(audible) {
    const since = performance.now() - this.keptAt;
    if (this.live && since > (audible ? AUDIBLE_MS : ALIVE_MS)) this.keep();
  }

  /** For a reload. */
  keep() {
    if (!this.own) return;
    this.own.heard = this.heard();
    this.keptAt = performance.now();
    const { session, token, resumeS, heard } = this.own;
    keep({ session, token, resumeS, heard, ...this.ends.standing() });
  }

  /** It is over here. @param {boolean} elsewhere it goes on in another tab, which may be asked for it */
  end(elsewhere) {
    this.live = this.asked = false;
    if (!elsewhere) this.own = null;
    forget();
  }

  /** @private Up to where its voice was heard, on this line or the last; null: not known. */
  heard() {
    return later(this.own?.heard ?? null, this.live ? this.ends.heard() : null);
  }
}

/**
 * Positions travel modulo 2³²: the one that lies ahead of the other by less than half of that.
 * @param {number | null} one
 * @param {number | null} other
 */
export function later(one, other) {
  if (one === null || other === null) return one ?? other;
  return ((other - one) | 0) > 0 ? other : one;
}
