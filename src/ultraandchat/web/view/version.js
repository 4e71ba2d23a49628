/**
 * Where the server has a newer page: the button that loads it. Never by itself, and not while somebody talks.
 *
 * @import {PageState} from "../state.js"
 */
import { IDLE } from "../state.js";
import { foreign, outdated } from "../version.js";
import { find } from "./find.js";

/** Which version of the page's files this one was loaded of: the server writes it into the page. */
export function loadedVersion() {
  return document.querySelector("meta[name=page]")?.getAttribute("content") ?? "";
}

/** @returns {(state: PageState) => void} */
export function versionView() {
  const button = find("reload", HTMLButtonElement);
  button.addEventListener("click", () => location.reload());

  return (state) => {
    const never = foreign(state);
    button.hidden = !IDLE.includes(state.phase) || !(never || outdated(state));
    button.classList.toggle("primary", never);
  };
}
