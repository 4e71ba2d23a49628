/**
 * Which way the sound of one attempt goes. WebRTC is tried first where it can be; nothing is spoken
 * before it has brought sound or has failed. From the middle of a conversation sound moves to the
 * WebSocket when WebRTC is lost.
 *
 * @import {Transport} from "./choice.js"
 * @import {PageEvent, WebRtcSettings} from "../state.js"
 * @import {ClientMessage, ServerMessage} from "../wire.js"
 */
import { told } from "../stats.js";
import { whyNot } from "./choice.js";
import { Peer } from "./webrtc.js";

/** When WebRTC failed last on this page, by `performance.now()`: attempts come and go. */
let failedAt = -Infinity;

/**
 * @typedef {Object} Wishes
 * @property {Transport} transport
 * @property {WebRtcSettings | null} settings null: the server has no WebRTC
 * @property {MediaStreamTrack | null} microphone
 */

/**
 * @typedef {Object} SoundEnds
 * @property {(message: ClientMessage) => void} send over the WebSocket
 * @property {(event: PageEvent) => void} tell
 * @property {(voice: MediaStream | null) => void} voice that comes over WebRTC; null: none does
 * @property {() => void} decided once: the conversation may begin
 * @property {(why: string) => void} impossible WebRTC was asked for and does not work
 */

export class SoundPath {
  /** Begins to gather addresses. @param {Wishes} wishes @param {SoundEnds} ends */
  constructor({ transport, settings, microphone }, ends) {
    /** @private */
    this.ends = ends;
    /** @private */
    this.only = transport === "webrtc";
    /** @private @type {Peer | null} */
    this.peer = null;
    /** @private */
    this.decided = false;
    const supported = "RTCPeerConnection" in globalThis;
    const failedAgoMs = performance.now() - failedAt;
    /** @private Why WebRTC is not tried. */
    this.why = whyNot({ transport, settings, supported, microphone: microphone !== null, failedAgoMs });
    if (!this.why && settings && microphone) this.prepare(settings, microphone);
  }

  /** Sound goes over the WebSocket, and only there. */
  get overWebSocket() {
    return this.decided && !this.peer;
  }

  /** The WebSocket is open. */
  open() {
    if (this.peer) void this.peer.offer();
    else this.settle(this.why, false);
  }

  /** @param {ServerMessage} message */
  take(message) {
    if (message.type === "answer") void this.peer?.answer(message.sdp);
    if (message.type === "path_lost") this.peer?.lose(message.text);
    if (message.type === "error" && (message.code === "bad_offer" || message.code === "no_path")) {
      this.peer?.lose(message.text);
    }
  }

  /** Another device, or none. @param {MediaStreamTrack | null} microphone */
  replace(microphone) {
    this.peer?.replace(microphone);
  }

  close() {
    this.peer?.close();
    this.peer = null;
    this.ends.voice(null);
  }

  /** @private @param {WebRtcSettings} settings @param {MediaStreamTrack} microphone */
  prepare(settings, microphone) {
    try {
      this.peer = new Peer(settings, microphone, {
        send: this.ends.send,
        stream: this.ends.voice,
        carries: () => this.carries(),
        measured: (link) => {
          this.ends.send(told(link));
          this.ends.tell({ type: "link", link });
        },
        lost: (why) => this.lost(why),
      });
    } catch (error) {
      this.why = `this browser refuses WebRTC (${error})`;
    }
  }

  /** @private */
  carries() {
    this.decided = true;
    this.ends.send({ type: "use_path", path: "webrtc" });
    this.ends.tell({ type: "path", path: "webrtc", why: "", failed: false });
    this.ends.decided();
  }

  /** @private @param {string} why */
  lost(why) {
    this.close();
    this.ends.send({ type: "use_path", path: "websocket" }); // the server gives up its half, too
    if (!this.decided) failedAt = performance.now(); // one that carried may well do so again
    this.settle(why, true);
  }

  /** @private @param {string} why not WebRTC @param {boolean} failed it was tried */
  settle(why, failed) {
    if (this.only) {
      this.ends.impossible(why);
      return;
    }
    const begun = this.decided;
    this.decided = true;
    this.ends.tell({ type: "path", path: "websocket", why, failed });
    if (!begun) this.ends.decided();
  }
}
