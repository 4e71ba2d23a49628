/**
 * The panel of settings: a dialog, so that the keyboard stays in it and Escape closes it. What is chosen is kept and
 * obeyed at once; what has no choice is not shown.
 *
 * @import {Conversation} from "../conversation.js"
 * @import {Preferring} from "../preferring.js"
 * @import {PageState} from "../state.js"
 */
import { devicesPart } from "./devices.js";
import { find } from "./find.js";
import { forgetPart } from "./forget.js";
import { looksPart } from "./looks.js";
import { sensitivityPart } from "./sensitivity.js";
import { speedPart } from "./speed.js";

/**
 * @param {Preferring} preferring
 * @param {Conversation} conversation
 * @returns {{view: (state: PageState) => void, hear: (dbfs: number) => void}} `hear`: the level of the microphone in use
 */
export function settingsView(preferring, conversation) {
  const dialog = find("settings", HTMLDialogElement);
  const close = () => dialog.close();
  const devices = devicesPart(preferring, (found) => conversation.found(found));
  const sensitivity = sensitivityPart(preferring, dialog, (level) => conversation.measure(level));
  const forget = forgetPart(() => conversation.forget());
  const parts = [devices, sensitivity, looksPart(preferring), speedPart(preferring)];
  find("more", HTMLButtonElement).addEventListener("click", () => {
    void devices.look();
    dialog.showModal();
  });
  find("settings-close", HTMLButtonElement).addEventListener("click", close);
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) close(); // the place around it
  });
  preferring.follow((now) => {
    for (const part of parts) part.show(now);
  });
  for (const part of parts) part.show(preferring.now);
  return {
    view(state) {
      devices.view(state);
      sensitivity.view(state);
      forget(state);
    },
    hear: (dbfs) => sensitivity.hear(dbfs),
  };
}
