/**
 * Opus by the browser's own codec (WebCodecs: Chromium 94, Firefox 130, Safari 26). One packet for each
 * 20 ms, in order. What does not work says so once, and is then to be thrown away.
 */
import { RATE_PLAYED, RATE_UP } from "./frames.js";

/** @typedef {"opus" | "pcm16"} Codec */

const FRAME_US = 20_000;
const BITRATE = 32_000;
/** Frames given and not yet back, 1 s of sound: a page that was held up gives as many at once. */
export const MOST_WAITING = 50;
/** Full for so long without one that comes back: none will. */
export const STUCK_MS = 2_000;

// Both browsers of today were tried: 16 kHz is taken as it is, and what is decoded has 48 kHz whatever is asked for.
const ENCODER = /** @type {AudioEncoderConfig} */ ({
  codec: "opus",
  sampleRate: RATE_UP,
  numberOfChannels: 1,
  bitrate: BITRATE,
  opus: { frameDuration: FRAME_US, application: "voip" },
});
const DECODER = { codec: "opus", sampleRate: RATE_PLAYED, numberOfChannels: 1 };

let broken = false;
/** @type {Promise<boolean> | undefined} Asked once a page. */
let support;

/** What sound on a WebSocket shall be, as far as this browser goes. @returns {Promise<Codec>} */
export async function bestCodec() {
  support ??= supported();
  return (await support) && !broken ? "opus" : "pcm16";
}

/** It failed here: nothing on this page tries it again. */
export function giveUpOpus() {
  broken = true;
}

async function supported() {
  if (!("AudioEncoder" in globalThis && "AudioDecoder" in globalThis && "AudioData" in globalThis)) return false;
  try {
    const both = [AudioEncoder.isConfigSupported(ENCODER), AudioDecoder.isConfigSupported(DECODER)];
    return (await Promise.all(both)).every(({ supported }) => supported);
  } catch {
    return false;
  }
}

/** Where what was given stands, until it is back. */
class Waiting {
  /** @param {(why: string) => void} failed */
  constructor(failed) {
    /** @private */
    this.failed = failed;
    /** @private @type {Map<number, number>} by their number; at most `MOST_WAITING` */
    this.places = new Map();
    /** @private */
    this.number = 0;
    /** @private Since when frames are dropped and none has come back. @type {number | null} */
    this.fullAt = null;
  }

  /**
   * @param {number} position
   * @returns {number | null} microseconds that name it on the codec's own timeline, which has no gaps; null: it
   *   is to be dropped
   */
  give(position) {
    if (this.places.size >= MOST_WAITING) {
      this.fullAt ??= performance.now();
      if (performance.now() - this.fullAt > STUCK_MS) this.failed("it gives nothing back");
      return null;
    }
    this.places.set(this.number, position);
    return FRAME_US * this.number++;
  }

  /** @returns {number | undefined} the position of the oldest */
  next() {
    const [oldest] = this.places.keys();
    return oldest === undefined ? undefined : this.take(oldest);
  }

  /** @param {number} timestamp @returns {number | undefined} undefined: it is not waited for any more */
  at(timestamp) {
    return this.take(Math.round(timestamp / FRAME_US));
  }

  clear() {
    this.places.clear();
    this.fullAt = null;
  }

  /** @private @param {number} number */
  take(number) {
    const position = this.places.get(number);
    this.places.delete(number);
    this.fullAt = null;
    return position;
  }
}

export class OpusEncoder {
  /**
   * @param {Object} ends
   * @param {(chunk: EncodedAudioChunk, position: number) => void} ends.packet
   * @param {(why: string) => void} ends.failed
   * @throws {Error} where the browser has none after all
   */
  constructor({ packet, failed }) {
    /** @private */
    this.waiting = new Waiting(failed);
    /** @private */
    this.codec = new AudioEncoder({
      output: (chunk) => {
        // In order, one for each frame. Not by its timestamp: Firefox takes its look-ahead off that.
        const position = this.waiting.next();
        if (position !== undefined) packet(chunk, position);
      },
      error: (error) => failed(error.message),
    });
    this.codec.configure(ENCODER);
  }

  /** @param {Int16Array} samples 20 ms at 16 kHz @param {number} position of the first, at 48 kHz */
  encode(samples, position) {
    const timestamp = this.waiting.give(position);
    if (timestamp === null) return;
    const sound = new AudioData({
      format: "s16",
      sampleRate: RATE_UP,
      numberOfFrames: samples.length,
      numberOfChannels: 1,
      timestamp,
      data: /** @type {Int16Array<ArrayBuffer>} */ (samples),
    });
    this.codec.encode(sound);
    sound.close();
  }

  close() {
    this.waiting.clear();
    if (this.codec.state !== "closed") this.codec.close();
  }
}

export class OpusDecoder {
  /**
   * @param {Object} ends
   * @param {(samples: Float32Array, position: number) => void} ends.sound at 48 kHz
   * @param {(why: string) => void} ends.failed
   * @throws {Error} where the browser has none after all
   */
  constructor({ sound, failed }) {
    /** @private */
    this.ends = { sound, failed };
    /** @private */
    this.waiting = new Waiting(failed);
    /** @private */
    this.codec = new AudioDecoder({
      output: (data) => this.take(data),
      error: (error) => failed(error.message),
    });
    this.codec.configure(DECODER);
  }

  /** @param {Uint8Array} packet @param {number} position of its first sample, at 48 kHz */
  decode(packet, position) {
    const timestamp = this.waiting.give(position);
    if (timestamp === null) return;
    this.codec.decode(new EncodedAudioChunk({ type: "key", timestamp, data: /** @type {Uint8Array<ArrayBuffer>} */ (packet) }));
  }

  /** Drop what is in it, and begin anew, as the server's encoder does behind a flush. */
  reset() {
    this.waiting.clear();
    this.codec.reset();
    this.codec.configure(DECODER);
  }

  close() {
    this.waiting.clear();
    if (this.codec.state !== "closed") this.codec.close();
  }

  /** @private @param {AudioData} data */
  take(data) {
    const position = this.waiting.at(data.timestamp);
    const samples = new Float32Array(data.numberOfFrames);
    const { sampleRate } = data;
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    data.close();
    if (sampleRate !== RATE_PLAYED) this.ends.failed(`it decodes to ${sampleRate} Hz`);
    else if (position !== undefined) this.ends.sound(samples, position);
  }
}
