/**
 * The conversation's way to the server, from the page's opening to its end: it says hello once it is decided
 * which way sound goes, goes on with the same conversation after a cut, a reload or on another line,
 * and says goodbye. connection/line.js has the line, connection/sound.js the sound.
 *
 * @import {Standing} from "./connection/own.js"
 * @import {Wishes} from "./connection/sound.js"
 * @import {PageEvent} from "./events.js"
 * @import {ClientMessage, Closing, Hello, ServerMessage, Welcome} from "./wire.js"
 */
import { Line } from "./connection/line.js";
import { OwnConversation } from "./connection/own.js";
import { SoundPath } from "./connection/sound.js";

/** A server that was said hello to and has not begun the conversation for this long is asked on another line. */
const WELCOME_MS = 10_000;
/** Over these a connection is looked for again; the others end the conversation. */
const PASSING = ["server_stopping"];

export class Connection {
  /**
   * @param {Object} ends
   * @param {() => Promise<URL>} ends.address
   * @param {() => Hello} ends.hello asked for at each attempt
   * @param {(event: PageEvent | ServerMessage) => void} ends.tell
   * @param {(samples: Float32Array, position: number) => void} ends.sound that came over the WebSocket
   * @param {(voice: MediaStream | null) => void} ends.voice that comes over WebRTC; null: none does
   * @param {() => Promise<unknown>} ends.ready what the server says can be heard: nothing is said before
   * @param {() => Omit<Wishes, "resuming">} ends.wishes asked for at each attempt
   * @param {() => Standing} ends.standing
   * @param {() => number | null} ends.heard over the WebSocket, where sound went there last
   * @param {() => void} ends.hush what came over the WebSocket and is not heard yet will come again
   * @param {() => void} ends.over it will not come back
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private */
    this.wanted = false;
    /** @private @type {SoundPath | null} */
    this.soundPath = null;
    /** @private The server has welcomed us on this line. */
    this.begun = false;
    /** @private */
    this.own = new OwnConversation({
      heard: () => this.soundPath?.heard() ?? ends.heard(),
      standing: ends.standing,
    });
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.welcomeTimer = undefined;
    /** @private */
    this.line = new Line({
      address: ends.address,
      opened: () => this.begin(),
      message: (message) => this.take(message),
      sound: (samples, position) => ends.sound(samples, position),
      codec: (codec, why) => ends.tell({ type: "codec", codec, why }),
      lost: () => this.lost(),
      waiting: (seconds) => ends.tell({ type: "waiting", seconds }),
      remark: (text) => ends.tell({ type: "remark", text }),
      refused: (error) => this.refused(error),
    });
  }

  /** Have a line ready, for nobody shall wait for it later. */
  prepare() {
    this.line.keep();
  }

  /** Begin; go on, where a conversation was kept. Cuts the wait for the next attempt short. */
  open() {
    this.wanted = true;
    this.own.find();
    this.ends.tell({ type: "connecting" });
    this.line.need();
  }

  /** Go on here with a conversation that another tab has. */
  async takeBack() {
    this.ends.tell({ type: "connecting" });
    await this.own.takeBack();
    this.open();
  }

  /** Hang up. */
  end() {
    if (this.wanted) this.line.send({ type: "bye" });
    this.finish(false);
  }

  /** The page goes, perhaps to come back: nothing is said, what was heard is kept. */
  leave() {
    this.own.keep();
  }

  /** @param {ClientMessage} message @returns {boolean} whether there is a conversation to say it in */
  send(message) {
    if (this.begun) this.line.send(message);
    return this.begun;
  }

  /** @param {Int16Array} frame */
  sendSound(frame) {
    if (this.begun && this.soundPath?.overWebSocket) this.line.sendSound(frame);
  }

  /** Another device in the middle of a conversation, or none. @param {MediaStreamTrack | null} microphone */
  useMicrophone(microphone) {
    this.soundPath?.replace(microphone);
  }

  /** The agent is heard here. */
  audible() {
    this.soundPath?.audible();
    this.own.note(true);
  }

  /** @param {boolean} other the network is another one; else the page woke, or it may be down */
  suspect(other) {
    this.line.suspect(other);
    if (other) this.soundPath?.networkChanged();
  }

  /** @private A line is there, and it is a new one. */
  begin() {
    this.quiet();
    const resuming = this.own.there;
    if (resuming) this.ends.hush();
    this.soundPath = new SoundPath(
      { ...this.ends.wishes(), resuming },
      {
        send: (message) => this.line.send(message),
        tell: this.ends.tell,
        voice: this.ends.voice,
        carried: () => this.line.heard(),
        decided: () => void this.hello(),
        impossible: (why) => {
          this.ends.tell({ type: "impossible", why });
          this.end();
        },
      },
    );
    this.soundPath.begin();
  }

  /** @private */
  async hello() {
    const { soundPath } = this;
    await this.ends.ready();
    if (soundPath !== this.soundPath || !this.wanted) return;
    this.line.send(this.own.greet(this.ends.hello()));
    clearTimeout(this.welcomeTimer);
    this.welcomeTimer = setTimeout(() => this.line.renew(), WELCOME_MS);
  }

  /** @private @param {ServerMessage} message */
  take(message) {
    if (message.type === "pong") {
      this.ends.tell({ type: "round_trip", ms: this.line.rttMs ?? 0 });
      this.own.note(false);
      return;
    }
    if (!this.wanted) return; // nobody has said anything yet
    if (message.type === "welcome") this.welcome(message);
    if (message.type === "resume_token") this.own.renew(message.token);
    if (message.type === "error" && message.code === "other_version") return this.refused(message.text);
    this.soundPath?.take(message);
    this.ends.tell(message);
    if (message.type === "closing") this.closed(message);
  }

  /** @private @param {Welcome} welcome */
  welcome(welcome) {
    clearTimeout(this.welcomeTimer);
    this.begun = true;
    if (this.own.begin(welcome)) this.ends.tell({ type: "not_resumed" });
  }

  /** @private @param {Closing} closing */
  closed({ reason, retry_after_s }) {
    if (typeof retry_after_s === "number" || PASSING.includes(reason)) {
      this.lost();
      this.line.renew(retry_after_s ?? undefined);
    } else this.finish(reason === "replaced");
  }

  /** @private There is no line any more. */
  lost() {
    this.quiet();
    this.ends.tell({ type: "lost" });
  }

  /** @private */
  quiet() {
    clearTimeout(this.welcomeTimer);
    this.own.pause();
    this.begun = false;
    this.soundPath?.close();
    this.soundPath = null;
  }

  /** @private The conversation is over, here. @param {boolean} elsewhere */
  finish(elsewhere) {
    this.wanted = false;
    this.quiet();
    this.own.end(elsewhere);
    this.line.rest();
    this.ends.over();
  }

  /** @private No try helps. @param {unknown} error */
  refused(error) {
    this.quiet();
    this.line.rest();
    if (!this.wanted) return; // nobody asked for it yet
    this.wanted = false;
    this.ends.tell({ type: "refused", text: error instanceof Error ? error.message : String(error) });
    this.ends.over();
  }
}
