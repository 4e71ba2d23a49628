/**
 * The voice: frames go through the jitter buffer of the playback worklet into an audio element,
 * where the browser's echo canceller knows of them.
 *
 * @import {BufferReport} from "./state.js"
 */
import { RATE_DOWN } from "./frames.js";

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
    const element = new Audio();
    element.srcObject = out.stream;
    await context.resume();
    await begin(element);
    return new Speaker(context, node, element);
  }

  /**
   * @private
   * @param {AudioContext} context
   * @param {AudioWorkletNode} node
   * @param {HTMLAudioElement} element
   */
  constructor(context, node, element) {
    /** @private */
    this.context = context;
    /** @private */
    this.node = node;
    /** @private */
    this.element = element;
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
