/**
 * Push-to-talk: the space bar held down, unless it is needed for typing or on a button that has the
 * keyboard's focus.
 */

/**
 * @param {{press: () => void, release: () => void, active: () => boolean}} actions
 */
export function holdToTalk({ press, release, active }) {
  let held = false;
  const letGo = () => {
    if (held) release();
    held = false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Space" || !active() || needsSpace(document.activeElement)) return;
    event.preventDefault(); // or the page scrolls
    if (held || event.repeat) return;
    held = true;
    press();
  });
  document.addEventListener("keyup", (event) => {
    if (event.code === "Space") letGo();
  });
  window.addEventListener("blur", letGo); // the key may come up in another window
}

/** @param {Element | null} element */
function needsSpace(element) {
  return Boolean(element?.closest("input, select, textarea, button, a, summary"));
}
