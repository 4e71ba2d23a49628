/**
 * The microphone: asked for once, its echo cancelled by the browser, its sound handed on as 20 ms
 * frames of PCM16 at 16 kHz.
 *
 * @import {MicrophoneState} from "./state.js"
 */
import { dbfs } from "./level.js";
import { keepRunning } from "./running.js";

/** Why there is no microphone; `state` is what the page shows. */
export class MicrophoneTrouble extends Error {
  /** @param {MicrophoneState} state @param {string} message */
  constructor(state, message) {
    super(message);
    this.state = state;
  }
}

/** https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia */
const TROUBLES = /** @type {Record<string, MicrophoneState>} */ ({
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
});

/**
 * What a refusal means. Chromium has one name for three of them, and tells them apart in words.
 * @param {{name: string, message: string}} error of `getUserMedia`
 * @returns {MicrophoneState}
 */
export function troubleOf({ name, message }) {
  if (name === "NotAllowedError" && /dismissed/i.test(message)) return "dismissed";
  if (name === "NotAllowedError" && /system/i.test(message)) return "forbidden";
  return TROUBLES[name] ?? "missing";
}

/** Browsers lend microphones and audio worklets to secure pages only. */
export function isLent() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Whether the browser lends it; where that cannot be asked (older Firefox) it would ask. */
async function permission() {
  try {
    return await navigator.permissions.query({ name: /** @type {PermissionName} */ ("microphone") });
  } catch {
    return null;
  }
}

/** @returns {Promise<PermissionState>} */
export async function permitted() {
  return isLent() ? ((await permission())?.state ?? "prompt") : "denied";
}

/** The browser lends it without asking. */
export async function isGranted() {
  return (await permitted()) === "granted";
}

/** There is one, whether the browser lends it or not. */
export async function isThere() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.some(({ kind }) => kind === "audioinput");
}

/**
 * Something was plugged in or out, or the user changed what this page may.
 * @param {() => void} changed
 */
export async function watchMicrophones(changed) {
  if (!isLent()) return;
  navigator.mediaDevices.addEventListener("devicechange", changed);
  (await permission())?.addEventListener("change", changed);
}

export class Microphone {
  /**
   * @param {Object} ends
   * @param {(frame: Int16Array, level: number) => void} ends.frame with its level in dBFS
   * @param {() => void} ends.gone the device was unplugged or taken away
   * @param {(silenced: boolean) => void} [ends.silenced] the system gives no sound of it for a while
   * @param {MediaTrackConstraints} audio which one, and what the browser does to its sound
   */
  static async open(ends, audio) {
    if (!isLent()) throw new MicrophoneTrouble("insecure", "this page is not secure");
    const stream = await lend(audio).catch((error) => {
      throw new MicrophoneTrouble(troubleOf(error), `${error.name}: ${error.message}`);
    });
    try {
      // After getUserMedia: a context made before it may stay suspended.
      return new Microphone(stream, await capture(stream, ends.frame), ends);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw new MicrophoneTrouble("busy", String(error));
    }
  }

  /**
   * @private
   * @param {MediaStream} stream
   * @param {{context: AudioContext, node: AudioWorkletNode}} graph
   * @param {{gone: () => void, silenced?: (silenced: boolean) => void}} ends
   */
  constructor(stream, graph, { gone, silenced }) {
    /** What WebRTC carries; the frames are the same sound. */
    this.track = stream.getAudioTracks()[0];
    /** @private Kept: a worklet node that nobody holds may be collected. */
    this.graph = graph;
    this.track.onended = gone;
    this.track.onmute = () => silenced?.(true);
    this.track.onunmute = () => silenced?.(false);
  }

  /** The device's id. */
  get id() {
    return this.track.getSettings().deviceId ?? "";
  }

  /** Muted here, not only at the server: nothing of it leaves the browser. */
  set muted(/** @type {boolean} */ muted) {
    this.track.enabled = !muted;
  }

  close() {
    this.track.onended = this.track.onmute = this.track.onunmute = null;
    this.track.stop();
    this.graph.node.port.onmessage = null;
    void this.graph.context.close();
  }
}

/** Any microphone where the one that is demanded is not there. @param {MediaTrackConstraints} audio */
async function lend({ deviceId, ...any }) {
  const { mediaDevices } = navigator;
  if (!deviceId) return mediaDevices.getUserMedia({ audio: any });
  return mediaDevices.getUserMedia({ audio: { ...any, deviceId } }).catch((error) => {
    if (error.name !== "OverconstrainedError" && error.name !== "NotFoundError") throw error;
    return mediaDevices.getUserMedia({ audio: any });
  });
}

/**
 * @param {MediaStream} stream
 * @param {(frame: Int16Array, level: number) => void} tell
 */
async function capture(stream, tell) {
  const { context, source } = listen(stream);
  await context.audioWorklet.addModule(new URL("worklet/capture.js", import.meta.url));
  const node = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
  node.port.onmessage = ({ data }) => tell(data, dbfs(data));
  // It gives out silence; being connected is what makes every browser run it.
  source.connect(node).connect(context.destination);
  keepRunning(context);
  await context.resume();
  return { context, node };
}

/**
 * A graph at 16 kHz where the browser resamples the microphone for it; else (Firefox) at the
 * device's rate, and the worklet resamples.
 * @param {MediaStream} stream
 */
function listen(stream) {
  const context = new AudioContext({ sampleRate: 16_000 });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    void context.close();
    const native = new AudioContext();
    return { context: native, source: native.createMediaStreamSource(stream) };
  }
}
