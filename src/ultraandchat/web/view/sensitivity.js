/**
 * The level below which sound is not speech: a mark on a meter of what the microphone gives, set by hand, or by
 * speaking and being still.
 *
 * @import {Preferences} from "../preferences.js"
 * @import {Preferring} from "../preferring.js"
 * @import {PageState} from "../state.js"
 */
import { calibrated, Gathering } from "../calibration.js";
import { SILENCE_DBFS } from "../level.js";
import { isLent, MicrophoneTrouble } from "../microphone.js";
import { LEVELS } from "../preferences.js";
import { find } from "./find.js";

/** The server's own level, until it says another. */
const USUAL_DBFS = -50;
/** A microphone that gives nothing for so long gives nothing. */
const PATIENCE_MS = 15_000;
const WHY = "What is quieter than the mark is taken for your room, what is louder for you.";
const WORDS = {
  speaks: "Speak normally: say what you had for breakfast.",
  "is still": "Now stay quiet.",
  "is done": "",
};

/**
 * @param {Preferring} preferring
 * @param {HTMLDialogElement} dialog
 * @param {(level: (dbfs: number) => void) => Promise<() => void>} measure
 */
export function sensitivityPart(preferring, dialog, measure) {
  const slider = find("sensitivity", HTMLInputElement);
  const told = find("sensitivity-told", HTMLOutputElement);
  const automatic = find("sensitivity-auto", HTMLButtonElement);
  const button = find("calibrate", HTMLButtonElement);
  const words = find("sensitivity-why", HTMLElement);
  const progress = find("calibration-step", HTMLProgressElement);
  const bar = find("sensitivity-level", HTMLElement);
  let usual = USUAL_DBFS;
  words.textContent = WHY;
  dialog.addEventListener("close", () => (words.textContent = WHY));
  find("sensitivity-part", HTMLElement).hidden = !isLent();

  const hear = (/** @type {number} */ dbfs) => {
    const [least, most] = LEVELS;
    const share = Math.min(Math.max((dbfs - least) / (most - least), 0), 1);
    if (dialog.open) bar.style.transform = `scaleX(${share.toFixed(3)})`;
  };
  const show = ({ sensitivity } = preferring.now) => {
    slider.valueAsNumber = sensitivity || usual;
    automatic.hidden = sensitivity === 0;
    told.textContent = inWords(sensitivity, usual);
    slider.setAttribute("aria-valuetext", `${told.textContent}, ${slider.value} decibels`);
  };
  slider.addEventListener("input", () => (told.textContent = inWords(slider.valueAsNumber, usual)));
  slider.addEventListener("change", () => preferring.choose({ sensitivity: slider.valueAsNumber }));
  automatic.addEventListener("click", () => {
    preferring.choose({ sensitivity: 0 });
    words.textContent = WHY;
    slider.focus();
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const gathered = await gather();
      if (!gathered) words.textContent = WHY;
      else {
        const { level, words: said } = calibrated(gathered.speech, gathered.quiet, usual);
        preferring.choose({ sensitivity: level });
        words.textContent = said;
      }
    } catch (error) {
      if (!(error instanceof MicrophoneTrouble)) throw error;
      words.textContent = "There is no microphone that this page may use now.";
    } finally {
      button.disabled = false;
      progress.classList.remove("on");
    }
  });

  /** Both steps; null: the panel was closed meanwhile. @returns {Promise<Gathering | null>} */
  const gather = async () => {
    const gathering = new Gathering();
    /** @type {(over: Gathering | null) => void} */
    let end = () => {};
    const over = /** @type {Promise<Gathering | null>} */ (new Promise((resolve) => (end = resolve)));
    const tell = () => {
      const { does, done } = gathering.step;
      if (words.textContent !== WORDS[does]) words.textContent = WORDS[does];
      progress.value = done;
      if (does === "is done") end(gathering);
    };
    dialog.addEventListener("close", () => end(null), { once: true });
    const timer = setTimeout(() => end(gathering), PATIENCE_MS);
    const stop = await measure((dbfs) => {
      hear(dbfs);
      gathering.hear(dbfs);
      tell();
    });
    progress.classList.add("on");
    tell();
    const gathered = await over;
    clearTimeout(timer);
    stop();
    return gathered;
  };

  return {
    hear,
    /** @param {Preferences} now */
    show: (now) => show(now),
    /** @param {PageState} state */
    view({ config, microphone }) {
      if (microphone !== "on" && !button.disabled) hear(SILENCE_DBFS);
      const level = config?.gate_dbfs ?? USUAL_DBFS;
      if (level === usual) return;
      usual = level;
      show();
    },
  };
}

/** @param {number} level @param {number} usual */
function inWords(level, usual) {
  if (level === 0) return "automatic";
  return level < usual ? "hears more" : level > usual ? "hears less" : "as usual";
}
