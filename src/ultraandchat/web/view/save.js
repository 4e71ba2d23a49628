/**
 * Saves what was said: a button beside the controls once there is something, and the kinds of file in the settings.
 *
 * @import {PageState} from "../state.js"
 * @import {Format} from "../transcript.js"
 */
import { transcript, TYPES } from "../transcript.js";
import { find } from "./find.js";

/** Firefox fetches what a link points to only after the click is over. */
const KEPT_MS = 10_000;

/** @returns {(state: PageState) => void} */
export function saveView() {
  const part = find("saving", HTMLElement);
  const button = find("save", HTMLButtonElement);
  const settings = find("settings", HTMLDialogElement);
  /** @type {PageState | null} */
  let latest = null;

  part.addEventListener("click", ({ target }) => {
    const format = target instanceof HTMLButtonElement && target.dataset.format;
    if (!format || !latest) return;
    const date = (/** @type {number} */ ms) =>
      new Date(performance.timeOrigin + ms).toLocaleString([], { dateStyle: "long", timeStyle: "short" });
    download(/** @type {Format} */ (format), transcript(/** @type {Format} */ (format), { ...latest, date }));
  });
  button.addEventListener("click", () => {
    settings.showModal();
    part.scrollIntoView({ block: "nearest" });
    /** @type {HTMLElement | null} */ (part.querySelector("button"))?.focus();
  });

  return (state) => {
    latest = state;
    part.hidden = state.captions.length === 0;
    button.hidden = part.hidden || state.phase !== "ready";
  };
}

/** @param {Format} format @param {string} text */
function download(format, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: TYPES[format] }));
  link.download = `conversation-${stamp(new Date())}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** The local time as a file's name can have it. @param {Date} date */
function stamp(date) {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace("T", "-").replace(":", "");
}
