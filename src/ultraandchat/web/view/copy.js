/**
 * Text for the clipboard. Only a click may put it there, and some browsers forget the click while something is waited
 * for; so it is promised at once. Pages without https have no clipboard: there the text is shown, marked for copying.
 */
import { find } from "./find.js";

/**
 * @param {Promise<string>} text
 * @returns {Promise<boolean>} it is in the clipboard; false: it is shown instead
 */
export async function copy(text) {
  const shown = find("copied", HTMLTextAreaElement);
  shown.hidden = true;
  try {
    const blob = text.then((plain) => new Blob([plain], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    return true;
  } catch {
    const before = document.activeElement;
    shown.value = await text;
    shown.hidden = false;
    shown.focus();
    shown.select();
    if (!document.execCommand("copy")) return false;
    shown.hidden = true;
    if (before instanceof HTMLElement) before.focus();
    return true;
  }
}
