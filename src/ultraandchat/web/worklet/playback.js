/**
 * The speaker's end of the audio graph: frames from the page go through the jitter buffer, and what
 * leaves it is measured here, so that the level shown is the level that is played.
 */
import { JitterBuffer } from "./buffer.js";
import { LevelMeter } from "./level.js";

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @private */
    this.buffer = new JitterBuffer(sampleRate);
    /** @private */
    this.meter = new LevelMeter(sampleRate);
    /** @private Samples since the last report. */
    this.reported = 0;
    this.port.onmessage = ({ data }) => {
      if (data.type === "flush") this.buffer.flush();
      else this.buffer.push(floats(data.samples), data.position);
    };
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
    this.reported += out.length;
    if (this.reported >= sampleRate) this.report();
    return true;
  }

  /** @private */
  report() {
    this.reported = 0;
    const { bufferedMs, underruns, targetMs } = this.buffer;
    this.port.postMessage({ type: "report", bufferedMs, underruns, targetMs });
  }
}

/** @param {Int16Array} pcm */
function floats(pcm) {
  return Float32Array.from(pcm, (sample) => sample / 32768);
}

registerProcessor("playback", Playback);
