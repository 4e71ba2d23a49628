/**
 * The log: this page's own lines, or the server's by component where it lets this visitor read them; filtered and copied.
 *
 * @import {Looked} from "../looking.js"
 * @import {PageState} from "../state.js"
 * @import {Shown} from "../server_log.js"
 */
import { ServerLog } from "../looking.js";
import { Repeated } from "../repeated.js";
import { copied, gone, matching, ownLine, shownLine } from "../server_log.js";
import { copy } from "./copy.js";
import { find, make, write } from "./find.js";

const EVERY_MS = 2_000;

export class LogView {
  constructor() {
    /** @private */
    this.list = find("log-lines", HTMLOListElement);
    /** @private */
    this.component = find("log-of", HTMLSelectElement);
    /** @private */
    this.filter = find("log-filter", HTMLInputElement);
    /** @private */
    this.mine = find("log-mine", HTMLInputElement);
    /** @private */
    this.told = find("log-told", HTMLElement);
    /** @private @type {PageState | null} */
    this.state = null;
    /** @private */
    this.log = new ServerLog();
    /** @private @type {Looked} */
    this.looked = { lines: [], why: "" };
    /** @private What is shown, so that it is drawn once. @type {string[]} */
    this.shown = [];
    /** @private */
    this.visible = false;
    /** @private */
    this.looking = new Repeated(async () => {
      const component = this.component.value;
      const session = this.session();
      const looked = await this.log.look(component, session);
      if (component !== this.component.value || session !== this.session()) return; // nobody wants it any more
      this.looked = looked;
      this.draw();
    }, EVERY_MS);
    for (const choice of [this.component, this.mine]) choice.addEventListener("change", () => this.choose());
    this.filter.addEventListener("input", () => this.draw());
    find("log-copy", HTMLButtonElement).addEventListener("click", () => this.copy());
  }

  /** @param {boolean} on somebody looks at it */
  look(on) {
    this.visible = on;
    this.looking.run(on && this.ofServer());
  }

  /** @param {PageState} state */
  show(state) {
    const { log } = state;
    const same = log === this.state?.log;
    this.state = state;
    if (!same && !this.ofServer()) this.draw();
  }

  /** @private */
  ofServer() {
    return this.component.value !== "page";
  }

  /** @private */
  session() {
    return this.mine.checked ? (this.state?.welcome?.session ?? "") : "";
  }

  /** @private */
  choose() {
    find("log-only", HTMLElement).hidden = !this.ofServer();
    this.looked = { lines: [], why: "" };
    this.draw();
    this.looking.next();
    this.look(this.visible);
  }

  /** @private */
  lines() {
    const all = this.ofServer() ? this.looked.lines.map(shownLine) : (this.state?.log ?? []).map(ownLine);
    return matching(all, this.filter.value);
  }

  /** @private */
  draw() {
    const lines = this.lines();
    write(this.told, this.ofServer() ? this.looked.why : "");
    const now = lines.map((one) => copied([one]));
    const left = gone(this.shown, now);
    const staying = this.shown.length - left;
    this.shown = now;
    if (left === 0 && staying === lines.length) return;
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const atEnd = scrollHeight - scrollTop - clientHeight < 16;
    for (let index = 0; index < left; index += 1) this.list.firstElementChild?.remove();
    this.list.append(...lines.slice(staying).map(line));
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  /** @private */
  async copy() {
    const lines = this.lines();
    const done = await copy(Promise.resolve(copied(lines)));
    write(this.told, done ? `${lines.length} ${lines.length === 1 ? "line is" : "lines are"} in the clipboard.` : "This browser lets nothing be copied by itself: the text stands below.");
  }
}

/** @param {Shown} entry */
function line({ at, from, text, level }) {
  const item = make("li");
  item.dataset.level = level;
  item.append(make("span", "at", at), make("span", "from", from === "page" ? "" : from), make("span", "what", text));
  return item;
}
