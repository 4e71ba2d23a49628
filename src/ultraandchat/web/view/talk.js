/**
 * The room itself: the state in a word, one sentence where one is needed, and the controls.
 *
 * @import {Conversation} from "../conversation.js"
 * @import {MicrophoneState, PageState} from "../state.js"
 */
import { isLent } from "../microphone.js";
import { stateWord } from "../state.js";
import { sentence } from "../words.js";
import { find } from "./find.js";

const BROWSER = { agent: navigator.userAgent, origin: location.origin };
/** The server's own limit is 4000; what is longer is not a turn. */
const MOST_TYPED_CHARS = 4_000;

/** @type {MicrophoneState[]} */
const FAILED = ["denied", "missing", "busy"];

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

  on(start, () => conversation.start(true));
  on(without, () => conversation.start(false));
  on(microphone, () => conversation.listen());
  on(mute, () => conversation.mute(mute.getAttribute("aria-pressed") !== "true"));
  on(interrupt, () => conversation.interrupt());
  on(end, () => conversation.end());
  find("typed", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) conversation.say(text);
    input.value = "";
  });

  return (state) => {
    const { phase, muted } = state;
    const hears = state.microphone === "on";
    show(word, stateWord(state));
    show(line, sentence(state, BROWSER));
    showStart(state, start);
    const idle = phase === "ready";
    without.hidden = !idle || !(FAILED.includes(state.microphone) || !isLent());
    find("why", HTMLElement).hidden = !idle || start.hidden || !without.hidden;
    find("begin", HTMLElement).hidden = start.hidden && without.hidden;
    find("dock", HTMLElement).hidden = idle || phase === "loading";
    const talking = phase === "talking";
    for (const control of [mute, microphone, input, find("send", HTMLButtonElement)]) {
      control.disabled = !talking;
    }
    mute.hidden = !hears;
    microphone.hidden = hears || !isLent();
    mute.setAttribute("aria-pressed", String(muted));
    show(find("mute-word", HTMLElement), muted ? "Unmute" : "Mute");
    interrupt.disabled = !talking || !["speaking", "thinking"].includes(stateWord(state));
    find("hold", HTMLElement).hidden = !hears || !talking;
  };
}

/** @param {PageState} state @param {HTMLButtonElement} start */
function showStart({ phase, microphone, trouble }, start) {
  const again = phase === "waiting" || (phase === "connecting" && trouble !== "");
  start.hidden = !again && (phase === "connecting" || phase === "talking" || !isLent());
  start.disabled = phase === "loading" || phase === "connecting";
  show(start, again ? "Try now" : FAILED.includes(microphone) ? "Try again" : "Start talking");
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
