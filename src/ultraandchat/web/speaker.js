/**
 * The voice, in audio elements, where the browser's echo canceller knows of it: what WebRTC brings, as
 * it is, and frames of the WebSocket through the jitter buffer of the playback worklet. Both play while
 * there are both, so that nothing is cut when sound moves; the server speaks on one only.
 *
 * @import {BufferReport} from "./events.js"
 */
import { RATE_PLAYED } from "./frames.js";
import { SILENCE_DBFS } from "./level.js";
import { meter } from "./meter.js";
import { keepRunning } from "./running.js";

/** What a browser takes for a wish to hear something; a finger counts when it leaves the glass. */
const TOUCHES = /** @type {const} */ (["pointerup", "keydown"]);

export class Speaker {
  /**
   * @param {Object} ends
   * @param {(dbfs: number) => void} ends.level of what is played, 20 times a second while it is heard
   * @param {(report: BufferReport) => void} ends.report of the jitter buffer, once a second
   * @param {(blocked: boolean) => void} ends.blocked this browser plays nothing before the page is touched
   */
  static async open(ends) {
    const context = new AudioContext({ sampleRate: RATE_PLAYED });
    await context.audioWorklet.addModule(new URL("worklet/playback.js", import.meta.url));
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    const out = context.createMediaStreamDestination();
    node.connect(out);
    const speaker = new Speaker(context, node, ends);
    node.port.onmessage = ({ data }) => {
      if (data.type === "report") ends.report(data);
      else if (data.type === "heard") speaker.position = data.position;
      else if (speaker.way === "websocket") ends.level(data.dbfs);
    };
    keepRunning(context, () => speaker.way === "websocket"); // where it is blocked, that waits for a touch
    await speaker.begin(speaker.element, out.stream);
    return speaker;
  }

  /**
   * @private
   * @param {AudioContext} context
   * @param {AudioWorkletNode} node
   * @param {{level: (dbfs: number) => void, blocked: (blocked: boolean) => void}} ends
   */
  constructor(context, node, { level, blocked }) {
    /** @private */
    this.context = context;
    /** @private */
    this.node = node;
    /** @private */
    this.level = level;
    /** @private */
    this.blocked = blocked;
    /** Which of the two is spoken on. @type {"webrtc" | "websocket"} */
    this.way = "websocket";
    /** Plays what leaves the jitter buffer. */
    this.element = new Audio();
    /** @private Plays what WebRTC brings. */
    this.direct = new Audio();
    /** @private @type {number | null} */
    this.position = null;
    /** @private Ends the measuring of a voice of WebRTC. */
    this.endMeter = () => {};
    for (const element of [this.element, this.direct]) {
      // Nobody here pauses it: a call does, or a headset that goes.
      element.addEventListener("pause", () => void this.begin(element, element.srcObject));
    }
  }

  /**
   * Play this voice of WebRTC, too; null: there is none any more.
   * @param {MediaStream | null} voice
   */
  async listen(voice) {
    if (this.direct.srcObject === voice) return;
    this.endMeter();
    if (this.way === "webrtc") this.level(SILENCE_DBFS); // the last of the old one is heard no more
    this.endMeter = voice ? meter(voice, (dbfs) => this.way === "webrtc" && this.level(dbfs)) : () => {};
    await this.begin(this.direct, voice);
  }

  /** Sound goes this way from now on. @param {"webrtc" | "websocket"} way */
  use(way) {
    if (this.way === way) return;
    this.way = way;
    this.position = null; // what was heard here before is older than what was heard there
    this.level(SILENCE_DBFS);
    void (way === "webrtc" ? this.context.suspend() : this.context.resume());
  }

  /**
   * @param {Float32Array} samples at 48 kHz; they are taken away
   * @param {number} position of the first of them on the server's timeline
   */
  play(samples, position) {
    this.node.port.postMessage({ type: "frame", samples, position }, [samples.buffer]);
  }

  /** Silence within 20 ms: what is not audible yet is dropped. */
  flush() {
    this.node.port.postMessage({ type: "flush" });
  }

  /** Another conversation begins, whose positions are other ones. */
  forget() {
    this.position = null;
    this.node.port.postMessage({ type: "forget" });
  }

  /**
   * The position at 48 kHz (modulo 2³²) up to which the WebSocket's sound has left for the loudspeaker; null: none
   * has. At most 21 ms old, exact a moment after a flush. What has left sounds on within the browser's own output
   * latency whatever happens to the connection, so that is not taken off.
   * @returns {number | null}
   */
  heard() {
    return this.position;
  }

  /** Sound comes out there from now on; empty: where the system wants it. @param {string} device its id */
  async through(device) {
    for (const element of [this.element, this.direct]) {
      if ("setSinkId" in element && element.sinkId !== device) await element.setSinkId(device);
    }
  }

  close() {
    this.endMeter();
    this.node.port.onmessage = null;
    this.element.srcObject = null;
    this.direct.srcObject = null;
    void this.context.close();
  }
  /** The page was touched: what was blocked may be played. */
  async wake() {
    if (this.way === "websocket") void this.context.resume();
    await this.begin(this.element, this.element.srcObject);
    await this.begin(this.direct, this.direct.srcObject);
  }

  /**
   * @private
   * @param {HTMLAudioElement} element
   * @param {MediaProvider | null} stream null: be silent
   */
  async begin(element, stream) {
    if (element.srcObject !== stream) element.srcObject = stream;
    if (!stream) return;
    try {
      await element.play();
      this.blocked(false);
    } catch {
      if (element.srcObject !== stream) return; // it was taken away meanwhile
      this.blocked(true);
      for (const touch of TOUCHES) document.addEventListener(touch, () => this.wake(), { once: true });
    }
  }
}
