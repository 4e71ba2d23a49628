/** The level of sound that the browser plays by itself, measured beside it. It makes no sound. */
import { LevelMeter } from "./level.js";

class Meter extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @private */
    this.meter = new LevelMeter(sampleRate);
    /** @private */
    this.silence = new Float32Array(128);
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const dbfs = this.meter.hear(inputs[0]?.[0] ?? this.silence);
    if (dbfs !== null) this.port.postMessage(dbfs);
    return true;
  }
}

registerProcessor("meter", Meter);
