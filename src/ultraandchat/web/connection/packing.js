/**
 * How sound is packed on one WebSocket: Opus where the browser has it, else PCM16. Whatever fails in the
 * browser's Opus, it goes on as PCM16, both ways, and says why.
 *
 * @import {Codec} from "../opus.js"
 */
import { decode, encode, encodeOpus, RATE_DOWN, RATE_PLAYED, RATE_UP } from "../frames.js";
import { giveUpOpus, OpusDecoder, OpusEncoder } from "../opus.js";
import { Resampler } from "../worklet/resample.js";

/** More than this unsent (one second of sound and headers) means the network stalls: newer sound is dropped. */
export const MOST_UNSENT_BYTES = { pcm16: 33_000, opus: 5_000 };

const WRAP = 2 ** 32;

export class Packing {
  /**
   * @param {Object} ends
   * @param {(bytes: ArrayBuffer) => void} ends.send
   * @param {(samples: Float32Array, position: number) => void} ends.sound at 48 kHz; the samples may be taken away
   * @param {(codec: Codec, why: string) => void} ends.changed `why`: Opus failed
   */
  constructor(ends) {
    /** @type {Codec} */
    this.codec = "pcm16";
    /** @private */
    this.ends = ends;
    /** @private Of the microphone's next sample, at 16 kHz. */
    this.position = 0;
    /** @private @type {OpusEncoder | null} */
    this.encoder = null;
    /** @private @type {OpusDecoder | null} */
    this.decoder = null;
    /** @private @type {{filter: Resampler, expected: number, position: number} | null} of the PCM16 that comes */
    this.stretch = null;
  }

  useOpus() {
    this.codec = "opus";
    try {
      const failed = (/** @type {string} */ why) => this.fail(why);
      this.encoder = new OpusEncoder({
        packet: (chunk, position) => this.ends.send(encodeOpus(chunk, position)),
        failed,
      });
      this.decoder = new OpusDecoder({ sound: this.ends.sound, failed });
      this.ends.changed("opus", "");
    } catch (error) {
      this.fail(String(error));
    }
  }

  /** @param {string} why Opus does not work */
  fail(why) {
    if (this.codec !== "opus") return;
    giveUpOpus();
    this.close();
    this.codec = "pcm16";
    this.ends.changed("pcm16", why);
  }

  /** @param {Int16Array} frame 20 ms at 16 kHz @param {number} unsent bytes that wait already */
  pack(frame, unsent) {
    const { position } = this;
    this.position += frame.length; // what is dropped leaves a gap, so that the server counts right
    if (unsent > MOST_UNSENT_BYTES[this.codec]) return;
    if (!this.encoder) this.ends.send(encode(frame, position));
    else this.attempt(() => this.encoder?.encode(frame, position * (RATE_PLAYED / RATE_UP)));
  }

  /** @param {ArrayBuffer} bytes */
  unpack(bytes) {
    const frame = decode(bytes);
    if (frame?.codec === "pcm16") this.play(frame.samples, frame.position);
    if (frame?.codec === "opus") this.attempt(() => this.decoder?.decode(frame.packet, frame.position));
  }

  /** What has come and is not decoded yet will not be heard. */
  flush() {
    this.stretch = null;
    this.attempt(() => this.decoder?.reset());
  }

  close() {
    this.encoder?.close();
    this.decoder?.close();
    this.encoder = this.decoder = null;
  }

  /** @private @param {() => void} step */
  attempt(step) {
    try {
      step();
    } catch (error) {
      this.fail(String(error));
    }
  }

  /** What is played has 48 kHz. The last 1 ms before a gap stays in the filter: it has faded by then. @private @param {Int16Array} pcm @param {number} position */
  play(pcm, position) {
    const rise = RATE_PLAYED / RATE_DOWN;
    if (this.stretch?.expected !== position) {
      this.stretch = { filter: new Resampler(RATE_DOWN, RATE_PLAYED), expected: position, position: (rise * position) % WRAP };
    }
    const { stretch } = this;
    stretch.expected = (position + pcm.length) % WRAP;
    const samples = stretch.filter.feed(Float32Array.from(pcm, (sample) => sample / 32768));
    const begin = stretch.position;
    stretch.position = (begin + samples.length) % WRAP;
    this.ends.sound(samples, begin); // who takes the samples away, and their length with them
  }
}
