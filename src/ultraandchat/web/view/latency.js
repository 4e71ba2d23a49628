/**
 * Where the last turn's milliseconds went, part by part. Every row has its place from the beginning.
 *
 * @import {PageState} from "../state.js"
 * @import {Step} from "../turns.js"
 * @import {TurnTiming} from "../wire.js"
 */
import { PARTS } from "../meanings.js";
import { lookedAt, outside, PART_NAMES, steps } from "../turns.js";
import { reading } from "../words.js";
import { explain } from "./facts.js";
import { find, make, write } from "./find.js";

/** What the network and the buffer added to an earlier turn nobody wrote down. */
const THEN = { networkMs: null, bufferMs: null };

/** @returns {(state: PageState, picked: number | null) => void} */
export function latencyView() {
  const name = find("latency-name", HTMLElement);
  const root = find("latency", HTMLElement);
  const total = find("latency-total", HTMLElement);
  const heard = find("latency-heard", HTMLElement);
  const note = find("latency-note", HTMLElement);
  const model = find("latency-model", HTMLElement);
  const parts = new Rows(find("latency-parts", HTMLOListElement));
  const beyond = new Rows(find("latency-outside", HTMLOListElement));
  for (const name of PART_NAMES) parts.row(name);
  for (const name of ["network", "buffer"]) beyond.row(name);

  return (state, picked) => {
    const timing = lookedAt(state.turns, picked);
    const newest = timing === state.turns.at(-1);
    const { networkMs, bufferMs } = newest ? outside(state) : THEN;
    const besides = Math.round(networkMs ?? 0) + Math.round(bufferMs ?? 0);
    const sum = Math.round(timing?.total_ms ?? 0);
    const whole = Math.max(1, sum + besides);
    for (const step of steps(timing)) parts.show(step, whole, meaning(step, timing));
    beyond.show(besidesStep("network", networkMs, sum, timing), whole, PARTS.network);
    beyond.show(besidesStep("buffer", bufferMs, sum + Math.round(networkMs ?? 0), timing), whole, PARTS.buffer);
    write(name, newest ? "This turn" : `Turn ${timing?.turn}`);
    write(total, timing ? `${sum} ms` : "no answer yet");
    write(heard, timing && besides > 0 ? `about ${sum + besides} ms` : "–");
    write(note, timing ? remarks(timing) : "From your last sound at the server to the first sound it sends.");
    model.hidden = !tells(state);
    write(model, timing && state.read?.turn === timing.turn ? reading(state.read) : "");
    if (timing) root.dataset.turn = String(timing.turn);
    else delete root.dataset.turn;
  };
}

/** Rows by name, each made once. */
class Rows {
  /** @param {HTMLOListElement} list */
  constructor(list) {
    /** @private */
    this.list = list;
    /** @private @type {Map<string, {item: HTMLElement, hint: HTMLElement, fill: HTMLElement, ms: HTMLElement}>} */
    this.rows = new Map();
  }

  /** @param {string} name */
  row(name) {
    const known = this.rows.get(name);
    if (known) return known;
    const item = make("li");
    item.dataset.part = name;
    const term = make("span", "name", name);
    term.role = "term";
    const bar = make("span", "bar");
    const row = { item, hint: explain(term, PARTS[name] ?? ""), fill: make("span", "fill"), ms: make("span", "ms", "–") };
    bar.append(row.fill);
    item.append(term, bar, row.ms);
    this.list.append(item);
    this.rows.set(name, row);
    return row;
  }

  /** @param {Step} step @param {number} whole ms that the bar's place stands for @param {string} meaning */
  show({ name, there, startMs, endMs, addedMs }, whole, meaning) {
    const { item, hint, fill, ms } = this.row(name);
    const from = Math.max(0, startMs);
    const length = Math.max(0, endMs - from);
    fill.hidden = !there;
    fill.style.left = `${(100 * from) / whole}%`;
    fill.style.width = `${(100 * length) / whole}%`;
    // What ran beside an earlier part is lighter: it added nothing.
    fill.style.setProperty("--beside", `${length > 0 ? 100 * (1 - Math.min(1, addedMs / length)) : 0}%`);
    write(ms, there ? String(addedMs) : "–");
    write(hint, meaning);
    if (there) item.dataset.ms = String(addedMs);
    else delete item.dataset.ms;
  }
}

/** @param {string} name @param {number | null} ms @param {number} from @param {TurnTiming | undefined} timing @returns {Step} */
function besidesStep(name, ms, from, timing) {
  const whole = Math.round(ms ?? 0);
  return { name, there: ms !== null && timing !== undefined, startMs: from, endMs: from + whole, addedMs: whole, tookMs: whole };
}

/** @param {Step} step @param {TurnTiming | undefined} timing */
function meaning({ name, there, addedMs, tookMs }, timing) {
  const said = [PARTS[name] ?? ""];
  if (there && name === "end silence" && timing?.endpoint_ms) said.push(`Here a turn ends after ${timing.endpoint_ms} ms of silence.`);
  if (there && tookMs > addedMs) said.push(`It took ${tookMs} ms, of which ${tookMs - addedMs} ran beside what stands above.`);
  return said.join(" ");
}

/** Whether the model says what it read: its place is kept from the beginning. @param {PageState} state */
function tells({ config, read }) {
  return read !== null || (config?.engines ?? []).some(({ kind, name }) => kind === "language" && name === "ultravox");
}

/** @param {TurnTiming} timing */
function remarks({ speculative }) {
  return [
    "From your last sound at the server to the first sound it sends.",
    speculative ? "The answer was begun before you had surely finished." : "",
  ]
    .filter(Boolean)
    .join(" ");
}
