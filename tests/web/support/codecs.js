/** Stand-ins for the browser's Opus: what they are given is kept, what comes of it is said here. */

class Codec {
  /** @param {any} ends */
  constructor(ends) {
    this.ends = ends;
    this.state = "unconfigured";
    /** @type {any[]} */
    this.given = [];
    this.resets = 0;
  }

  /** @param {any} config */
  configure(config) {
    this.config = config;
    this.state = "configured";
  }

  reset() {
    if (this.state === "closed") throw new Error("InvalidStateError");
    this.resets += 1;
    this.given = [];
    this.state = "unconfigured";
  }

  close() {
    if (this.state === "closed") throw new Error("InvalidStateError");
    this.state = "closed";
  }

  /** @param {any} item */
  take(item) {
    if (this.state !== "configured") throw new Error("InvalidStateError");
    this.given.push(item);
  }
}

export class FakeEncoder extends Codec {
  /** @type {FakeEncoder[]} */
  static made = [];
  static supported = true;

  static async isConfigSupported() {
    return { supported: FakeEncoder.supported };
  }

  /** @param {any} ends */
  constructor(ends) {
    super(ends);
    FakeEncoder.made.push(this);
  }

  /** @param {any} sound */
  encode(sound) {
    this.take(sound);
  }

  /** Gives out the oldest frame as a packet that holds its first sample. */
  give() {
    const sound = this.given.shift();
    const bytes = Uint8Array.of(sound.data[0]);
    this.ends.output({ byteLength: 1, timestamp: sound.timestamp, copyTo: (/** @type {Uint8Array} */ to) => to.set(bytes) });
  }
}

export class FakeDecoder extends Codec {
  /** @type {FakeDecoder[]} */
  static made = [];

  static async isConfigSupported() {
    return { supported: true };
  }

  /** @param {any} ends */
  constructor(ends) {
    super(ends);
    FakeDecoder.made.push(this);
  }

  /** @param {any} chunk */
  decode(chunk) {
    this.take(chunk);
  }

  /** Gives out the oldest packet as 20 ms of its first byte; Chromium rounds timestamps down now and then. */
  give(sampleRate = 48_000, chunk = this.given.shift()) {
    this.ends.output({
      numberOfFrames: sampleRate / 50,
      sampleRate,
      timestamp: chunk.timestamp - 1,
      copyTo: (/** @type {Float32Array} */ to) => to.fill(chunk.data[0]),
      close: () => {},
    });
  }
}

/** A browser with all of it. */
export function installCodecs() {
  FakeEncoder.made = [];
  FakeDecoder.made = [];
  FakeEncoder.supported = true;
  const plain = class {
    /** @param {any} fields */
    constructor(fields) {
      Object.assign(this, fields);
    }
    close() {}
  };
  Object.assign(globalThis, { AudioEncoder: FakeEncoder, AudioDecoder: FakeDecoder, AudioData: plain, EncodedAudioChunk: plain });
}
