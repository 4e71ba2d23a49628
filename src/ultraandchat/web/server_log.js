/**
 * Lines of the server's log files, and which of them are shown. Pure.
 * Their form is `2026-01-31T12:00:00.000Z info server session=ab12 turn=3 message key=value` (server/logs.py).
 */

/** The components of the server, each with a file of its own. */
export const COMPONENTS = ["server", "turn", "model", "audio", "webrtc"];

/**
 * @typedef {Object} ServerLine
 * @property {string} stamp as it stands there; sorts by time
 * @property {string} level
 * @property {string} component
 * @property {number | null} turn
 * @property {string} text the rest of the line, with the trace that follows it
 */

const RECORD = /^(\d{4}-\d\d-\d\dT\S+) (\w+) +(\w+) (.*)$/;
const MARK = /^session=\S+ turn=(\d+) /;

/**
 * The lines of a file; a trace belongs to the line before it.
 * @param {string} text
 * @returns {ServerLine[]}
 */
export function parsed(text) {
  /** @type {ServerLine[]} */
  const lines = [];
  for (const line of text.split("\n")) {
    const record = RECORD.exec(line);
    if (record) {
      const [, stamp, level, component, rest] = record;
      const mark = MARK.exec(rest);
      lines.push({ stamp, level, component, turn: mark ? Number(mark[1]) : null, text: rest.replace(MARK, "") });
    } else if (line.trim() && lines.length > 0) {
      lines[lines.length - 1].text += `\n${line}`;
    }
  }
  return lines;
}

/** Lines of several files in the order of time. @param {ServerLine[][]} files */
export function merged(files) {
  return files.flat().sort((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : 0));
}

/** One line of any log as it is shown. @typedef {{at: string, from: string, text: string, level: string}} Shown */

/** @param {ServerLine} line @returns {Shown} */
export function shownLine({ stamp, level, component, turn, text }) {
  const said = [level === "info" ? "" : level, turn === null ? "" : `turn ${turn}`].filter(Boolean);
  const at = stamp.slice(11, 19); // the time of day, UTC as the file has it
  return { at, from: component, text: said.length > 0 ? `${said.join(", ")}: ${text}` : text, level };
}

/** @param {import("./state.js").LogLine} line @returns {Shown} */
export function ownLine({ at, text }) {
  return { at: `${(at / 1000).toFixed(1)} s`, from: "page", text, level: "info" };
}

/**
 * Those that have all the words, wherever they stand.
 * @param {Shown[]} lines
 * @param {string} filter
 */
export function matching(lines, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter(({ at, from, text }) => {
    const whole = `${at} ${from} ${text}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/**
 * How many lines left at the front while others came at the end; those between stay as they are, selection and all.
 * @param {string[]} before
 * @param {string[]} now
 * @returns {number} all of them where the two have nothing in common
 */
export function gone(before, now) {
  const stays = (/** @type {number} */ from) => before.slice(from).every((text, index) => text === now[index]);
  for (let from = before.indexOf(now[0]); from >= 0; from = before.indexOf(now[0], from + 1)) {
    if (stays(from)) return from;
  }
  return before.length;
}

/** As text to be copied. @param {Shown[]} lines */
export function copied(lines) {
  return lines.map(({ at, from, text }) => `${at} ${from} ${text}\n`).join("");
}
