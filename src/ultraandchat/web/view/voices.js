/**
 * Adding voices and taking them away, where the server has a library of them: under the choice of the voice, in the
 * details.
 *
 * @import {PageChange, PageState} from "../state.js"
 * @import {Clip} from "../voices.js"
 */
import { addVoice, library, nameOf, removeVoice } from "../voices.js";
import { find, make } from "./find.js";

/**
 * @param {Object} ends
 * @param {(event: PageChange) => void} ends.tell
 * @param {(voice: string) => void} ends.choose
 * @returns {(state: PageState) => void}
 */
export function voicesView({ tell, choose }) {
  const part = find("library", HTMLDetailsElement);
  const form = find("add-voice", HTMLFormElement);
  const file = find("voice-file", HTMLInputElement);
  const name = find("voice-name", HTMLInputElement);
  const button = find("voice-add", HTMLButtonElement);
  const told = find("voice-told", HTMLElement);
  const list = find("voice-files", HTMLElement);
  let chosen = "";
  let mostBytes = Infinity;
  /** The clips that are listed. */
  let listed = "";

  const renew = async () => {
    const { voices, files, max_bytes } = await library();
    mostBytes = max_bytes;
    const now = JSON.stringify(files);
    if (now !== listed) list.replaceChildren(...files.map((clip) => line(clip, remove))); // else a button that asks goes on asking
    listed = now;
    tell({ type: "voices", voices });
  };
  /** Do this, and say what comes of it. @param {() => Promise<string>} act */
  const attempt = async (act) => {
    button.disabled = true;
    try {
      told.textContent = await act();
      await renew();
    } catch (error) {
      told.textContent = error instanceof Error ? error.message : String(error);
    }
    button.disabled = false;
  };
  const remove = (/** @type {string} */ gone) =>
    attempt(async () => {
      const { voices } = await removeVoice(gone);
      if (gone === chosen && voices[0]) choose(voices[0]);
      return `${gone} was removed.`;
    });

  file.addEventListener("change", () => {
    if (!name.value) name.value = nameOf(file.files?.[0]?.name ?? "");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const recording = file.files?.[0];
    const voice = name.value.trim();
    if (!recording) return;
    void attempt(async () => {
      if (recording.size > mostBytes) return `The file has more than ${Math.floor(mostBytes / 1e6)} MB.`;
      told.textContent = "The server looks at it …";
      const { voices, remark } = await addVoice(voice, recording);
      form.reset();
      tell({ type: "voices", voices });
      choose(voice);
      return `${voice} was added, and speaks from now on. ${remark}`.trim();
    });
  });
  part.addEventListener("toggle", () => part.open && void attempt(async () => ""));
  find("more", HTMLButtonElement).addEventListener("click", () => !part.hidden && void attempt(async () => ""));

  return ({ config, voice }) => {
    chosen = voice;
    part.hidden = !config?.library;
  };
}

/** One clip; its button asks once more. @param {Clip} clip @param {(name: string) => void} remove */
function line({ name, seconds, fault, remark }, remove) {
  const item = make("li");
  const words = fault ? `${name} cannot be used: ${fault}.` : [name, seconds && `${Math.round(seconds)} s`, remark].filter(Boolean).join(", ");
  const button = make("button", "quiet", "Remove");
  button.type = "button";
  button.setAttribute("aria-label", `Remove ${name}`);
  let asked = false;
  button.addEventListener("click", () => {
    if (asked) return remove(name);
    asked = true;
    button.textContent = "Really remove";
  });
  item.append(make("span", "", words), button);
  return item;
}
