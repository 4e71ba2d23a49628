/**
 * One voice each way over WebRTC. It offers, waits for the proof that sound arrives, measures once a
 * second, and tells when it is over; how long it may take and what happens then is decided in ladder.js.
 *
 * @import {Link} from "../stats.js"
 * @import {WebRtcSettings} from "../config.js"
 * @import {ClientMessage, PathReport} from "../wire.js"
 */
import { measure } from "../stats.js";
import { pathReport } from "./report.js";

/** Between looks for the first packet. */
const LOOK_MS = 10;
const MEASURE_MS = 1_000;
/** ICE says "disconnected" for what often heals by itself; a person bears silence no longer than this. */
const INTERRUPTED_MS = 3_000;
/** The server sends 50 packets a second, silence too: measurements without one that make it lost. */
const DRY_MEASURES = 3;
/** A browser that takes longer to say how it went closes without having said it. */
const REPORT_MS = 500;

/**
 * What a peer tells. After `lost` it is closed and tells nothing more, but the report of it.
 * @typedef {Object} PeerListener
 * @property {(message: ClientMessage) => void} send the offer and the candidates
 * @property {(stream: MediaStream) => void} stream the server's voice
 * @property {() => void} answered the server's answer was taken
 * @property {() => void} carries once: sound came
 * @property {(link: Link) => void} measured once a second from then on, while packets come
 * @property {(why: string) => void} lost why, as a clause
 * @property {(report: PathReport) => void} reported how the attempt went: after `carries`, after `lost`
 */

export class Peer {
  /**
   * @param {WebRtcSettings} settings
   * @param {MediaStreamTrack} microphone
   * @param {PeerListener} listener
   * @throws {DOMException} where the browser does not take the settings
   */
  constructor(settings, microphone, listener) {
    const { iceServers, iceTransportPolicy, iceCandidatePoolSize } = settings;
    /** @private */
    this.listener = listener;
    /** @private */
    this.pc = new RTCPeerConnection({ iceServers, iceTransportPolicy, iceCandidatePoolSize, bundlePolicy: "max-bundle" });
    /** @private */
    this.voice = this.pc.addTransceiver(microphone, { direction: "sendrecv" });
    /** @private */
    this.open = true;
    /** @private @type {Link | null} The last measurement. */
    this.link = null;
    /** @private Measurements since the last packet. */
    this.dry = 0;
    /** @private By `performance.now()`. */
    this.offeredAt = 0;
    /** @private Sound came. */
    this.carried = false;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.interruption = undefined;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.next = undefined;
    preferOpus(this.voice);
    this.pc.onicecandidate = ({ candidate }) => this.trickle(candidate);
    this.pc.onconnectionstatechange = () => this.changed();
    this.pc.ontrack = ({ track }) => listener.stream(new MediaStream([track]));
  }

  async offer() {
    this.offeredAt = performance.now();
    try {
      await this.pc.setLocalDescription();
      this.listener.send({ type: "offer", sdp: this.pc.localDescription?.sdp ?? "" });
    } catch (error) {
      this.lose(`this browser makes no offer (${error})`);
    }
  }

  /** @param {string} sdp */
  async answer(sdp) {
    if (!this.open) return;
    try {
      await this.pc.setRemoteDescription({ type: "answer", sdp });
      if (!this.open) return;
      this.listener.answered();
      this.look();
    } catch (error) {
      this.lose(`this browser does not take the server's answer (${error})`);
    }
  }

  /** @param {MediaStreamTrack | null} microphone another device; null: none */
  replace(microphone) {
    this.voice.sender.replaceTrack(microphone).catch((error) => this.lose(`the microphone was refused (${error})`));
  }

  /**
   * The RTP timestamp, at 48 kHz, of what was played last; null where nothing was.
   * @returns {number | null}
   */
  heard() {
    return this.open ? (this.voice.receiver.getSynchronizationSources()[0]?.rtpTimestamp ?? null) : null;
  }

  /** Close because it does not work, and say why, and then how it went. @param {string} why */
  lose(why) {
    if (!this.open) return;
    this.rest();
    const afterMs = performance.now() - this.offeredAt;
    const reported = this.report(this.carried ? "lost" : "failed", why, afterMs);
    const late = new Promise((end) => setTimeout(end, REPORT_MS));
    void Promise.race([reported, late]).then(() => this.pc.close()); // one that is closed tells nothing
    this.listener.lost(why);
  }

  close() {
    this.rest();
    this.pc.close();
  }

  /** @private */
  rest() {
    this.open = false;
    for (const timer of [this.interruption, this.next]) clearTimeout(timer);
  }

  /** @private @param {PathReport["outcome"]} outcome @param {string} why @param {number} afterMs */
  async report(outcome, why, afterMs) {
    const stats = await this.stats().catch(() => new Map()); // a browser that tells no pairs
    this.listener.reported(pathReport(outcome, why, afterMs, stats));
  }

  /**
   * No end of candidates is told: the server would give up on addresses that it has yet to learn.
   * @private
   * @param {RTCIceCandidate | null} candidate
   */
  trickle(candidate) {
    if (candidate?.candidate) this.listener.send({ type: "ice-candidate", candidate: init(candidate) });
  }

  /** @private */
  changed() {
    clearTimeout(this.interruption);
    const state = this.pc.connectionState;
    if (state === "failed") this.lose("WebRTC's connection failed");
    if (state === "disconnected") {
      this.interruption = setTimeout(() => this.lose("WebRTC's connection was interrupted"), INTERRUPTED_MS);
    }
  }

  /**
   * Until the first packet has gone through to the track. Not by `getStats`, which Chromium answers
   * from a copy that is up to 50 ms old.
   * @private
   */
  look() {
    if (!this.open) return;
    if (this.voice.receiver.getSynchronizationSources().length === 0) {
      this.next = setTimeout(() => this.look(), LOOK_MS);
      return;
    }
    this.next = setTimeout(() => this.follow(), MEASURE_MS);
    this.carried = true;
    void this.report("chosen", "", performance.now() - this.offeredAt);
    this.listener.carries();
  }

  /** @private */
  async follow() {
    const before = this.link;
    const link = (this.link = measure(await this.stats(), before));
    if (!this.open) return;
    this.dry = link.received === before?.received ? this.dry + 1 : 0;
    if (this.dry >= DRY_MEASURES) {
      this.lose(`no sound came over WebRTC for ${DRY_MEASURES} s`);
      return;
    }
    if (this.dry === 0) this.listener.measured(link); // it is a sign of life, too
    this.next = setTimeout(() => this.follow(), MEASURE_MS);
  }

  /** @private @returns {Promise<Map<string, any>>} */
  async stats() {
    return /** @type {Map<string, any>} */ (/** @type {unknown} */ (await this.pc.getStats()));
  }
}

/**
 * Without the codecs that nobody here speaks the offer is a third as long.
 * @param {RTCRtpTransceiver} voice
 */
function preferOpus(voice) {
  const codecs = RTCRtpReceiver.getCapabilities?.("audio")?.codecs ?? [];
  const opus = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === "audio/opus");
  if (opus.length > 0) voice.setCodecPreferences?.(opus);
}

/** @param {RTCIceCandidate} candidate @returns {import("../wire.js").CandidateInit} */
function init({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}
