/**
 * A page of which a script did not come is dead: browsers drop what they are loading when their network changes, and
 * remember that a module failed. So it is loaded again, once the server answers; a style alone is asked for once more.
 * Runs before all else, and imports nothing.
 */
{
  const AGAIN_MS = 1_000;
  let dead = false;

  /** @returns {Promise<void>} when the server answers */
  const answers = async () => {
    for (;;) {
      await new Promise((go) => setTimeout(go, AGAIN_MS));
      const answer = await fetch("page.js", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) return;
    }
  };

  /** @param {Event} event that does not bubble, so it is caught on its way down */
  const failed = async ({ target }) => {
    if (target instanceof HTMLScriptElement && !dead) {
      dead = true;
      await answers();
      location.reload(); // with its fragment: the token is still there
    } else if (target instanceof HTMLLinkElement) {
      await answers();
      target.replaceWith(target.cloneNode());
    }
  };

  window.addEventListener("error", failed, { capture: true });
}
