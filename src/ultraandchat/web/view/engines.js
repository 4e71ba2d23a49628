/**
 * The engines in honest words, and their numbers as the server tells them while somebody looks.
 *
 * @import {Health} from "../health.js"
 * @import {PageState} from "../state.js"
 * @import {EngineInfo} from "../wire.js"
 */
import { engineGist, engineTable, machineRows } from "../health.js";
import { health } from "../looking.js";
import { ENGINES } from "../meanings.js";
import { Repeated } from "../repeated.js";
import { ENGINE_KINDS } from "../words.js";
import { explain, facts } from "./facts.js";
import { find, make, write } from "./find.js";

const EVERY_MS = 5_000;

export class EnginesView {
  constructor() {
    /** @private @type {Health | null} */
    this.health = null;
    /** @private */
    this.looked = false;
    /** @private The server did not answer the last time. */
    this.silent = false;
    /** @private @type {EngineInfo[]} */
    this.engines = [];
    /** @private */
    this.table = find("engine-numbers", HTMLTableElement);
    /** @private */
    this.looking = new Repeated(async () => {
      const now = await health();
      this.silent = now === null;
      this.health = now ?? this.health; // what was told last stays, so that nothing moves
      this.draw();
    }, EVERY_MS);
  }

  /** @param {boolean} on somebody looks at it */
  look(on) {
    this.looked = on;
    this.looking.run(on);
  }

  /** What the fold says, open or not. @param {PageState} state */
  gist(state) {
    const fresh = this.looked ? this.health?.engines : undefined;
    write(find("engines-gist", HTMLElement), engineGist(fresh ?? known(state)));
  }

  /** @param {PageState} state */
  show(state) {
    const engines = known(state);
    if (engines === this.engines) return;
    this.engines = engines;
    this.draw();
  }

  /** @private */
  draw() {
    const now = this.health?.engines ?? this.engines;
    if (this.looked) write(find("engines-gist", HTMLElement), engineGist(now));
    facts(find("engine-facts", HTMLElement), now.map(engine));
    facts(find("machine-facts", HTMLElement), machineRows(this.health, this.silent), ENGINES);
    const { columns, rows } = engineTable(this.health);
    this.table.hidden = columns.length === 0;
    this.columns(columns);
    const body = this.table.tBodies[0];
    rows.forEach(({ name, cells }, index) => {
      const row = body.rows[index] ?? body.insertRow();
      [name, ...columns.map((column) => cells[column] || "–")].forEach((text, at) => {
        write(row.cells[at] ?? row.appendChild(make(at === 0 ? "th" : "td")), text);
      });
      while (row.cells.length > columns.length + 1) row.deleteCell(-1);
    });
    while (body.rows.length > rows.length) body.deleteRow(-1);
  }

  /** @private @param {string[]} columns */
  columns(columns) {
    const [row] = this.table.tHead?.rows ?? [];
    if (this.table.dataset.columns === columns.join()) return;
    this.table.dataset.columns = columns.join();
    const head = columns.map((column) => {
      const cell = make("th");
      const name = make("span", "", column);
      name.role = "term";
      explain(name, ENGINES[column]);
      cell.append(name);
      return cell;
    });
    row.replaceChildren(make("th", "", "Engine"), ...head);
  }
}

/** @param {PageState} state @returns {EngineInfo[]} */
function known({ phase, welcome, config }) {
  return (phase === "talking" ? welcome : (config ?? welcome))?.engines ?? [];
}

/** @param {EngineInfo} info @returns {[string, string]} */
function engine({ kind, name, state, detail }) {
  const rest = [state === "ready" ? "" : state, detail].filter(Boolean).join(", ");
  return [ENGINE_KINDS[kind] ?? kind, rest ? `${name}: ${rest}` : name];
}
