/** The level of a stream of sound, told in even steps. Pure arithmetic on samples. */

/** Levels a second. */
const LEVELS = 20;
/** Below this there is silence: 16-bit sound ends there. */
const FLOOR_DBFS = -96;

export class LevelMeter {
  /** @param {number} rate samples a second */
  constructor(rate) {
    /** @private */
    this.step = rate / LEVELS;
    /** @private */
    this.energy = 0;
    /** @private The last level, dBFS. */
    this.told = FLOOR_DBFS;
    /** @private Samples since the last level. */
    this.measured = 0;
  }

  /**
   * @param {Float32Array} samples
   * @returns {number | null} dBFS; null where nothing is to be told: between levels, and in lasting silence
   */
  hear(samples) {
    for (const sample of samples) this.energy += sample * sample;
    this.measured += samples.length;
    if (this.measured < this.step) return null;
    const dbfs = Math.max(FLOOR_DBFS, 10 * Math.log10(this.energy / this.measured));
    this.energy = this.measured = 0;
    if (dbfs === this.told) return null;
    this.told = dbfs;
    return dbfs;
  }
}
