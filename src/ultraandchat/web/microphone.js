/**
 * The microphone: asked for once, its echo cancelled by the browser, its sound handed on as 20 ms
 * frames of PCM16 at 16 kHz.
 *
 * @import {MicrophoneState} from "./state.js"
 */
import { dbfs } from "./level.js";

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

/** Browsers lend microphones and audio worklets to secure pages only. */
export function isLent() {
  return window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

export class Microphone {
  /**
   * @param {Object} ends
   * @param {(frame: Int16Array, level: number) => void} ends.frame with its level in dBFS
   * @param {() => void} ends.gone the device was unplugged or taken away
   */
  static async open(ends) {
    if (!isLent()) throw new MicrophoneTrouble("insecure", "this page is not secure");
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch((error) => {
      throw new MicrophoneTrouble(TROUBLES[error.name] ?? "missing", `${error.name}: ${error.message}`);
    });
    try {
      // After getUserMedia: a context made before it may stay suspended.
      return new Microphone(stream, await capture(stream, ends.frame), ends.gone);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw new MicrophoneTrouble("busy", String(error));
    }
  }

  /**
   * @private
   * @param {MediaStream} stream
   * @param {{context: AudioContext, node: AudioWorkletNode}} graph
   * @param {() => void} gone
   */
  constructor(stream, graph, gone) {
    /** What WebRTC carries; the frames are the same sound. */
    this.track = stream.getAudioTracks()[0];
    /** @private Kept: a worklet node that nobody holds may be collected. */
    this.graph = graph;
    this.track.onended = gone;
  }

  get label() {
    return this.track.label;
  }

  /** Muted here, not only at the server: nothing of it leaves the browser. */
  set muted(/** @type {boolean} */ muted) {
    this.track.enabled = !muted;
  }

  close() {
    this.track.onended = null;
    this.track.stop();
    this.graph.node.port.onmessage = null;
    void this.graph.context.close();
  }
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
