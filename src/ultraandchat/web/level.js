/** Levels of sound, in dBFS. */

/** Below this there is silence: 16-bit sound ends there. */
export const SILENCE_DBFS = -96;

/**
 * RMS of 16-bit samples.
 * @param {Int16Array} samples
 */
export function dbfs(samples) {
  let energy = 0;
  for (const sample of samples) energy += (sample / 32768) ** 2;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(energy / samples.length));
}
