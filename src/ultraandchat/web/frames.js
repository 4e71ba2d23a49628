/**
 * The binary frames of `/ws`: an 8-byte header (kind, codec, reserved, position), then mono PCM16 or one
 * Opus packet, all little-endian, as transport/wire.py has it.
 */

export const HEADER_BYTES = 8;
export const KIND_SOUND = 1;
/** To the server: PCM16 at 16 kHz. */
export const CODEC_UP = 1;
/** From the server: PCM16 at 24 kHz. */
export const CODEC_DOWN = 2;
/** Either way: its positions count at 48 kHz. */
export const CODEC_OPUS = 3;
export const RATE_UP = 16_000;
export const RATE_DOWN = 24_000;
/** Of Opus, and of what is played. */
export const RATE_PLAYED = 48_000;

/**
 * What comes from a server.
 * @typedef {{codec: "pcm16", samples: Int16Array, position: number}
 *   | {codec: "opus", packet: Uint8Array, position: number}} Frame
 */

/**
 * @param {Int16Array} samples
 * @param {number} position of the first sample; travels modulo 2³²
 * @returns {ArrayBuffer}
 */
export function encode(samples, position) {
  const { bytes, view } = framed(CODEC_UP, position, 2 * samples.length);
  for (let i = 0; i < samples.length; i++) view.setInt16(HEADER_BYTES + 2 * i, samples[i], true);
  return bytes;
}

/**
 * @param {EncodedAudioChunk} chunk one packet
 * @param {number} position of its first sample, at 48 kHz; travels modulo 2³²
 * @returns {ArrayBuffer}
 */
export function encodeOpus(chunk, position) {
  const { bytes } = framed(CODEC_OPUS, position, chunk.byteLength);
  chunk.copyTo(new Uint8Array(bytes, HEADER_BYTES));
  return bytes;
}

/**
 * @param {ArrayBuffer} bytes
 * @returns {Frame | null} null for what is no sound from a server
 */
export function decode(bytes) {
  if (bytes.byteLength <= HEADER_BYTES) return null;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== KIND_SOUND) return null;
  const codec = view.getUint8(1);
  const position = view.getUint32(4, true);
  if (codec === CODEC_OPUS) return { codec: "opus", packet: new Uint8Array(bytes, HEADER_BYTES), position };
  if (codec !== CODEC_DOWN || bytes.byteLength % 2) return null;
  const samples = new Int16Array((bytes.byteLength - HEADER_BYTES) / 2);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = view.getInt16(HEADER_BYTES + 2 * i, true);
  }
  return { codec: "pcm16", samples, position };
}

/** @param {number} codec @param {number} position @param {number} length of what follows the header */
function framed(codec, position, length) {
  const bytes = new ArrayBuffer(HEADER_BYTES + length);
  const view = new DataView(bytes);
  view.setUint8(0, KIND_SOUND);
  view.setUint8(1, codec);
  view.setUint32(4, position >>> 0, true);
  return { bytes, view };
}
