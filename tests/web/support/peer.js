/** A stand-in for the browser's peer connection: what it is told is kept, what happens to it is said here. */

/** @implements {Partial<RTCPeerConnection>} */
export class FakePeer {
  /** @type {FakePeer[]} */
  static made = [];

  /** @param {RTCConfiguration} configuration */
  constructor(configuration) {
    this.configuration = configuration;
    this.connectionState = "new";
    this.closed = false;
    this.arrived = 0;
    this.refusesAnswers = false;
    /** @type {{type: string, sdp: string} | null} */
    this.localDescription = null;
    /** @type {any} */
    this.remoteDescription = null;
    /** @type {unknown[]} */
    this.replaced = [];
    /** @type {any} */
    this.codecs = null;
    /** @type {(event: any) => void} */
    this.onicecandidate = () => {};
    /** @type {() => void} */
    this.onconnectionstatechange = () => {};
    FakePeer.made.push(this);
  }

  addTransceiver() {
    return {
      setCodecPreferences: (/** @type {any} */ codecs) => (this.codecs = codecs),
      receiver: { getSynchronizationSources: () => (this.arrived > 0 ? [{ rtpTimestamp: 960 * this.arrived }] : []) },
      sender: { replaceTrack: async (/** @type {unknown} */ track) => void this.replaced.push(track) },
    };
  }

  async setLocalDescription() {
    this.localDescription = { type: "offer", sdp: "the offer" };
  }

  /** @param {any} description */
  async setRemoteDescription(description) {
    if (this.refusesAnswers) throw new Error("no");
    this.remoteDescription = description;
  }

  async getStats() {
    return new Map([["in", { type: "inbound-rtp", kind: "audio", packetsReceived: this.arrived }]]);
  }

  close() {
    this.closed = true;
  }

  /** @param {string} state */
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}

/** The browser as far as these modules know it. */
export function install() {
  const codecs = ["audio/opus", "audio/red", "audio/PCMU"].map((mimeType) => ({ mimeType }));
  Object.assign(globalThis, {
    RTCPeerConnection: FakePeer,
    RTCRtpReceiver: { getCapabilities: () => ({ codecs }) },
    MediaStream: class {},
  });
  FakePeer.made.length = 0;
}

/** @type {import("../../../src/ultraandchat/web/config.js").WebRtcSettings} */
export const SETTINGS = { iceServers: [], iceTransportPolicy: "all", iceCandidatePoolSize: 3, fallback_ms: 2500 };

/** Let everything that waits for nothing but its turn go on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
