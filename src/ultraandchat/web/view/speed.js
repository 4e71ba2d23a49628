/**
 * How fast the agent speaks.
 *
 * @import {Preferences} from "../preferences.js"
 * @import {Preferring} from "../preferring.js"
 */
import { find } from "./find.js";

/** @param {Preferring} preferring */
export function speedPart(preferring) {
  const speed = find("speed", HTMLInputElement);
  const told = find("speed-told", HTMLOutputElement);
  const tell = () => {
    told.textContent = words(speed.valueAsNumber);
    speed.setAttribute("aria-valuetext", told.textContent);
  };
  speed.addEventListener("input", tell);
  speed.addEventListener("change", () => preferring.choose({ speed: speed.valueAsNumber }));
  return {
    /** @param {Preferences} now */
    show(now) {
      speed.valueAsNumber = now.speed;
      tell();
    },
  };
}

/** @param {number} speed */
function words(speed) {
  return speed === 1 ? "normal" : `${speed.toFixed(1)} times normal`;
}
