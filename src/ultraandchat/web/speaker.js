/**
 * The voice, in an audio element, where the browser's echo canceller knows of it: what WebRTC brings, as
 * it is, or frames of the WebSocket through the jitter buffer of the playback worklet.
 *
 * @import {BufferReport} from "./state.js"
 */
import { RATE_DOWN } from "./frames.js";
import { SILENCE_DBFS } from "./level.js";
import { meter } from "./meter.js";

export class Speaker {
  /**
   * @param {Object} ends
   * @param {(dbfs: number) => void} ends.level of what is played, 20 times a second while it is heard
   * @param {(report: BufferReport) => void} ends.report of the jitter buffer, once a second
   */
  static async open(ends) {
    const context = new AudioContext({ sampleRate: RATE_DOWN });
    await context.audioWorklet.addModule(new URL("worklet/playback.js", import.meta.url));
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.port.onmessage = ({ data }) => {
      if (data.type === "level") ends.level(data.dbfs);
      else ends.report(data);
    };
    const out = context.createMediaStreamDestination();
    node.connect(out);
    const speaker = new Speaker(context, node, out.stream, ends.level);
    await speaker.listen(null);
    return speaker;
  }

  /**
   * @private
   * @param {AudioContext} context
   * @param {AudioWorkletNode} node
   * @param {MediaStream} buffered what leaves the jitter buffer
   * @param {(dbfs: number) => void} level
   */
  constructor(context, node, buffered, level) {
    /** @private */
    this.context = context;
    /** @private */
    this.node = node;
    /** @private */
    this.buffered = buffered;
    /** @private */
    this.level = level;
    /** @private */
    this.element = new Audio();
    /** @private Ends the measuring of a voice of WebRTC. */
    this.endMeter = () => {};
  }

  /**
   * Play this voice of WebRTC from now on; null: what is given to `play`.
   * @param {MediaStream | null} voice
   */
  async listen(voice) {
    const stream = voice ?? this.buffered;
    if (this.element.srcObject === stream) return;
    this.endMeter();
    this.level(SILENCE_DBFS);
    this.element.srcObject = stream;
    this.endMeter = voice ? meter(voice, this.level) : () => {};
    await (voice ? this.context.suspend() : this.context.resume());
    await begin(this.element);
  }

  /**
   * @param {Int16Array} samples at 24 kHz
   * @param {number} position of the first of them on the server's timeline
   */
  play(samples, position) {
    this.node.port.postMessage({ type: "frame", samples, position }, [samples.buffer]);
  }

  /** Silence within 20 ms: what is not audible yet is dropped. */
  flush() {
    this.node.port.postMessage({ type: "flush" });
  }

  close() {
    this.endMeter();
    this.node.port.onmessage = null;
    this.element.srcObject = null;
    void this.context.close();
  }
}

/**
 * A browser that plays nothing unasked waits for the next touch.
 * @param {HTMLAudioElement} element
 */
async function begin(element) {
  try {
    await element.play();
  } catch {
    document.addEventListener("pointerdown", () => element.play(), { once: true });
  }
}
