/**
 * What helps at the moment, where nothing is wrong. Pure. Each is one short line: its place is kept free.
 *
 * @import {PageState} from "./state.js"
 */
import { stateWord } from "./state.js";

/**
 * @param {PageState} state
 * @param {boolean} touch there is no space bar to hold, but the disc
 */
export function hint(state, touch) {
  const { phase, microphone, muted, captions, conversation } = state;
  if (phase !== "talking") return "";
  const begun = captions.some((caption) => caption.conversation === conversation);
  if (microphone !== "on") return begun ? "" : "Type something.";
  const hold = `Hold the ${touch ? "disc" : "space bar"} to talk.`;
  if (muted) return stateWord(state) === "muted" ? hold : `Muted. ${hold}`;
  return begun ? "" : "Say something.";
}
