/**
 * The microphone's end of the audio graph: whatever rate the graph runs at, 20 ms frames of PCM16 at
 * 16 kHz go to the page. It never makes a sound itself.
 */
import { Resampler } from "./resample.js";

const RATE = 16_000;
const FRAME = 320; // 20 ms

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @private */
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    /** @private */
    this.frame = new Int16Array(FRAME);
    /** @private */
    this.filled = 0;
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const input = inputs[0]?.[0];
    if (!input) return true; // no track yet, or no longer: nothing was heard, so nothing is sent
    const samples = this.resampler ? this.resampler.feed(input) : input;
    for (const sample of samples) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.frame[this.filled++] = Math.round(clipped * 32767);
      if (this.filled === FRAME) this.send();
    }
    return true;
  }

  /** @private */
  send() {
    const full = this.frame;
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.port.postMessage(full, [full.buffer]);
  }
}

registerProcessor("capture", Capture);
