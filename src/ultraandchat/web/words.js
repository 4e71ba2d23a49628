/**
 * What the page says in its own voice: each trouble with its way forward, each number with what it is.
 *
 * @import {MicrophoneState, PageState} from "./state.js"
 * @import {ReplyRead} from "./wire.js"
 */
import { summary } from "./loading.js";
import { foreign, outdated } from "./version.js";
import { wayBack } from "./ways.js";

/** @type {Partial<Record<MicrophoneState, string>>} */
const MICROPHONE = {
  asking: "Your browser is asking whether this page may use the microphone.",
  dismissed: "The browser's question was closed without an answer. Try again and choose “Allow”, or type instead.",
  forbidden:
    "This device does not let the browser use the microphone. Allow it in the device's privacy settings, under Microphone, and try again.",
  missing: "No microphone was found. Plug one in and try again, or type instead.",
  busy: "Another program holds the microphone. Close it and try again, or type instead.",
  unplugged: "The microphone is gone. Plug one in, or go on by typing.",
};

const SILENCED = "Your device gives no sound of the microphone now: its own switch, a call or another page holds it.";
const BLOCKED = "Your browser plays no sound before you touch this page.";
const WAITS = "Your conversation waits for you.";
const OTHER_PAGE = "This page and its server are of different versions and do not understand each other. Load the new page to talk.";
const NEW_PAGE = "The server has a newer page than this one. Load it when it suits you.";
const NEW_PAGE_LATER = "The server has a newer page than this one; you can load it after this conversation.";
const READ_ONLY = "Answers are shown and not spoken here, because this page is not secure.";

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
  if (foreign(state)) return OTHER_PAGE;
  if (state.trouble) return state.trouble;
  if (state.phase === "ready" && state.kept === "waits") return WAITS;
  if (state.phase === "talking" && state.blocked) return BLOCKED;
  if (state.phase === "talking" && state.silenced) return SILENCED;
  if (state.phase === "talking" && state.microphone === "insecure") return READ_ONLY;
  const microphone = aboutMicrophone(state.microphone, browser, state.config?.https_url);
  if (microphone) return microphone;
  return state.notice || newPage(state);
}

/** @param {PageState} state */
function newPage(state) {
  if (!outdated(state)) return "";
  return state.phase === "talking" ? NEW_PAGE_LATER : state.phase === "ready" ? NEW_PAGE : "";
}

/** @param {PageState} state */
function loading({ reachable, config }) {
  if (!reachable) return "The server does not answer. This page keeps asking.";
  if (!config) return "Asking the server what is there.";
  return summary(config.engines) || "The models are loading.";
}

/**
 * @param {MicrophoneState} microphone
 * @param {{agent: string, origin: string}} browser
 * @param {string | null | undefined} https where this page is to be had with a microphone
 */
function aboutMicrophone(microphone, { agent, origin }, https) {
  if (microphone === "denied") return `The microphone is blocked for this page. ${wayBack(agent)}`;
  if (microphone === "insecure") return https ? elsewhere(origin) : insecure(origin);
  return MICROPHONE[microphone] ?? "";
}

/** The link stands below it. @param {string} origin */
function elsewhere(origin) {
  return `Browsers give the microphone to https pages only, and this is ${origin}. The same server has one that is: \
open it to talk. Here you can type, and read the answers.`;
}

/** What to do stands below it. @param {string} origin */
function insecure(origin) {
  return `Browsers give the microphone to https pages and to localhost only, and this is ${origin}. \
Here you can type, and read the answers.`;
}

/** What the language model had to read for the answer. @param {ReplyRead} read */
export function reading({ prompt_tokens, reused_tokens, new_tokens, read_ms }) {
  const known = `${reused_tokens} of ${prompt_tokens} tokens`;
  return `The model had read ${known} of your conversation before, the rest in ${Math.round(read_ms)} ms; it wrote ${new_tokens}.`;
}
