/**
 * The jitter buffer of WebSocket sound: frames come unevenly and leave in quanta of the audio clock.
 * Pure arithmetic on samples; it knows no clock, no worklet and no socket.
 *
 * Playing begins at the start level. A network that lets it run dry raises that level, and what
 * piles up behind a stall is cut back to it: late sound is worse than lost sound. It knows up to which
 * position its sound has left.
 */

/** Sound held before playing begins: three frames, and what the server sends ahead. */
export const START_MS = 60;
/** Added to the start level by each underrun. */
export const GROWTH_MS = 40;
/** The start level never grows beyond this: more is felt as delay. */
export const MOST_MS = 200;
/** More than this in store is cut back to the start level. */
export const FULL_MS = 400;
/** Every beginning, end and joint fades over this long: no click, and a flush is silent within it. */
export const FADE_MS = 10;

/** Positions travel modulo 2³². */
const WRAP = 2 ** 32;
/** A jump in position shorter than a frame is rounding, not silence. */
const SILENCE_MS = 20;
/** The tail after the last sample of an underrun falls to this within `FADE_MS`: -60 dB. */
const FAINT = 0.001;

export class JitterBuffer {
  /** @param {number} rate samples a second of what is pushed and pulled */
  constructor(rate) {
    this.rate = rate;
    this.underruns = 0;
    this.targetMs = START_MS;
    /** Up to where sound has left, as positions are; null: none has. @type {number | null} */
    this.heard = null;
    /** @private Of the tail, a sample. */
    this.decay = FAINT ** (1000 / FADE_MS / rate);
    /** @private */
    this.store = new Float32Array(rate * 2);
    /** @private */
    this.first = 0;
    /** @private */
    this.count = 0;
    /** @private Samples that have left the store since the beginning. */
    this.left = 0;
    /** @private Sound without a gap, by where it begins in all that was ever stored; the oldest leaves. @type {{begin: number, position: number}[]} */
    this.stretches = [];
    /** @private */
    this.playing = false;
    /** @private Pulled while the start level was not reached, in samples. */
    this.waited = 0;
    /** @private Gone dry while sound was due; the next frame tells whether that was an underrun. */
    this.dry = false;
    /** @private @type {number | null} Where the next frame begins if nothing is missing. */
    this.expected = null;
    /** @private The last sample that left, from which an underrun decays. */
    this.tail = 0;
    /** @private Samples of the fade-in already played. */
    this.faded = 0;
  }

  get bufferedMs() {
    return (this.count / this.rate) * 1000;
  }

  /**
   * Take a frame in order of arrival. A gap in position is silence that is already over: nothing is
   * put in its place, and a buffer that ran dry across it has not failed.
   * @param {Float32Array} samples
   * @param {number} position of the first sample on the server's timeline, modulo 2³²
   */
  push(samples, position) {
    if (this.dry) {
      const gap = this.expected === null ? WRAP : modulo(position - this.expected);
      if (gap < this.samples(SILENCE_MS)) {
        this.underruns += 1;
        this.targetMs = Math.min(MOST_MS, this.targetMs + GROWTH_MS);
      }
      this.dry = false;
    }
    if (samples.length > this.store.length - this.count) {
      this.cutBack();
      const surplus = Math.max(0, samples.length - (this.store.length - this.count));
      samples = samples.subarray(surplus);
      position = modulo(position + surplus);
    }
    let rising = 0;
    let falling = 0;
    if (position !== this.expected) {
      this.stretches.push({ begin: this.left + this.count, position });
      if (this.playing || this.count > 0) {
        rising = this.samples(FADE_MS); // it does not go on from what was before, whose last sample decays in it
        falling = this.count > 0 ? this.store[(this.first + this.count - 1) % this.store.length] : this.tail;
      }
    }
    this.expected = modulo(position + samples.length);
    for (let i = 0; i < samples.length; i++) {
      const joint = i < rising;
      falling *= joint ? this.decay : 0;
      this.store[(this.first + this.count) % this.store.length] = samples[i] * (joint ? i / rising : 1) + falling;
      this.count += 1;
    }
    if (this.count > this.samples(FULL_MS)) this.cutBack();
  }

  /**
   * Fill one quantum. Where there is no sound it is silence.
   * @param {Float32Array} out
   */
  pull(out) {
    if (!this.playing) this.begin(out.length);
    const fade = this.samples(FADE_MS);
    for (let i = 0; i < out.length; i++) {
      if (this.playing && this.count > 0) {
        const gain = this.faded < fade ? ++this.faded / fade : 1;
        out[i] = this.tail = this.take() * gain;
        continue;
      }
      if (this.playing) {
        this.playing = false;
        this.dry = this.expected !== null;
      }
      this.tail *= this.decay;
      out[i] = Math.abs(this.tail) < 1e-4 ? (this.tail = 0) : this.tail;
    }
    this.follow();
  }

  /** Drop what is not audible yet: a short fade of it stays, and does not count as heard. */
  flush() {
    const left = Math.min(this.playing ? this.count : 0, this.samples(FADE_MS));
    for (let i = 0; i < left; i++) {
      this.store[(this.first + i) % this.store.length] *= 1 - (i + 1) / left;
    }
    this.count = left;
    this.stretches = [];
    this.expected = null;
    this.dry = false;
  }

  /** Another conversation begins, and with it another timeline. */
  forget() {
    this.flush();
    this.heard = null;
  }

  /** @private @param {number} quantum samples about to be pulled */
  begin(quantum) {
    if (this.count === 0) {
      this.waited = 0;
      return;
    }
    const target = this.samples(this.targetMs);
    this.waited += quantum;
    // A reply shorter than the start level must be heard too.
    if (this.count < target && this.waited < target) return;
    this.playing = true;
    this.waited = 0;
    this.faded = 0;
  }

  /** @private Keep the newest sound up to the start level, and join it to what is being played. */
  cutBack() {
    const fade = this.samples(FADE_MS);
    const surplus = this.count - this.samples(this.targetMs);
    if (surplus < fade) return;
    for (let i = 0; i < fade; i++) {
      const mix = (i + 1) / fade;
      const old = this.store[(this.first + i) % this.store.length];
      const index = (this.first + surplus + i) % this.store.length;
      this.store[index] = old * (1 - mix) + this.store[index] * mix;
    }
    this.first = (this.first + surplus) % this.store.length;
    this.count -= surplus;
    this.left += surplus;
  }

  /** @private Where the last sample that left stood. */
  follow() {
    while (this.stretches.length > 1 && this.stretches[1].begin < this.left) this.stretches.shift();
    const [stretch] = this.stretches;
    if (stretch && stretch.begin < this.left) this.heard = modulo(stretch.position + this.left - stretch.begin);
  }

  /** @private */
  take() {
    const sample = this.store[this.first];
    this.first = (this.first + 1) % this.store.length;
    this.count -= 1;
    this.left += 1;
    return sample;
  }

  /** @private @param {number} ms */
  samples(ms) {
    return Math.round((ms / 1000) * this.rate);
  }
}

/** @param {number} position */
function modulo(position) {
  return ((position % WRAP) + WRAP) % WRAP;
}
