/**
 * Hold to talk: the space bar, unless it is needed for typing or on a button that has the keyboard's focus; or a
 * finger on the disc, where there is no space bar.
 */

/** A touch that is shorter is none. */
const TOUCH_MS = 200;

/**
 * @param {{press: () => void, release: () => void, active: () => boolean}} actions
 * @param {Element} disc
 */
export function holdToTalk({ press, release, active }, disc) {
  let held = false;
  let touched = 0;
  const hold = () => {
    if (held || !active()) return;
    held = true;
    press();
  };
  const letGo = () => {
    clearTimeout(touched);
    if (held) release();
    held = false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || !active() || needsSpace(document.activeElement)) return;
    event.preventDefault(); // or the page scrolls
    if (!event.repeat) hold();
  });
  document.addEventListener("keyup", (event) => {
    if (event.code === "Space") letGo();
  });
  disc.addEventListener("pointerdown", () => {
    touched = setTimeout(hold, TOUCH_MS);
  });
  disc.addEventListener("contextmenu", (event) => event.preventDefault()); // what a long touch means elsewhere
  for (const over of ["pointerup", "pointercancel"]) document.addEventListener(over, letGo);
  window.addEventListener("blur", letGo); // the key may come up in another window
}

/** @param {Element | null} element */
function needsSpace(element) {
  return Boolean(element?.closest("input, select, textarea, button, a, summary, dialog"));
}
