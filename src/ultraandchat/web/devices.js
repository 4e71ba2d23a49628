/**
 * What a conversation hears and speaks through: the microphone and the speaker, opened for it, handed to
 * whoever needs them, and given back at its end.
 *
 * @import {Device} from "./device_list.js"
 * @import {BufferReport, PageEvent} from "./events.js"
 * @import {Preferences} from "./preferences.js"
 * @import {MicrophoneState} from "./state.js"
 */
import { SILENCE_DBFS } from "./level.js";
import { isLent, isThere, Microphone, MicrophoneTrouble, permitted, watchMicrophones } from "./microphone.js";
import { constraints, isOtherMicrophone } from "./preferences.js";
import { Recovery } from "./recovery.js";
import { useAudioAs } from "./running.js";
import { Speaker } from "./speaker.js";

/** A voice in the room, not the noise of a codec. */
const AUDIBLE_DBFS = -60;

/** @returns {MicrophoneState} of a microphone that nobody asks for */
export const unused = () => (isLent() ? "off" : "insecure");

export class Devices {
  /**
   * @param {Object} ends
   * @param {(event: PageEvent) => void} ends.tell
   * @param {(who: "user" | "agent", dbfs: number) => void} ends.level
   * @param {(frame: Int16Array) => void} ends.frame of the microphone
   * @param {(microphone: MediaStreamTrack | null) => void} ends.changed another microphone, or none
   * @param {() => void} ends.audible the agent is heard
   * @param {() => Preferences} ends.preferences
   * @param {(report: BufferReport) => void} ends.report of the WebSocket's sound
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private @type {Microphone | null} */
    this.microphone = null;
    /** @type {Speaker | null} */
    this.speaker = null;
    /** Until it is open; null where it cannot be. There while a conversation is. @type {Promise<Speaker | null> | null} */
    this.opening = null;
    /** @private @type {"webrtc" | "websocket"} */
    this.way = "websocket";
    /** @private */
    this.muted = false;
    /** @private Who measures what is heard. @type {Set<(dbfs: number) => void>} */
    this.measuring = new Set();
    /** @private Another microphone is wanted than the one in use; it is being opened. */
    this.stale = { microphone: false, opening: false };
    /** @private Times they were given back; what was asked for before the last is given back when it comes. */
    this.closed = 0;
    /** @private What is lost in the middle of a conversation comes back by itself. */
    this.recovery = new Recovery({
      permitted,
      there: isThere,
      listen: () => this.listen(true),
      tell: (microphone) => ends.tell({ type: "microphone", microphone }),
    });
    /** @private Why there was none when it was asked for last; empty: there was, or nobody asked. @type {MicrophoneState | ""} */
    this.trouble = "";
    void watchMicrophones(() => {
      void this.recovery.look();
      void this.relieve();
    });
  }

  get track() {
    return this.microphone?.track ?? null;
  }

  /**
   * Ask for the microphone; also in the middle of a conversation.
   * @param {boolean} [again] one that was lost: where it fails, that was said already
   * @returns {Promise<boolean>} whether there is one
   */
  async listen(again = false) {
    const { closed } = this;
    if (!again) this.ends.tell({ type: "microphone", microphone: "asking" });
    try {
      const microphone = await this.borrow();
      if (closed !== this.closed) {
        microphone.close(); // ended while the browser was asking
        return false;
      }
      this.microphone = microphone;
    } catch (error) {
      if (!(error instanceof MicrophoneTrouble)) throw error;
      this.ends.tell({ type: "remark", text: error.message });
      if (again) return false;
      this.trouble = error.state;
      this.ends.tell({ type: "microphone", microphone: error.state });
      return false;
    }
    this.recovery.rest();
    this.trouble = "";
    this.microphone.muted = this.muted;
    this.ends.changed(this.microphone.track);
    this.ends.tell({ type: "microphone", microphone: "on" });
    return true;
  }

  /** @private Something was plugged in, or allowed: what was in the way of beginning may be no more. */
  async relieve() {
    const { trouble } = this;
    if (this.opening) return; // there is a conversation, and a button for it
    const gone = trouble === "missing" ? await isThere() : trouble === "denied" && (await permitted()) !== "denied";
    if (!gone || trouble !== this.trouble || this.opening) return;
    this.trouble = "";
    this.ends.tell({ type: "microphone", microphone: unused() });
  }

  /** Obey what was chosen, also in the middle of a conversation. @param {Preferences} now @param {Preferences} before */
  prefer(now, before) {
    if (isOtherMicrophone(now, before)) void this.renew();
    if (now.speaker !== before.speaker) void this.direct();
  }

  /** What is there has changed: what was chosen may be back, or gone. @param {readonly Device[]} devices */
  found(devices) {
    const { microphone, speaker } = this.ends.preferences();
    const there = microphone !== "" && devices.some(({ deviceId }) => deviceId === microphone);
    if (there && this.microphone && this.microphone.id !== microphone) void this.renew();
    void this.direct(devices.some(({ deviceId }) => deviceId === speaker));
  }

  /**
   * What the microphone gives, for who measures it: the one in use, or where there is none, one that is open for that
   * alone.
   * @param {(dbfs: number) => void} level of each frame
   * @returns {Promise<() => void>} to be called in the end
   */
  async measure(level) {
    if (this.microphone && !this.muted) {
      this.measuring.add(level);
      return () => this.measuring.delete(level);
    }
    const ends = { frame: (/** @type {Int16Array} */ _, /** @type {number} */ dbfs) => level(dbfs), gone() {} };
    const microphone = await Microphone.open(ends, constraints(this.ends.preferences()));
    return () => microphone.close();
  }

  /** Open the speaker. Without one the answers are read. */
  speak() {
    const { closed } = this;
    useAudioAs("play-and-record");
    this.opening = this.open().then((speaker) => {
      if (closed !== this.closed) speaker?.close(); // ended meanwhile
      else this.speaker = speaker;
      this.speaker?.use(this.way);
      if (this.ends.preferences().speaker) void this.direct();
      return speaker;
    });
  }

  /** Nothing of it leaves the browser. @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    if (this.microphone) this.microphone.muted = muted;
  }

  /** The server speaks this way from now on. @param {"webrtc" | "websocket"} way */
  use(way) {
    this.way = way;
    this.speaker?.use(way);
  }

  /** What WebRTC brings; null: nothing any more. @param {MediaStream | null} voice */
  async play(voice) {
    const speaker = await this.opening;
    if (speaker && speaker === this.speaker) await speaker.listen(voice);
  }

  /** Up to where the voice was heard that came over the WebSocket, where it came there last; null: not known. */
  heard() {
    return this.way === "websocket" ? (this.speaker?.heard() ?? null) : null;
  }

  /** Give everything back. */
  close() {
    this.closed += 1;
    this.recovery.rest();
    useAudioAs("auto");
    this.microphone?.close();
    this.microphone = null;
    this.speaker?.close();
    this.speaker = null;
    this.opening = null;
    this.muted = false;
    this.ends.level("user", SILENCE_DBFS);
    this.ends.level("agent", SILENCE_DBFS);
    this.ends.tell({ type: "microphone", microphone: unused() });
  }

  /** @private A microphone of which nothing is heard until it is the one in use. */
  async borrow() {
    /** @type {Microphone} */
    let microphone;
    const ends = {
      frame: (/** @type {Int16Array} */ frame, /** @type {number} */ level) => {
        if (microphone !== this.microphone) return;
        this.ends.frame(frame);
        this.ends.level("user", this.muted ? SILENCE_DBFS : level);
        for (const measure of this.measuring) measure(level);
      },
      gone: () => microphone === this.microphone && this.lose(),
      silenced: (/** @type {boolean} */ silenced) => microphone === this.microphone && this.ends.tell({ type: "silenced", silenced }),
    };
    microphone = await Microphone.open(ends, constraints(this.ends.preferences()));
    return microphone;
  }

  /** @private Another microphone, or the same one treated otherwise: the old one is heard until the new one is. */
  async renew() {
    this.stale.microphone = true;
    if (this.stale.opening) return;
    this.stale.opening = true;
    while (this.stale.microphone && this.microphone) {
      this.stale.microphone = false;
      await this.replace(this.microphone);
    }
    this.stale.opening = false;
  }

  /** @private @param {Microphone} old */
  async replace(old) {
    try {
      const microphone = await this.borrow();
      if (this.microphone !== old) return microphone.close(); // it is over, or the old one went meanwhile
      microphone.muted = this.muted;
      this.microphone = microphone;
      this.ends.changed(microphone.track);
      old.close();
      this.ends.tell({ type: "remark", text: `microphone: ${microphone.track.label}` });
    } catch (error) {
      if (!(error instanceof MicrophoneTrouble)) throw error;
      this.ends.tell({ type: "remark", text: `the microphone stays as it was: ${error.message}` });
    }
  }

  /** @private Let sound come out where it is wanted. @param {boolean} [there] the chosen speaker is */
  async direct(there = true) {
    const { speaker } = this.ends.preferences();
    try {
      await this.speaker?.through(there ? speaker : "");
    } catch (error) {
      this.ends.tell({ type: "remark", text: `the speaker stays as it was: ${error}` });
    }
  }

  /** @private The device went away, or may be used no more; the conversation goes on by typing. */
  lose() {
    this.microphone?.close();
    this.microphone = null;
    this.ends.changed(null);
    this.ends.level("user", SILENCE_DBFS);
    this.ends.tell({ type: "microphone", microphone: "unplugged" });
    this.recovery.begin();
  }

  /** @private */
  async open() {
    if (!isLent()) {
      this.ends.tell({ type: "remark", text: "no sound on a page that is not secure" });
      return null;
    }
    const opening = Speaker.open({
      level: (dbfs) => {
        if (dbfs > AUDIBLE_DBFS) this.ends.audible();
        this.ends.level("agent", dbfs);
      },
      blocked: (blocked) => this.ends.tell({ type: "blocked", blocked }),
      report: (report) => this.ends.report(report),
    });
    return opening.catch((error) => {
      this.ends.tell({ type: "remark", text: `this browser plays no sound here: ${error}` });
      return null;
    });
  }
}
