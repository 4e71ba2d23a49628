/**
 * What the page says in its own voice: each trouble with its way forward, each number with what it is.
 *
 * @import {MicrophoneState, PageState} from "./state.js"
 */

/** @type {Partial<Record<MicrophoneState, string>>} */
const MICROPHONE = {
  asking: "Your browser is asking whether this page may use the microphone.",
  missing: "No microphone was found. Plug one in and try again, or type instead.",
  busy: "Another program holds the microphone. Close it and try again, or type instead.",
  unplugged: "The microphone is gone. Plug it in again, or go on by typing.",
};

const READ_ONLY = "Answers are shown and not spoken here, because this page is not secure.";

/** What each part of a turn's latency is. */
export const PARTS = /** @type {Record<string, string>} */ ({
  "end silence": "Waiting to be sure that you had finished.",
  words: "Working out which words you said.",
  "first clause": "Finding the first words of the answer.",
  "first sound": "Turning those words into a voice.",
  playout: "Handing the first sound to the network.",
});

export const ENGINE_KINDS = /** @type {Record<string, string>} */ ({
  "voice activity": "notices speech",
  transcriber: "hears words",
  language: "answers",
  speech: "speaks",
});

/**
 * What stands under the state's word; empty when there is nothing to say.
 * @param {PageState} state
 * @param {{agent: string, origin: string}} browser
 */
export function sentence(state, browser) {
  if (state.phase === "loading") return loading(state);
  if (state.phase === "waiting") return `${state.trouble} Trying again in ${state.retryS} s.`;
  if (state.phase === "connecting" && state.trouble) return `${state.trouble} Trying again now.`;
  if (state.trouble) return state.trouble;
  if (state.phase === "talking" && state.microphone === "insecure") return READ_ONLY;
  const microphone = aboutMicrophone(state.microphone, browser);
  if (microphone) return microphone;
  return state.notice;
}

/** @param {PageState} state */
function loading({ reachable, config }) {
  if (!reachable) return "The server does not answer. This page keeps asking.";
  if (config?.engines.length === 0) return "The models are loading.";
  const rest = config?.engines.filter((engine) => engine.state !== "ready") ?? [];
  if (rest.length === 0) return "Asking the server what is there.";
  return rest
    .map(({ name, state, detail }) => `${name}: ${state}${detail ? `, ${detail}` : ""}`)
    .join(" · ");
}

/**
 * @param {MicrophoneState} microphone
 * @param {{agent: string, origin: string}} browser
 */
function aboutMicrophone(microphone, { agent, origin }) {
  if (microphone === "denied") return `The microphone is blocked for this page. ${wayBack(agent)}`;
  if (microphone === "insecure") return insecure(new URL(origin));
  return MICROPHONE[microphone] ?? "";
}

/** @param {URL} origin */
function insecure({ origin, hostname, port }) {
  const local = port || "7860";
  return `Browsers give the microphone to https pages and to localhost only, and this is ${origin}. \
Either run “ssh -L ${local}:localhost:${port || "80"} ${hostname}” and open http://localhost:${local}, or put \
https in front of the server. Until then you can type, and read the answers.`;
}

/**
 * How this browser takes a refusal back.
 * @param {string} agent
 */
function wayBack(agent) {
  if (/Firefox/.test(agent)) {
    return "Click the crossed-out microphone left of the address, remove the block, and try again.";
  }
  if (/iPhone|iPad/.test(agent)) {
    return "Tap the page menu left of the address, then Website Settings, and allow the microphone.";
  }
  if (/Safari/.test(agent) && !/Chrome|Chromium/.test(agent)) {
    return "In the Safari menu choose Settings for This Website, allow the microphone, and try again.";
  }
  if (/Android/.test(agent)) {
    return "Tap the icon left of the address, then Permissions, allow the microphone, and try again.";
  }
  return "Click the icon left of the address, allow the microphone, and try again.";
}
