/**
 * Where browsers do not give the microphone to this address: the commands that mend it. (There is no button that copies
 * them: browsers give the clipboard to secure pages only, too.)
 *
 * @import {PageState} from "../state.js"
 * @import {Mend} from "../ways.js"
 */
import { isLent } from "../microphone.js";
import { mends } from "../ways.js";
import { find, make } from "./find.js";

/** @returns {(state: PageState) => void} */
export function mendsView() {
  const list = find("mend", HTMLUListElement);
  const { userAgent: agent } = navigator;

  return ({ phase, config }) => {
    list.hidden = isLent() || phase !== "ready" || Boolean(config?.https_url);
    if (!list.hidden && !list.firstChild) list.append(...mends({ agent, origin: location.origin }).map(line));
  };
}

/** @param {Mend} mend */
function line({ what, command, then, url }) {
  const item = make("li");
  const link = make("a", "", url);
  link.href = url;
  item.append(`${what} `, make("code", "", command), ` ${then} `, link, ".");
  return item;
}
