/**
 * Keeps audio graphs going: a phone stops them for a call ("interrupted"), a change of the route or behind another
 * app, and starts none of them again by itself.
 */

/**
 * What may let a graph go on that did not when it was asked: the page is seen again, or touched (which counts for
 * browsers from when the finger leaves the glass on).
 */
const CHANCES = /** @type {const} */ (["visibilitychange", "pointerup", "keydown"]);

/**
 * Let it run whenever it may.
 * @param {AudioContext} context
 * @param {() => boolean} [wanted] it is not stopped on purpose
 */
export function keepRunning(context, wanted = () => true) {
  const go = () => {
    if (context.state === "closed") return stop();
    if (context.state !== "running" && wanted()) context.resume().catch(() => {}); // at the next chance
  };
  const stop = () => {
    for (const chance of CHANCES) document.removeEventListener(chance, go);
  };
  for (const chance of CHANCES) document.addEventListener(chance, go);
  context.addEventListener("statechange", go);
  go();
}

/**
 * What this page does with sound, for phones that mix it and choose its route by that (Safari's Audio Session).
 * @param {"play-and-record" | "auto"} kind
 */
export function useAudioAs(kind) {
  const session = /** @type {{type: string} | undefined} */ (/** @type {any} */ (navigator).audioSession);
  if (session) session.type = kind;
}
