/**
 * One turn as plain text, for whoever is asked for help. Pure. What was said is in it only where that is asked for.
 *
 * @import {Caption} from "./captions.js"
 * @import {Health} from "./health.js"
 * @import {ServerLine} from "./server_log.js"
 * @import {PageState} from "./state.js"
 * @import {TurnTiming} from "./wire.js"
 */
import { engineTable, machineRows } from "./health.js";
import { attemptLine, notOffered, rungInUse } from "./rungs.js";
import { compared, lookedAt, outside, steps } from "./turns.js";
import { ENGINE_KINDS } from "./words.js";

/** Lines of each log that are reported. */
export const MOST_LINES = 40;

/**
 * @typedef {Object} Reported
 * @property {PageState} state
 * @property {Health | null} health as the server said it just now
 * @property {ServerLine[] | null} lines of the server's log for this conversation; null where this visitor may not read them
 * @property {string} when ISO 8601
 * @property {string} browser
 * @property {number | null} [picked] a turn other than the newest
 * @property {boolean} words what was said, too
 */

/** @param {Reported} reported @returns {string} */
export function turnReport({ state, health, lines, when, browser, words, picked = null }) {
  const turn = lookedAt(state.turns, picked);
  const earlier = turn !== undefined && turn !== state.turns.at(-1);
  const told = (lines ?? [])
    .filter(({ level }) => words || level !== "debug") // at that level there are words
    .filter((line) => !earlier || line.turn === turn.turn);
  const log = told.slice(-MOST_LINES).map(({ stamp, level, component, turn, text }) => {
    return `${stamp} ${level} ${component}${turn === null ? "" : ` turn=${turn}`} ${text}`;
  });
  const page = state.log.slice(-MOST_LINES).map(({ at, text }) => `${(at / 1000).toFixed(1)} s  ${text}`);
  return [
    heading(state, turn, when, browser),
    section("Time", timing(state, turn)),
    section("Path of the sound", path(state)),
    section("Engines", engines(state, health)),
    section("Log of the page", page),
    section("Log of the server", lines ? log : ["not to be read from here"]),
    words ? section("What was said", said(state, turn, earlier)) : "What was said is left out.\n",
  ].join("\n");
}

/** @param {PageState} state @param {TurnTiming | undefined} turn @param {string} when @param {string} browser */
function heading({ welcome, config }, turn, when, browser) {
  return `UltraAndChat: ${turn ? `turn ${turn.turn}` : "no turn yet"} of conversation ${welcome?.session ?? "none"}
${when}
Server ${welcome?.server ?? config?.version ?? "unknown"}, profile ${config?.profile ?? "unknown"}
${browser}
`;
}

/** @param {string} title @param {string[]} lines */
function section(title, lines) {
  return `${title}\n${lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}\n`).join("")}`;
}

/** @param {PageState} state @param {TurnTiming | undefined} turn @returns {string[]} */
function timing(state, turn) {
  if (!turn) return ["nothing was answered yet"];
  const { networkMs, bufferMs } = outside(state);
  const { count, p50, p95 } = compared(state.turns);
  return [
    `${turn.total_ms.toFixed(0)} ms from the last sample of speech to the first sound that was sent`,
    ...steps(turn)
      .filter(({ there }) => there)
      .map(({ name, addedMs, startMs, endMs }) => {
        return `${name.padEnd(14)}${String(addedMs).padStart(6)} ms   (ran from ${startMs.toFixed(0)} to ${endMs.toFixed(0)})`;
      }),
    `end silence as configured: ${turn.endpoint_ms} ms; the answer was ${turn.speculative ? "" : "not "}begun before its end`,
    `besides, as measured last: network ${known(networkMs)}, this browser's buffer ${known(bufferMs)}`,
    `of ${count} turns: p50 ${known(p50)}, p95 ${known(p95)}`,
  ];
}

/** @param {PageState} state @returns {string[]} */
function path(state) {
  const { way, link, rttMs, buffer, attempts, config, codec } = state;
  const fares = link
    ? [
        `round trip ${known(link.rttMs)}, jitter ${known(link.jitterMs)}, filled in ${known(link.concealedMs)}`,
        `packets lost: ${link.lost} of ${link.received + link.lost} to here, ${link.lostThere ?? "?"} of ${link.sent} from here`,
      ]
    : [`round trip ${known(rttMs)}, in store ${known(buffer?.bufferedMs ?? null)}, ran dry ${buffer?.underruns ?? 0} times`];
  if (!way) return ["not connected", ...attempts.map(attemptLine)];
  return [
    way.path === "webrtc" ? rungInUse(state) : `WebSocket (${codec}): ${way.why}`,
    ...fares,
    ...attempts.map(attemptLine),
    ...notOffered(config?.rungs).map(([name, why]) => `${name}: ${why}`),
  ];
}

/** @param {PageState} state @param {Health | null} health @returns {string[]} */
function engines({ welcome, config }, health) {
  const numbers = new Map(engineTable(health).rows.map(({ name, cells }) => [name, cells]));
  const all = health?.engines ?? config?.engines ?? welcome?.engines ?? [];
  const lines = all.map(({ kind, name, state, detail }) => {
    const cells = Object.entries(numbers.get(name) ?? {}).filter(([, value]) => value);
    const told = cells.map(([column, value]) => `${column.toLowerCase()} ${value}`);
    return `${name} (${ENGINE_KINDS[kind] ?? kind}): ${[state, detail, ...told].filter(Boolean).join(", ")}`;
  });
  return [...lines, ...machineRows(health).map(([name, value]) => `${name}: ${value}`)];
}

/**
 * The words of the turn; of the newest one, those of later ones that were not answered, too.
 * @param {PageState} state
 * @param {TurnTiming | undefined} timed
 * @param {boolean} earlier it is not the newest
 * @returns {string[]}
 */
function said({ captions, conversation }, timed, earlier) {
  const from = timed?.turn ?? 0;
  const of = captions.filter(({ conversation: its, turn }) => its === conversation && (earlier ? turn === from : turn >= from));
  return of.map(({ who, clauses, unheard }) => {
    return `${who === "user" ? "you" : "agent"}: ${clauses.join(" ")}${unheard ? ` [not heard: ${unheard}]` : ""}`;
  });
}

/** @param {number | null} ms */
function known(ms) {
  return ms === null ? "unknown" : `${Math.round(ms)} ms`;
}
