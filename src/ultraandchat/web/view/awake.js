/**
 * What the device around the page knows of a conversation: its screen stays on while one goes on, and the keys of a
 * headset or of the system mute it and hang up.
 *
 * @import {PageState} from "../state.js"
 */
import { IDLE } from "../state.js";

/**
 * @param {{mute: (muted: boolean) => void, end: () => void}} conversation
 * @returns {(state: PageState) => void}
 */
export function awakeView(conversation) {
  const screen = new Screen();
  let talks = false;
  /** @type {boolean | null} */
  let heard = null;

  return ({ phase, muted, microphone }) => {
    const talking = !IDLE.includes(phase);
    if (talking !== talks) {
      talks = talking;
      screen.keep(talking);
      key("hangup", talking ? () => conversation.end() : null);
      if ("mediaSession" in navigator) navigator.mediaSession.playbackState = talking ? "playing" : "none";
    }
    const now = talking && microphone === "on" ? !muted : null;
    if (now === heard) return;
    heard = now;
    key("togglemicrophone", now === null ? null : () => conversation.mute(now));
    // Of Chromium; what the system shows beside its own sign for the microphone.
    if (now !== null) /** @type {any} */ (navigator.mediaSession)?.setMicrophoneActive?.(now);
  };
}

/** @param {string} name @param {(() => void) | null} act */
function key(name, act) {
  try {
    navigator.mediaSession?.setActionHandler(/** @type {MediaSessionAction} */ (name), act);
  } catch {
    // a browser that does not know this key
  }
}

/** Goes off by itself behind another tab, and is asked for again in front. */
class Screen {
  constructor() {
    /** @private */
    this.wanted = false;
    /** @private */
    this.asking = false;
    /** @private @type {WakeLockSentinel | null} */
    this.lock = null;
    document.addEventListener("visibilitychange", () => this.ask());
  }

  /** @param {boolean} wanted */
  keep(wanted) {
    this.wanted = wanted;
    if (wanted) void this.ask();
    else void this.lock?.release();
  }

  /** @private */
  async ask() {
    const held = this.lock && !this.lock.released;
    if (!this.wanted || held || this.asking || document.visibilityState !== "visible") return;
    this.asking = true;
    try {
      this.lock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      this.lock = null; // the battery is low: the device knows better
    }
    this.asking = false;
    if (!this.wanted) await this.lock?.release();
  }
}
