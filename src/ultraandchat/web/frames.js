/**
 * The binary frames of `/ws`: an 8-byte header (kind, codec, reserved, position), then mono PCM16,
 * all little-endian, as transport/wire.py has it.
 */

export const HEADER_BYTES = 8;
export const KIND_SOUND = 1;
/** To the server: 16 kHz. */
export const CODEC_UP = 1;
/** From the server: 24 kHz. */
export const CODEC_DOWN = 2;
export const RATE_UP = 16_000;
export const RATE_DOWN = 24_000;

/**
 * @param {Int16Array} samples
 * @param {number} position of the first sample; travels modulo 2³²
 * @returns {ArrayBuffer}
 */
export function encode(samples, position) {
  const bytes = new ArrayBuffer(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(bytes);
  view.setUint8(0, KIND_SOUND);
  view.setUint8(1, CODEC_UP);
  view.setUint32(4, position >>> 0, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(HEADER_BYTES + 2 * i, samples[i], true);
  return bytes;
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {{samples: Int16Array, position: number} | null} null for what is no sound from a server
 */
export function decode(bytes) {
  if (bytes.byteLength <= HEADER_BYTES || bytes.byteLength % 2) return null;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== KIND_SOUND || view.getUint8(1) !== CODEC_DOWN) return null;
  const samples = new Int16Array((bytes.byteLength - HEADER_BYTES) / 2);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = view.getInt16(HEADER_BYTES + 2 * i, true);
  }
  return { samples, position: view.getUint32(4, true) };
}
