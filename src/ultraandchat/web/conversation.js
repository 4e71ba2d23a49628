/**
 * What the buttons do: it holds the microphone, the speaker and the connection of one conversation,
 * and tells the page what happens to them.
 *
 * @import {Transport} from "./connection/choice.js"
 * @import {MicrophoneState, PageEvent, WebRtcSettings} from "./state.js"
 * @import {ServerMessage} from "./wire.js"
 */
import { Connection } from "./connection.js";
import { SILENCE_DBFS } from "./level.js";
import { isLent, Microphone, MicrophoneTrouble } from "./microphone.js";
import { Speaker } from "./speaker.js";
import { PROTOCOL_VERSION } from "./wire.js";

/** Asked for before anybody waits: the browser's first answer takes tens of ms. */
const TIMEZONE = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/** @returns {MicrophoneState} of a microphone that nobody asks for */
const unused = () => (isLent() ? "off" : "insecure");

export class Conversation {
  /**
   * @param {Object} ends
   * @param {(event: PageEvent | ServerMessage) => void} ends.tell
   * @param {(who: "user" | "agent", dbfs: number) => void} ends.level
   * @param {() => {transport: Transport, settings: WebRtcSettings | null}} ends.wishes how sound shall go
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private @type {Microphone | null} */
    this.microphone = null;
    /** @private @type {Speaker | null} */
    this.speaker = null;
    /** @private @type {Connection | null} */
    this.connection = null;
    /** @private */
    this.muted = false;
    /** @private */
    this.voice = "";
    /** @private Conversations given back; what was asked for before the last is given back when it comes. */
    this.released = 0;
  }

  /**
   * Begin, or try again now. Without a microphone the user types and the answers are spoken.
   * @param {boolean} withMicrophone
   */
  async start(withMicrophone) {
    if (this.connection) return this.connection.open();
    const { released } = this;
    this.tell({ type: "connecting" });
    if (!withMicrophone) this.tell({ type: "microphone", microphone: unused() });
    if (withMicrophone && !(await this.listen())) {
      if (released === this.released) this.tell({ type: "stopped" });
      return;
    }
    const speaker = this.openSpeaker().then((opened) => {
      if (released !== this.released) opened?.close(); // ended meanwhile
      else this.speaker = opened;
      return opened;
    });
    this.connection = new Connection({
      hello: () => this.hello(),
      tell: (event) => this.take(event),
      sound: (samples, position) => this.speaker?.play(samples, position),
      voice: (voice) =>
        void speaker.then((opened) => (opened === this.speaker ? opened?.listen(voice) : undefined)),
      ready: speaker,
      wishes: () => ({ ...this.ends.wishes(), microphone: this.microphone?.track ?? null }),
      over: () => this.release(),
    });
    this.connection.open();
  }

  /** Ask for the microphone; also in the middle of a conversation. */
  async listen() {
    const { released } = this;
    this.tell({ type: "microphone", microphone: "asking" });
    try {
      const microphone = await Microphone.open({
        frame: (frame, level) => {
          this.connection?.sendSound(frame);
          this.ends.level("user", this.muted ? SILENCE_DBFS : level);
        },
        gone: () => this.lose(),
      });
      if (released !== this.released) {
        microphone.close(); // ended while the browser was asking
        return false;
      }
      this.microphone = microphone;
    } catch (error) {
      if (!(error instanceof MicrophoneTrouble)) throw error;
      this.tell({ type: "remark", text: error.message });
      this.tell({ type: "microphone", microphone: error.state });
      return false;
    }
    this.microphone.muted = this.muted;
    this.connection?.useMicrophone(this.microphone.track);
    this.tell({ type: "microphone", microphone: "on" });
    return true;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    if (this.microphone) this.microphone.muted = muted;
    this.connection?.send({ type: "mute", muted });
    this.tell({ type: "muted", muted });
  }

  interrupt() {
    this.connection?.send({ type: "interrupt" });
  }

  /** @param {string} text */
  say(text) {
    this.connection?.send({ type: "say", text });
  }

  /** The key is held: the user has the floor, muted or not. */
  press() {
    if (this.muted && this.microphone) {
      this.microphone.muted = false;
      this.connection?.send({ type: "mute", muted: false });
    }
    this.connection?.send({ type: "press" });
  }

  letGo() {
    this.connection?.send({ type: "release" });
    if (this.muted) this.mute(true);
  }

  /** @param {string} voice */
  choose(voice) {
    this.voice = voice;
    this.connection?.send({ type: "settings", voice });
    this.tell({ type: "chosen_voice", voice });
  }

  end() {
    this.tell({ type: "ended" });
    if (this.connection) this.connection.end();
    else this.release(); // it had not begun yet
  }

  /** @private @param {PageEvent | ServerMessage} event */
  tell(event) {
    this.ends.tell(event);
  }

  /** @private @param {PageEvent | ServerMessage} event */
  take(event) {
    if (event.type === "flush" || event.type === "lost" || event.type === "closing") this.speaker?.flush();
    this.tell(event);
    if (event.type === "welcome" && this.muted) this.connection?.send({ type: "mute", muted: true });
  }

  /** @private @returns {import("./wire.js").Hello} */
  hello() {
    return {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      timezone: TIMEZONE,
      language: navigator.language,
      voice: this.voice,
    };
  }

  /** @private */
  async openSpeaker() {
    if (!isLent()) {
      this.tell({ type: "remark", text: "no sound on a page that is not secure" });
      return null;
    }
    const opening = Speaker.open({
      level: (dbfs) => this.ends.level("agent", dbfs),
      report: (report) => {
        const { bufferedMs, underruns } = report;
        this.connection?.send({ type: "playback", buffered_ms: bufferedMs, underruns });
        this.tell({ type: "buffer", report });
      },
    });
    return opening.catch((error) => {
      this.tell({ type: "remark", text: `this browser plays no sound here: ${error}` });
      return null; // the answers are read, then
    });
  }

  /** @private The device went away; the conversation goes on by typing. */
  lose() {
    this.microphone?.close();
    this.microphone = null;
    this.connection?.useMicrophone(null);
    this.ends.level("user", SILENCE_DBFS);
    this.tell({ type: "microphone", microphone: "unplugged" });
  }

  /** @private Give everything back; the page stays. */
  release() {
    this.released += 1;
    this.connection = null;
    this.microphone?.close();
    this.microphone = null;
    this.speaker?.close();
    this.speaker = null;
    this.muted = false;
    this.ends.level("user", SILENCE_DBFS);
    this.ends.level("agent", SILENCE_DBFS);
    this.tell({ type: "microphone", microphone: unused() });
    this.tell({ type: "muted", muted: false });
    this.tell({ type: "stopped" });
  }
}
