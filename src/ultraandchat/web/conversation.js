/**
 * What the buttons do: it joins the devices and the connection of one conversation, and tells the page
 * what happens to them.
 *
 * @import {Transport} from "./connection/choice.js"
 * @import {Probed} from "./connection/probe.js"
 * @import {Rungs, WebRtcSettings} from "./config.js"
 * @import {BufferReport, PageEvent} from "./events.js"
 * @import {Device} from "./device_list.js"
 * @import {Preferences} from "./preferences.js"
 * @import {ServerMessage, Welcome} from "./wire.js"
 */
import { socketAddress } from "./access.js";
import { Connection } from "./connection.js";
import { kept } from "./connection/keepsake.js";
import { probe } from "./connection/probe.js";
import { Devices, unused } from "./devices.js";
import { isGranted } from "./microphone.js";
import { bestCodec } from "./opus.js";
import { forServer, USUAL } from "./preferences.js";
import { PROTOCOL_VERSION } from "./wire.js";

/** Asked for before anybody waits: the browser's first answer takes tens of ms. */
const TIMEZONE = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

/** The codec is settled before the WebSocket opens: `use_path` behind an offer would end the attempt. */
async function webSocketAddress() {
  await bestCodec();
  return socketAddress();
}

export class Conversation {
  /**
   * @param {Object} ends
   * @param {(event: PageEvent | ServerMessage) => void} ends.tell
   * @param {(who: "user" | "agent", dbfs: number) => void} ends.level
   * @param {() => {transport: Transport, settings: WebRtcSettings | null}} ends.wishes how sound shall go
   * @param {() => Rungs | undefined} ends.rungs
   * @param {() => Preferences} ends.preferences
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private */
    this.muted = false;
    /** @private The key is held, and the server was told so. */
    this.held = { here: false, there: false };
    /** @private What the server knows of the preferences, and will know once it has taken the hello. */
    this.known = { now: USUAL, hailed: USUAL };
    /** @private Conversations that are over. */
    this.released = 0;
    /** @private */
    this.devices = new Devices({
      tell: ends.tell,
      level: ends.level,
      frame: (frame) => this.connection.sendSound(frame),
      changed: (microphone) => this.connection.useMicrophone(microphone),
      audible: () => this.connection.audible(),
      report: (report) => this.report(report),
      preferences: ends.preferences,
    });
    /** @private */
    this.connection = new Connection({
      address: webSocketAddress,
      hello: () => this.hello(),
      tell: (event) => this.take(event),
      sound: (samples, position) => this.devices.speaker?.play(samples, position),
      voice: (voice) => void this.devices.play(voice),
      ready: async () => this.devices.opening,
      wishes: () => ({ ...this.ends.wishes(), microphone: this.devices.track }),
      standing: () => ({ microphone: this.devices.track !== null, muted: this.muted }),
      heard: () => this.devices.heard(),
      hush: () => this.devices.speaker?.flush(),
      over: () => this.release(),
    });
  }

  /** Nobody shall wait for the connection once there is a wish to talk. */
  prepare() {
    this.connection.prepare();
  }

  /** Go on with the conversation that this tab had, by itself where the browser need not ask. */
  async arrive() {
    const left = kept();
    if (!left) return;
    if (left.microphone && !(await isGranted())) this.tell({ type: "kept" });
    else await this.goOn();
  }

  /**
   * Begin, or try again now. Without a microphone the user types and the answers are spoken.
   * @param {boolean} withMicrophone
   */
  async start(withMicrophone) {
    if (this.devices.opening) return this.connection.open();
    if (await this.open(withMicrophone)) this.connection.open();
  }

  /** Go on with the conversation that this tab had before it was loaded again. */
  async goOn() {
    const { microphone, muted } = kept() ?? { microphone: true, muted: false };
    this.muted = muted;
    this.devices.mute(muted);
    if (!(await this.open(microphone))) return;
    this.tell({ type: "muted", muted });
    this.connection.open();
  }

  /** Go on here with the conversation that another tab took. */
  async takeBack() {
    if (await this.open(true)) await this.connection.takeBack();
  }

  /** What is heard and played through. @private @param {boolean} withMicrophone */
  async open(withMicrophone) {
    const { released } = this;
    this.connection.prepare();
    this.tell({ type: "connecting" });
    if (!withMicrophone) this.tell({ type: "microphone", microphone: unused() });
    if (withMicrophone && !(await this.listen())) {
      if (released === this.released) this.tell({ type: "stopped" });
      return false;
    }
    this.devices.speak();
    return true;
  }

  /** Ask for the microphone; also in the middle of a conversation. */
  listen() {
    return this.devices.listen();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.devices.mute(muted);
    this.connection.send({ type: "mute", muted });
    this.tell({ type: "muted", muted });
  }

  interrupt() {
    this.connection.send({ type: "interrupt" });
  }

  /** @param {string} text */
  say(text) {
    this.connection.send({ type: "say", text });
  }

  /** The key is held: the user has the floor, muted or not. */
  press() {
    if (this.muted && this.devices.track) {
      this.devices.mute(false);
      this.connection.send({ type: "mute", muted: false });
    }
    this.held = { here: true, there: this.connection.send({ type: "press" }) };
  }

  letGo() {
    this.held.here = false;
    if (this.connection.send({ type: "release" })) this.held.there = false;
    if (this.muted) this.mute(true);
  }

  /** Obey what was chosen. @param {Preferences} now @param {Preferences} before */
  prefer(now, before) {
    const told = forServer(now, this.known.now);
    if (told && this.connection.send({ type: "settings", ...told })) this.known.now = now;
    this.devices.prefer(now, before);
  }

  /** What is there has changed. @param {readonly Device[]} devices */
  found(devices) {
    this.devices.found(devices);
  }

  /**
   * What the microphone gives, to be measured. Nobody answers to it meanwhile.
   * @param {(dbfs: number) => void} level of each frame
   * @returns {Promise<() => void>} to be called in the end
   */
  async measure(level) {
    this.connection.send({ type: "interrupt" });
    this.connection.send({ type: "mute", muted: true });
    const attend = () => void this.connection.send({ type: "mute", muted: this.muted });
    try {
      const stop = await this.devices.measure(level);
      return () => {
        stop();
        attend();
      };
    } catch (error) {
      attend();
      throw error;
    }
  }

  /** What was said is forgotten, there and here; the talk goes on. */
  forget() {
    if (!this.connection.send({ type: "forget" })) this.tell({ type: "forgotten" });
  }

  end() {
    this.tell({ type: "ended" });
    this.connection.end();
    this.connection.prepare(); // for the next one
  }

  /** The page was touched: what the browser did not play it may play now. */
  wake() {
    void this.devices.speaker?.wake();
  }

  /** Try each way to the server alone. @param {(probed: Probed) => void} tell */
  async test(tell) {
    await probe({ address: socketAddress, settings: this.ends.wishes().settings, rungs: this.ends.rungs(), tell });
  }

  /** The page goes away, and perhaps comes back. */
  leave() {
    this.connection.leave();
  }

  /** Something happened to the network, or the page woke. @param {boolean} other it is another network */
  suspect(other) {
    this.connection.suspect(other);
  }

  /** @private @param {PageEvent | ServerMessage} event */
  tell(event) {
    this.ends.tell(event);
  }

  /** @private @param {PageEvent | ServerMessage} event */
  take(event) {
    if (event.type === "flush" || event.type === "lost" || event.type === "closing") this.devices.speaker?.flush();
    if (event.type === "path") this.devices.use(event.path);
    if (event.type === "welcome" && !event.resumed) this.devices.speaker?.forget();
    this.tell(event);
    if (event.type === "welcome") this.begun(event);
  }

  /** @private What the server cannot know, or knows from before. @param {Welcome} welcome */
  begun({ resumed }) {
    const said = this.known.now === USUAL;
    this.known.now = this.known.hailed;
    // It was to go on, and did not: this one knows the voice alone.
    const told = resumed || said ? null : forServer({ ...this.known.now, voice: "" }, USUAL);
    if (told) this.connection.send({ type: "settings", ...told });
    this.prefer(this.ends.preferences(), this.ends.preferences()); // chosen since the hello
    if (this.muted) this.connection.send({ type: "mute", muted: this.muted });
    if (resumed && this.held.there && !this.held.here) this.letGo(); // the key came up meanwhile
  }

  /** @private @returns {import("./wire.js").Hello} */
  hello() {
    return {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      timezone: TIMEZONE,
      language: navigator.language,
      ...this.hail(),
    };
  }

  /** @private What the server does not know yet. */
  hail() {
    const wanted = this.ends.preferences();
    const { speed, sensitivity } = forServer(wanted, this.known.now) ?? {};
    this.known.hailed = wanted;
    return { voice: wanted.voice, speed, sensitivity };
  }

  /** @private @param {BufferReport} report */
  report(report) {
    const { bufferedMs, underruns } = report;
    this.connection.send({ type: "playback", buffered_ms: bufferedMs, underruns });
    this.tell({ type: "buffer", report });
  }

  /** @private Give everything back; the page stays. */
  release() {
    this.released += 1;
    this.held = { here: false, there: false };
    this.muted = false;
    this.known.now = USUAL;
    this.devices.close();
    this.tell({ type: "muted", muted: false });
    this.tell({ type: "stopped" });
  }
}
