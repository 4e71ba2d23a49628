/**
 * Which way the sound goes while one connection to the server lasts. ladder.js decides; here its steps
 * are taken, its clock is read, and what came of it is told to the server and to the page.
 *
 * @import {Transport} from "./choice.js"
 * @import {Step} from "./ladder.js"
 * @import {WebRtcSettings} from "../config.js"
 * @import {PageEvent} from "../events.js"
 * @import {ClientMessage, PathReport, ServerMessage} from "../wire.js"
 */
import { told } from "../stats.js";
import { parsed, whyLater, whyNot } from "./choice.js";
import { Ladder } from "./ladder.js";
import { Peer } from "./webrtc.js";

/** In `localStorage`, which is the host's own. */
const REMEMBERED = "rung";

/**
 * @typedef {Object} Wishes
 * @property {Transport} transport
 * @property {WebRtcSettings | null} settings null: the server has no WebRTC
 * @property {MediaStreamTrack | null} microphone
 * @property {boolean} resuming a conversation goes on
 */

/**
 * @typedef {Object} SoundEnds
 * @property {(message: ClientMessage) => void} send over the WebSocket
 * @property {(event: PageEvent) => void} tell
 * @property {(voice: MediaStream | null) => void} voice that comes over WebRTC, in use or not yet; null: none does
 * @property {() => void} decided once: the conversation may begin
 * @property {(why: string) => void} impossible WebRTC was asked for and does not work
 * @property {() => void} [carried] a sign of life of the network, beside messages
 */

export class SoundPath {
  /** Begins to gather addresses. @param {Wishes} wishes @param {SoundEnds} ends */
  constructor({ transport, settings, microphone, resuming }, ends) {
    /** @private */
    this.ends = ends;
    /** @private */
    this.settings = settings;
    /** @private */
    this.microphone = microphone;
    /** @private @type {Peer | null} The attempt that is made, or the path it became. */
    this.peer = null;
    /** @private */
    this.open = true;
    /** @private The conversation may begin. */
    this.decided = false;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    const supported = "RTCPeerConnection" in globalThis;
    const never = whyNot({ transport, settings, supported, microphone: microphone !== null });
    const refused = never || this.prepare();
    const remembered = parsed(globalThis.localStorage?.getItem(REMEMBERED) ?? null);
    /** @private */
    this.ladder = new Ladder({
      whyNot: refused,
      whyLater: whyLater({ resuming, remembered }, Date.now()),
      only: transport === "webrtc",
      fallbackMs: settings?.fallback_ms ?? 0,
    });
  }

  /** Sound goes over the WebSocket. */
  get overWebSocket() {
    return this.open && this.ladder.sound === "websocket";
  }

  /** Messages can be sent. */
  begin() {
    this.run(this.ladder.begin(now()));
  }

  /** @param {ServerMessage} message */
  take(message) {
    if (message.type === "answer") void this.peer?.answer(message.sdp);
    if (message.type === "path_lost") this.peer?.lose(message.text);
    if (message.type === "error" && (message.code === "bad_offer" || message.code === "no_path")) {
      this.peer?.lose(message.text);
    }
    if (message.type === "welcome") this.run(this.ladder.floor(now(), true));
    if (message.type === "state") this.run(this.ladder.floor(now(), message.state === "listening"));
  }

  /** The agent is heard here, whichever way it came. */
  audible() {
    this.ladder.audible(now());
  }

  networkChanged() {
    this.run(this.ladder.networkChanged(now()));
  }

  /**
   * Where the voice stands that was played last, as `Hello.heard`; null: not known, or not over WebRTC.
   * @returns {number | null}
   */
  heard() {
    return this.ladder.sound === "webrtc" ? (this.peer?.heard() ?? null) : null;
  }

  /** Another device, or none. @param {MediaStreamTrack | null} microphone */
  replace(microphone) {
    this.microphone = microphone;
    this.peer?.replace(microphone);
  }

  close() {
    this.open = false;
    clearTimeout(this.timer);
    this.peer?.close();
    this.peer = null;
    this.ends.voice(null);
  }

  /** @private @param {Step[]} steps */
  run(steps) {
    for (const step of steps) this.step(step);
    clearTimeout(this.timer);
    const due = this.ladder.deadline();
    if (!this.open || due === Infinity) return;
    this.timer = setTimeout(() => this.run(this.ladder.tick(Math.max(now(), due))), due - now());
  }

  /** @private @param {Step} step */
  step(step) {
    if (step.do === "offer") this.offer();
    else if (step.do === "drop") this.peer?.lose(step.why);
    else if (step.do === "impossible") this.ends.impossible(step.why);
    else this.use(step);
  }

  /** @private @param {Extract<Step, {do: "use"}>} step */
  use({ path, why, failed }) {
    if (path === "webrtc") this.ends.send({ type: "use_path", path });
    this.ends.tell({ type: "path", path, why, failed });
    if (!this.decided) this.ends.decided();
    this.decided = true;
  }

  /** @private */
  offer() {
    const refused = this.peer ? "" : this.prepare();
    if (refused) this.run(this.ladder.lost(now(), refused));
    else void this.peer?.offer();
  }

  /** @private @returns {string} why this browser refuses; empty: there is a peer */
  prepare() {
    const { settings, microphone } = this;
    if (!settings || !microphone) return "there is no microphone";
    try {
      this.peer = new Peer(settings, microphone, {
        send: (message) => this.ends.send(message),
        stream: (voice) => this.ends.voice(voice),
        answered: () => this.run(this.ladder.answered(now())),
        carries: () => this.run(this.ladder.carries(now())),
        measured: (link) => {
          this.ends.carried?.();
          this.ends.send(told(link));
          if (this.ladder.sound === "webrtc") this.ends.tell({ type: "link", link });
        },
        lost: (why) => this.lost(why),
        reported: (report) => this.report(report),
      });
      return "";
    } catch (error) {
      return `this browser refuses WebRTC (${error})`;
    }
  }

  /** @private @param {string} why */
  lost(why) {
    this.peer = null;
    this.ends.voice(null);
    this.ends.send({ type: "use_path", path: "websocket" }); // the server gives up its half, too
    this.run(this.ladder.lost(now(), why));
  }

  /** @private @param {PathReport} report */
  report(report) {
    this.ends.send(report);
    this.ends.tell({ type: "attempt", report });
    if (report.outcome === "lost") return; // one that carried may well do so again
    const chosen = report.pairs.find(({ state }) => state === "chosen")?.protocol;
    const rung = report.outcome === "chosen" ? (chosen ?? "webrtc") : "websocket";
    const late = report.outcome === "chosen" && report.after_ms > (this.settings?.fallback_ms ?? Infinity);
    globalThis.localStorage?.setItem(REMEMBERED, JSON.stringify({ rung, late, at: Date.now() }));
  }
}

const now = () => performance.now();
