/**
 * The room itself: the state in a word, one sentence where one is needed, and the controls.
 *
 * @import {Conversation} from "../conversation.js"
 * @import {MicrophoneState, PageState} from "../state.js"
 */
import { hint } from "../hints.js";
import { isLent } from "../microphone.js";
import { IDLE, stateWord } from "../state.js";
import { foreign } from "../version.js";
import { sentence } from "../words.js";
import { find } from "./find.js";

const BROWSER = { agent: navigator.userAgent, origin: location.origin };
/** A phone has no space bar; asked again each time, as keyboards come and go. */
const touch = matchMedia("(hover: none)");
/** The server's own limit is 4000; what is longer is not a turn. */
const MOST_TYPED_CHARS = 4_000;

/** A cut that heals by itself within a second or so shows no button. */
const SHOWN_MISSES = 3;

/** @type {MicrophoneState[]} */
const FAILED = ["denied", "dismissed", "forbidden", "missing", "busy"];

/**
 * @param {Conversation} conversation
 * @returns {(state: PageState) => void}
 */
export function talkView(conversation) {
  const word = find("state", HTMLElement);
  const line = find("sentence", HTMLElement);
  const start = find("start", HTMLButtonElement);
  const without = find("without", HTMLButtonElement);
  const microphone = find("microphone", HTMLButtonElement);
  const mute = find("mute", HTMLButtonElement);
  const interrupt = find("interrupt", HTMLButtonElement);
  const end = find("end", HTMLButtonElement);
  const input = find("say", HTMLInputElement);
  input.maxLength = MOST_TYPED_CHARS;

  /** @type {PageState["kept"]} */
  let kept = "";
  on(start, () => {
    if (start.dataset.does === "wake") conversation.wake();
    else if (kept === "elsewhere") conversation.takeBack();
    else if (kept === "waits") conversation.goOn();
    else conversation.start(true);
  });
  on(without, () => conversation.start(false));
  on(microphone, () => conversation.listen());
  on(mute, () => conversation.mute(mute.getAttribute("aria-pressed") !== "true"));
  on(interrupt, () => conversation.interrupt());
  on(end, () => conversation.end());
  const typed = find("typed", HTMLFormElement);
  typed.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) conversation.say(text);
    input.value = "";
  });

  return (state) => {
    const { phase, muted } = state;
    kept = state.kept;
    const hears = state.microphone === "on";
    show(word, stateWord(state));
    word.ariaLive = phase === "talking" ? "off" : "polite"; // or it talks into the conversation
    show(line, sentence(state, BROWSER) || hint(state, touch.matches));
    showStart(state, start);
    const idle = phase === "ready";
    without.hidden = !idle || !(FAILED.includes(state.microphone) || !isLent());
    showHttps(state, find("https", HTMLAnchorElement));
    find("why", HTMLElement).hidden = !idle || state.conversation > 0 || kept !== "" || start.hidden || !without.hidden;
    const idling = IDLE.includes(phase);
    const talking = phase === "talking";
    for (const control of [typed, interrupt, end]) control.hidden = idling;
    for (const control of [mute, microphone, input, find("send", HTMLButtonElement)]) {
      control.disabled = !talking;
    }
    mute.hidden = idling || !hears;
    microphone.hidden = idling || hears || !isLent();
    mute.setAttribute("aria-pressed", String(muted));
    show(find("mute-word", HTMLElement), muted ? "Unmute" : "Mute");
    interrupt.disabled = !talking || !["speaking", "thinking"].includes(stateWord(state));
  };
}

/** @param {PageState} state @param {HTMLButtonElement} start */
function showStart(state, start) {
  const { phase, microphone, kept, blocked } = state;
  const wake = phase === "talking" && blocked;
  const again = phase === "waiting" || (phase === "connecting" && state.misses >= SHOWN_MISSES);
  const barred = phase === "locked" || phase === "barred";
  start.hidden = barred || foreign(state) || (!again && !wake && (phase === "connecting" || phase === "talking" || !isLent()));
  start.disabled = phase === "loading" || phase === "connecting";
  start.dataset.does = wake ? "wake" : "start";
  const failed = FAILED.includes(microphone) ? "Try again" : "Start talking";
  show(start, again ? "Try now" : wake || kept === "waits" ? "Go on" : kept === "elsewhere" ? "Go on here" : failed);
}

/** The same page where browsers lend the microphone. @param {PageState} state @param {HTMLAnchorElement} link */
function showHttps({ phase, config }, link) {
  const url = config?.https_url ?? "";
  link.hidden = isLent() || phase !== "ready" || !url.startsWith("https:");
  if (link.hidden || link.textContent === url) return;
  link.href = url;
  link.textContent = url;
}

/**
 * Write only what changes, so that a screen reader hears it once.
 * @param {HTMLElement} element
 * @param {string} text
 */
function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A click of the mouse leaves the focus where the space bar means "hold to talk"; the keyboard keeps it.
 * @param {HTMLButtonElement} button
 * @param {() => void} act
 */
function on(button, act) {
  button.addEventListener("click", (event) => {
    if (event.detail > 0) button.blur();
    act();
  });
}
