/**
 * Which microphone and speaker are used, and what the browser does to the microphone's sound.
 *
 * @import {Device} from "../device_list.js"
 * @import {Preferences} from "../preferences.js"
 * @import {Preferring} from "../preferring.js"
 * @import {PageState} from "../state.js"
 */
import { canChooseSpeaker, choices, listed, watchDevices } from "../device_list.js";
import { isLent } from "../microphone.js";
import { find } from "./find.js";

/** What the browser can do to the sound, and under which name it says that it can. */
const TREATMENTS = /** @type {const} */ ([
  ["echo", "echoCancellation"],
  ["noise", "noiseSuppression"],
  ["gain", "autoGainControl"],
]);

/**
 * @param {Preferring} preferring
 * @param {(devices: readonly Device[]) => void} found
 */
export function devicesPart(preferring, found) {
  const microphones = find("microphones", HTMLSelectElement);
  const speakers = find("speakers", HTMLSelectElement);
  microphones.addEventListener("change", () => preferring.choose({ microphone: microphones.value }));
  speakers.addEventListener("change", () => preferring.choose({ speaker: speakers.value }));
  const possible = isLent() ? navigator.mediaDevices.getSupportedConstraints() : {};
  for (const [name, constraint] of TREATMENTS) {
    const input = find(name, HTMLInputElement);
    input.addEventListener("change", () => preferring.choose({ [name]: input.checked }));
    /** @type {HTMLElement} */ (input.parentElement).hidden = !possible[constraint];
  }
  find("treatment", HTMLElement).hidden = !TREATMENTS.some(([, constraint]) => possible[constraint]);
  let microphone = "";

  const look = async () => {
    const devices = await listed();
    const { now } = preferring;
    offer(microphones, choices(devices, "audioinput"), now.microphone);
    offer(speakers, canChooseSpeaker() ? choices(devices, "audiooutput") : [], now.speaker);
    return devices;
  };
  watchDevices(async () => found(await look()));
  void look();
  return {
    look,
    /** @param {Preferences} now */
    show(now) {
      choose(microphones, now.microphone);
      choose(speakers, now.speaker);
      for (const [name] of TREATMENTS) find(name, HTMLInputElement).checked = now[name];
    },
    /** Their names are told once the microphone was lent. @param {PageState} state */
    view(state) {
      if (state.microphone === microphone) return;
      ({ microphone } = state);
      if (microphone === "on") void look();
    },
  };
}

/** @param {HTMLSelectElement} select @param {{id: string, name: string}[]} devices @param {string} chosen */
function offer(select, devices, chosen) {
  /** @type {HTMLElement} */ (select.closest("section")).hidden = devices.length === 0;
  select.replaceChildren(new Option("Like the system", ""), ...devices.map(({ id, name }) => new Option(name, id)));
  choose(select, chosen);
}

/** What is not there now is kept for when it is. @param {HTMLSelectElement} select @param {string} chosen */
function choose(select, chosen) {
  select.value = [...select.options].some(({ value }) => value === chosen) ? chosen : "";
}
