/**
 * Where the last turn's milliseconds went, part by part.
 *
 * @import {PageState} from "../state.js"
 * @import {TimingPart, TurnTiming} from "../wire.js"
 */
import { PARTS } from "../words.js";
import { find, make } from "./find.js";

/** @returns {(state: PageState) => void} */
export function latencyView() {
  const root = find("latency", HTMLElement);
  const total = find("latency-total", HTMLElement);
  const parts = find("latency-parts", HTMLOListElement);
  const note = find("latency-note", HTMLElement);
  /** @type {TurnTiming | undefined} */
  let last;

  return (state) => {
    const timing = state.turns.at(-1);
    if (timing) note.textContent = scope(state, timing);
    if (timing === last) return;
    last = timing;
    delete root.dataset.totalMs;
    total.textContent = timing ? `${Math.round(timing.total_ms)} ms` : "no answer yet";
    parts.replaceChildren(...(timing?.parts ?? []).map((part) => row(part, timing)));
    if (!timing) note.textContent = "";
    else root.dataset.totalMs = timing.total_ms.toFixed(1);
  };
}

/** @param {TimingPart} part @param {TurnTiming | undefined} timing */
function row({ name, start_ms, end_ms }, timing) {
  const whole = Math.max(1, timing?.total_ms ?? 1, ...(timing?.parts ?? []).map((part) => part.end_ms));
  const item = make("li");
  item.dataset.part = name;
  const bar = make("span", "bar");
  const fill = make("span", "fill");
  fill.style.left = `${(100 * Math.max(0, start_ms)) / whole}%`;
  fill.style.width = `${(100 * Math.max(0, end_ms - Math.max(0, start_ms))) / whole}%`;
  bar.append(fill);
  const length = `${Math.round(end_ms - start_ms)} ms`;
  item.append(make("span", "name", name), make("span", "ms", length), bar);
  if (PARTS[name]) item.append(make("span", "meaning", PARTS[name]));
  return item;
}

/** What the number includes, and what it does not. @param {PageState} state @param {TurnTiming} timing */
function scope({ turns, rttMs, buffer, link }, { endpoint_ms, speculative }) {
  const middle = median(turns.map((turn) => turn.total_ms));
  const outside = (link?.rttMs ?? rttMs ?? 0) + (link?.bufferedMs ?? buffer?.targetMs ?? 0);
  return [
    "From the last sample of your speech at the server to the first sound it sends.",
    outside ? `The network and this browser's buffer add about ${Math.round(outside)} ms.` : "",
    endpoint_ms ? `A turn ends after ${endpoint_ms} ms of silence.` : "",
    speculative ? "The answer was begun before that." : "",
    turns.length > 1 ? `Median of ${turns.length} turns: ${Math.round(middle)} ms.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
