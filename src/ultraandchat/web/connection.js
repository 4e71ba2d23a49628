/**
 * The way to the server: it begins the conversation once it is decided which way sound goes, measures
 * the round trip, notices a server that is gone and comes back. Paths carry; this decides, and
 * connection/sound.js for the sound.
 *
 * @import {Wishes} from "./connection/sound.js"
 * @import {ClientMessage, Closing, Hello, ServerMessage} from "./wire.js"
 * @import {PageEvent} from "./state.js"
 */
import { SoundPath } from "./connection/sound.js";
import { openWebSocket } from "./connection/websocket.js";

/**
 * One way for messages and sound of both directions.
 * @typedef {Object} Path
 * @property {string} name
 * @property {(message: ClientMessage) => void} send
 * @property {(frame: Int16Array) => void} sendSound 20 ms at 16 kHz
 * @property {() => void} close at once; `Listener.closed` is called
 */

/**
 * What a path tells.
 * @typedef {Object} Listener
 * @property {() => void} opened
 * @property {(message: ServerMessage) => void} message
 * @property {(samples: Int16Array, position: number) => void} sound at 24 kHz
 * @property {() => void} closed once, for whatever reason
 */

/** Seconds before each further attempt. */
const BACK_OFF_S = [1, 2, 4, 8, 10];
const PING_MS = 5_000;
/** A server that has not begun the conversation, or not answered a ping, for this long is gone. */
const PATIENCE_MS = 10_000;

export class Connection {
  /**
   * @param {Object} ends
   * @param {() => Hello} ends.hello asked for at each attempt
   * @param {(event: PageEvent | ServerMessage) => void} ends.tell
   * @param {(samples: Int16Array, position: number) => void} ends.sound that came over the WebSocket
   * @param {(voice: MediaStream | null) => void} ends.voice that comes over WebRTC; null: none does
   * @param {Promise<unknown>} ends.ready what the server says can be heard: nothing is said before
   * @param {() => Wishes} ends.wishes asked for at each attempt
   * @param {() => void} ends.over it will not come back
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private @type {Path | null} */
    this.path = null;
    /** @private @type {SoundPath | null} */
    this.soundPath = null;
    /** @private */
    this.begun = false;
    /** @private @type {Closing | null} */
    this.closing = null;
    /** @private */
    this.attempts = 0;
    /** @private @type {Map<number, number>} Sent pings that have no answer yet; at most `PATIENCE_MS / PING_MS`. */
    this.pings = new Map();
    /** @private */
    this.pingId = 0;
    /** @private @type {number | undefined} */
    this.rttMs = undefined;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} The one wait that is going on. */
    this.timer = undefined;
  }

  /** Also cuts the wait for the next attempt short. */
  open() {
    clearTimeout(this.timer);
    this.ends.tell({ type: "connecting" });
    this.begun = false;
    this.closing = null;
    this.pings.clear();
    const path = openWebSocket({
      opened: () => this.soundPath?.open(),
      message: (message) => this.take(message),
      sound: (samples, position) => this.ends.sound(samples, position),
      closed: () => this.closed(),
    });
    this.path = path;
    this.soundPath = new SoundPath(this.ends.wishes(), {
      send: (message) => path.send(message),
      tell: this.ends.tell,
      voice: this.ends.voice,
      decided: () => void this.ends.ready.then(() => path.send(this.ends.hello())),
      impossible: (why) => {
        this.ends.tell({ type: "impossible", why });
        this.end();
      },
    });
    this.timer = setTimeout(() => path.close(), PATIENCE_MS);
  }

  /** Hang up. */
  end() {
    const path = this.path;
    this.path = null;
    clearTimeout(this.timer);
    this.soundPath?.close();
    path?.send({ type: "bye" });
    path?.close();
    this.ends.over();
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (this.begun) this.path?.send(message);
  }

  /** @param {Int16Array} frame */
  sendSound(frame) {
    if (this.begun && this.soundPath?.overWebSocket) this.path?.sendSound(frame);
  }

  /** Another device in the middle of a conversation, or none. @param {MediaStreamTrack | null} microphone */
  useMicrophone(microphone) {
    this.soundPath?.replace(microphone);
  }

  /** @private @param {ServerMessage} message */
  take(message) {
    if (message.type === "welcome") {
      this.begun = true;
      this.attempts = 0;
    }
    if (message.type === "closing") this.closing = message;
    this.soundPath?.take(message);
    this.ends.tell(message);
    if (message.type === "welcome") this.ping();
    if (message.type === "pong") this.answered(message.id);
  }

  /** @private */
  ping() {
    clearTimeout(this.timer);
    if (this.pings.size >= PATIENCE_MS / PING_MS) {
      this.path?.close();
      return;
    }
    this.pings.set(++this.pingId, performance.now());
    this.send({ type: "ping", id: this.pingId, rtt_ms: this.rttMs });
    this.timer = setTimeout(() => this.ping(), PING_MS);
  }

  /** @private @param {number} id */
  answered(id) {
    const sent = this.pings.get(id);
    if (sent === undefined) return;
    this.pings.clear();
    this.rttMs = performance.now() - sent;
    this.ends.tell({ type: "round_trip", ms: this.rttMs });
  }

  /** @private */
  closed() {
    if (!this.path) return; // hung up here
    clearTimeout(this.timer);
    this.soundPath?.close();
    this.path = null;
    this.begun = false;
    if (!this.closing) this.ends.tell({ type: "lost" });
    const { reason, retry_after_s } = this.closing ?? { reason: "lost" };
    const again = reason === "lost" || reason === "server_stopping";
    const backOff = BACK_OFF_S[Math.min(this.attempts++, BACK_OFF_S.length - 1)];
    if (retry_after_s || again) this.wait(Math.ceil(retry_after_s ?? backOff));
    else this.ends.over();
  }

  /** @private @param {number} seconds */
  wait(seconds) {
    this.ends.tell({ type: "waiting", seconds });
    this.timer = setTimeout(() => (seconds > 1 ? this.wait(seconds - 1) : this.open()), 1000);
  }
}
