/**
 * The speaker's end of the audio graph: frames from the page go through the jitter buffer, and what
 * leaves it is measured here, so that the level shown is the level that is played.
 */
import { JitterBuffer } from "./buffer.js";

/** Levels a second. */
const LEVELS = 20;
/** Below this there is silence: 16-bit sound ends there. */
const FLOOR_DBFS = -96;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @private */
    this.buffer = new JitterBuffer(sampleRate);
    /** @private */
    this.energy = 0;
    /** @private The last level, dBFS. */
    this.told = FLOOR_DBFS;
    /** @private Samples since the last level. */
    this.measured = 0;
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
    for (const sample of out) this.energy += sample * sample;
    this.measured += out.length;
    this.reported += out.length;
    if (this.measured >= sampleRate / LEVELS) this.tellLevel();
    if (this.reported >= sampleRate) this.report();
    return true;
  }

  /** @private */
  tellLevel() {
    const dbfs = Math.max(FLOOR_DBFS, 10 * Math.log10(this.energy / this.measured));
    if (dbfs !== this.told) this.port.postMessage({ type: "level", dbfs }); // silence is told once
    this.told = dbfs;
    this.energy = this.measured = 0;
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
