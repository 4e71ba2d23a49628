/**
 * Where the server asks for its token: a field for it.
 *
 * @import {PageChange, PageState} from "../state.js"
 */
import { AccessNeeded, openWithToken } from "../access.js";
import { find } from "./find.js";

/**
 * @param {Object} ends
 * @param {(event: PageChange) => void} ends.tell
 * @param {() => void} ends.opened
 * @returns {(state: PageState) => void}
 */
export function accessView({ tell, opened }) {
  const form = find("access", HTMLFormElement);
  const input = find("token", HTMLInputElement);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = input.value.trim();
    input.value = "";
    if (token && (await shown(token, tell))) opened();
  });
  return ({ phase }) => {
    form.hidden = phase !== "locked";
  };
}

/** Between two tries where the server does not answer: the token stands in the address no more. */
const AGAIN_MS = 1_000;

/**
 * Whether the token opened the server; if not, the page is told why. A server that does not answer is asked again.
 * @param {string} token
 * @param {(event: PageChange) => void} tell
 */
export async function shown(token, tell) {
  for (;;) {
    try {
      await openWithToken(token);
      return true;
    } catch (error) {
      if (error instanceof AccessNeeded) {
        tell({ type: "locked", text: error.message });
        return false;
      }
      tell({ type: "unreachable" });
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }
}
