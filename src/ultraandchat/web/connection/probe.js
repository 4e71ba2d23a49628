/**
 * The network test: each rung of the ladder tried alone, on a connection of its own that never says hello.
 * Only what the server says and what comes back counts; no microphone is needed, no sound is made.
 *
 * @import {Rungs, WebRtcSettings} from "../config.js"
 */

/** What connects at all has done so within 2 s wherever it was measured; a phone's network gets more. */
const PATIENCE_MS = 6_000;

/** @typedef {"websocket" | "udp" | "tcp" | "relay"} Kind */

/**
 * How one rung did.
 * @typedef {Object} Probed
 * @property {Kind} kind
 * @property {"offered" | "works" | "silent" | "missing"} outcome `missing`: the server does not offer it
 * @property {number} ms until it worked
 * @property {string} why in a clause, where it is known
 */

/**
 * One after the other, the surest first.
 * @param {Object} given
 * @param {() => Promise<URL>} given.address
 * @param {WebRtcSettings | null} given.settings
 * @param {Rungs | undefined} given.rungs undefined: the server does not say
 * @param {(probed: Probed) => void} given.tell at the beginning and the end of each
 */
export async function probe({ address, settings, rungs, tell }) {
  for (const kind of /** @type {const} */ (["websocket", "tcp", "udp", "relay"])) {
    const missing = whyMissing(kind, settings, rungs);
    tell({ kind, outcome: missing ? "missing" : "offered", ms: 0, why: missing });
    if (!missing) tell(await tried(kind, address, settings));
  }
}

/** @param {Kind} kind @param {WebRtcSettings | null} settings @param {Rungs | undefined} rungs */
function whyMissing(kind, settings, rungs) {
  if (kind === "websocket") return "";
  if (!settings) return whyNotOffered(kind, rungs) || "this server offers no WebRTC";
  if (!("RTCPeerConnection" in globalThis)) return "this browser has no WebRTC";
  const turn = settings.iceServers.some(({ urls }) => [urls].flat().some((url) => url.startsWith("turn")));
  if (kind === "relay") return turn ? "" : (rungs?.why.turn ?? "the server names no relay");
  const there = { udp: rungs?.udp ?? true, tcp: rungs ? rungs.ice_tcp !== null : true }[kind];
  return there ? "" : whyNotOffered(kind, rungs);
}

/** @param {"udp" | "tcp" | "relay"} kind @param {Rungs | undefined} rungs */
function whyNotOffered(kind, rungs) {
  const name = /** @type {const} */ ({ udp: "udp", tcp: "ice_tcp", relay: "turn" })[kind];
  return rungs?.why[name] ?? "";
}

/** @param {Kind} kind @param {() => Promise<URL>} address @param {WebRtcSettings | null} settings @returns {Promise<Probed>} */
async function tried(kind, address, settings) {
  const begun = performance.now();
  const attempt = new Attempt(kind);
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error("")), PATIENCE_MS));
  try {
    const from = await Promise.race([attempt.run(await address(), settings), late]);
    return { kind, outcome: "works", ms: performance.now() - (from ?? begun), why: "" };
  } catch (error) {
    return { kind, outcome: "silent", ms: 0, why: attempt.trouble || (error instanceof Error ? error.message : "") };
  } finally {
    attempt.close();
  }
}

class Attempt {
  /** @param {Kind} kind */
  constructor(kind) {
    /** @private */
    this.kind = kind;
    /** What the browser said of a relay. */
    this.trouble = "";
    /** @private @type {WebSocket | null} */
    this.socket = null;
    /** @private @type {RTCPeerConnection | null} */
    this.pc = null;
  }

  /**
   * @param {URL} address
   * @param {WebRtcSettings | null} settings
   * @returns {Promise<number | undefined>} when the offer was made, where there was one
   */
  async run(address, settings) {
    const socket = (this.socket = new WebSocket(address));
    await new Promise((opened, failed) => {
      socket.onopen = opened;
      socket.onclose = () => failed(new Error("the server closed the connection"));
    });
    if (this.kind !== "websocket") return this.connect(socket, /** @type {WebRtcSettings} */ (settings));
    socket.send(JSON.stringify({ type: "ping", id: 1 }));
    await said(socket, "pong");
    return undefined;
  }

  close() {
    this.pc?.close();
    this.socket?.close();
  }

  /** @private @param {WebSocket} socket @param {WebRtcSettings} settings */
  async connect(socket, settings) {
    const pc = (this.pc = new RTCPeerConnection(configuration(this.kind, settings)));
    pc.addTransceiver("audio");
    pc.onicecandidateerror = ({ errorCode, errorText }) => (this.trouble = `error ${errorCode}: ${errorText}`);
    pc.onicecandidate = ({ candidate }) => {
      // Over TCP the server is dialled; addresses of ours would only be tried over UDP.
      if (candidate?.candidate && this.kind !== "tcp") {
        socket.send(JSON.stringify({ type: "ice-candidate", candidate: candidate.toJSON() }));
      }
    };
    const connected = new Promise((/** @type {(value?: undefined) => void} */ on, off) => {
      pc.onconnectionstatechange = () => {
        if (pc.connectionState === "connected") on();
        if (pc.connectionState === "failed") off(new Error("no address answered"));
      };
    });
    const begun = performance.now();
    await pc.setLocalDescription();
    const offer = pc.localDescription?.sdp ?? "";
    const answered = said(socket, "answer");
    socket.send(JSON.stringify({ type: "offer", sdp: this.kind === "tcp" ? withCandidates(offer, () => false) : offer }));
    const { sdp } = await answered;
    await pc.setRemoteDescription({ type: "answer", sdp: withCandidates(sdp, (line) => goes(line, this.kind)) });
    await connected;
    return begun;
  }
}

/** @param {Kind} kind @param {WebRtcSettings} settings @returns {RTCConfiguration} */
function configuration(kind, { iceServers }) {
  const policy = kind === "relay" ? "relay" : "all";
  return { iceServers: kind === "tcp" ? [] : iceServers, iceTransportPolicy: policy, bundlePolicy: "max-bundle" };
}

/**
 * The description with those of its candidate lines only.
 * @param {string} sdp
 * @param {(line: string) => boolean} keep
 */
export function withCandidates(sdp, keep) {
  const lines = sdp.split("\r\n");
  return lines.filter((line) => !line.startsWith("a=candidate:") || keep(line)).join("\r\n");
}

/** Whether a candidate of the server's is of that rung (RFC 8839 §5.1). @param {string} line @param {Kind} kind */
export function goes(line, kind) {
  const protocol = line.split(" ")[2]?.toLowerCase();
  return kind === "relay" || protocol === kind;
}

/**
 * The next message of that type; an error is one, too.
 * @param {WebSocket} socket
 * @param {string} type
 * @returns {Promise<any>}
 */
function said(socket, type) {
  return new Promise((take, fail) => {
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return;
      const message = JSON.parse(data);
      if (message.type === type) take(message);
      if (["error", "path_lost", "closing"].includes(message.type)) fail(new Error(message.text));
    });
  });
}
