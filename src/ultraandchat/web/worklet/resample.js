/**
 * Streaming resampling for capture, where the browser will not run its graph at 16 kHz: a windowed
 * sinc whose cut-off lies below both Nyquist frequencies. State is kept between calls, so the way a
 * stream is cut into blocks never changes what comes out.
 */

/** Zero crossings on each side of the kernel: a steep slope for 1.7 ms of delay at 16 kHz. */
const CROSSINGS = 24;
/** Pass band as a share of the lower Nyquist frequency; the rest is the filter's slope. */
const PASS = 0.9;

export class Resampler {
  /**
   * @param {number} from Hz, a whole number
   * @param {number} to Hz, a whole number
   */
  constructor(from, to) {
    const common = divisor(from, to);
    /** @private Output samples are `down / up` input samples apart. */
    this.up = to / common;
    /** @private */
    this.down = from / common;
    const cut = PASS * Math.min(1, to / from);
    /** @private Input samples on each side of an output sample. */
    this.reach = Math.ceil(CROSSINGS / cut);
    /** @private One kernel for each place between two input samples. */
    this.kernels = Array.from({ length: this.up }, (_, i) => kernel(i / this.up, this.reach, cut));
    /** @private Input that later output still needs; it begins with silence. */
    this.past = new Float32Array(this.reach);
    /** @private Where the next output sample stands in `past`, in steps of 1 / `up`. */
    this.at = this.reach * this.up;
  }

  /**
   * @param {Float32Array} input
   * @returns {Float32Array} as many samples as the input allows
   */
  feed(input) {
    const all = new Float32Array(this.past.length + input.length);
    all.set(this.past);
    all.set(input, this.past.length);
    const out = [];
    for (; Math.floor(this.at / this.up) + this.reach < all.length; this.at += this.down) {
      const taps = this.kernels[this.at % this.up];
      const first = Math.floor(this.at / this.up) - this.reach;
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += taps[i] * all[first + i];
      out.push(sum);
    }
    const used = Math.floor(this.at / this.up) - this.reach;
    this.past = all.slice(used);
    this.at -= used * this.up;
    return Float32Array.from(out);
  }
}

/**
 * The weights of the input samples around one place, with a sum of 1.
 * @param {number} fraction of the way from one input sample to the next
 * @param {number} reach
 * @param {number} cut cut-off as a share of the input's Nyquist frequency
 */
function kernel(fraction, reach, cut) {
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => {
    const x = i - reach - fraction;
    const angle = Math.PI * cut * x;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / (reach + 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}
