/**
 * The two sounds of the page itself: it is connected, there is a problem. Soft and short, and never over the agent's
 * voice: where that is heard there is none, and one that has begun falls silent. `earcon` is pure.
 *
 * @import {PageState} from "./state.js"
 */

/** @typedef {"connected" | "problem"} Earcon */

/** A cut that heals by itself before that makes no sound. */
const MANY_MISSES = 3;
/** The agent pauses between clauses for about so long. */
const PAUSE_MS = 600;
const VOLUME = 0.05;
/** A sound that did not begin until then is not allowed to. */
const BLOCKED_MS = 500;
/** Tones of each: Hz, from and until when in seconds. */
const TONES = /** @type {Record<Earcon, [number, number, number][]>} */ ({
  connected: [
    [523, 0, 0.12],
    [784, 0.09, 0.24],
  ],
  problem: [
    [440, 0, 0.13],
    [330, 0.11, 0.28],
  ],
});
/** Seconds in which a tone comes and goes, so that it does not click. */
const EDGE_S = 0.02;

/**
 * What the change from one state to the next sounds like, if it is to be heard.
 * @param {PageState} before
 * @param {PageState} after
 * @returns {Earcon | null}
 */
export function earcon(before, after) {
  const talks = after.phase === "talking";
  if (talks && before.phase !== "talking") return !after.welcome?.resumed || inTrouble(before) ? "connected" : null;
  if (inTrouble(after) && !inTrouble(before)) return "problem";
  if (talks && after.microphone === "unplugged" && before.microphone !== "unplugged") return "problem";
  return null;
}

/** @param {PageState} state */
function inTrouble({ phase, misses }) {
  return phase === "waiting" || (phase === "connecting" && misses >= MANY_MISSES);
}

export class Earcons {
  /** @param {() => boolean} wanted @param {() => string} [speaker] its id; empty: where the system wants it */
  constructor(wanted, speaker = () => "") {
    /** @private */
    this.wanted = wanted;
    /** @private */
    this.speaker = speaker;
    /** @private When the agent was heard last. */
    this.heard = -Infinity;
    /** @private @type {{context: AudioContext, volume: GainNode} | null} */
    this.playing = null;
  }

  /** The agent is heard. */
  yield() {
    this.heard = performance.now();
    if (!this.playing) return;
    const { context, volume } = this.playing;
    volume.gain.setTargetAtTime(0, context.currentTime, EDGE_S / 4);
  }

  /** @param {Earcon} name */
  play(name) {
    if (!this.wanted() || this.playing || performance.now() - this.heard < PAUSE_MS) return;
    const context = new AudioContext();
    through(context, this.speaker());
    const volume = new GainNode(context, { gain: VOLUME });
    volume.connect(context.destination);
    this.playing = { context, volume };
    const tones = TONES[name].map((tone) => sound(context, volume, tone));
    const over = () => this.over(context);
    /** @type {OscillatorNode} */ (tones.at(-1)).onended = over;
    void context.resume().catch(over);
    setTimeout(() => context.state === "suspended" && over(), BLOCKED_MS);
  }

  /** @private @param {AudioContext} context */
  over(context) {
    if (this.playing?.context !== context) return;
    this.playing = null;
    void context.close();
  }
}

/** Where the browser can (Chromium), and the speaker is there. @param {AudioContext} context @param {string} speaker */
function through(context, speaker) {
  const { setSinkId } = /** @type {{setSinkId?: (id: string) => Promise<void>}} */ (/** @type {unknown} */ (context));
  if (speaker) setSinkId?.call(context, speaker).catch(() => {});
}

/** @param {AudioContext} context @param {AudioNode} out @param {[number, number, number]} tone */
function sound(context, out, [frequency, from, until]) {
  const now = context.currentTime;
  const tone = new OscillatorNode(context, { frequency });
  const edge = new GainNode(context, { gain: 0 });
  edge.gain.setValueAtTime(0, now + from);
  edge.gain.linearRampToValueAtTime(1, now + from + EDGE_S);
  edge.gain.setTargetAtTime(0, now + from + EDGE_S, (until - from - EDGE_S) / 5);
  tone.connect(edge).connect(out);
  tone.start(now + from);
  tone.stop(now + until);
  return tone;
}
