/**
 * The speaker's end of the audio graph: sound from the page goes through the jitter buffer, and what
 * leaves it is measured here, so that the level shown is the level that is played, and told by its position.
 */
import { JitterBuffer } from "./buffer.js";
import { LevelMeter } from "./level.js";

/** Quanta (of 128 samples) between two tellings of what was heard: 21 ms at 48 kHz. */
const HEARD_QUANTA = 8;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @private */
    this.buffer = new JitterBuffer(sampleRate);
    /** @private */
    this.meter = new LevelMeter(sampleRate);
    /** @private Samples since the last report. */
    this.reported = 0;
    /** @private */
    this.quanta = 0;
    /** @private The position told last. @type {number | null} */
    this.told = null;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  /** @private @param {{type: "flush"} | {type: "forget"} | {type: "frame", samples: Float32Array, position: number}} data */
  take(data) {
    if (data.type === "frame") {
      this.buffer.push(data.samples, data.position);
      return;
    }
    this.buffer[data.type]();
    this.tellHeard(); // exact: nothing leaves that was there
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const out = outputs[0][0];
    this.buffer.pull(out);
    const dbfs = this.meter.hear(out);
    if (dbfs !== null) this.port.postMessage({ type: "level", dbfs });
    this.quanta += 1;
    if (this.quanta % HEARD_QUANTA === 0) this.tellHeard();
    this.reported += out.length;
    if (this.reported >= sampleRate) this.report();
    return true;
  }

  /** @private */
  tellHeard() {
    const { heard } = this.buffer;
    if (heard === this.told) return;
    this.told = heard;
    this.port.postMessage({ type: "heard", position: heard });
  }

  /** @private */
  report() {
    this.reported = 0;
    const { bufferedMs, underruns, targetMs } = this.buffer;
    this.port.postMessage({ type: "report", bufferedMs, underruns, targetMs });
  }
}

registerProcessor("playback", Playback);
