/**
 * What was said, as a file: plain text, Markdown or WebVTT, with times. Pure. A time is when the words came to this
 * page, counted from the beginning of their conversation; in WebVTT, which knows one beginning, from the first one's.
 *
 * @import {Caption} from "./captions.js"
 */

/** @typedef {"txt" | "md" | "vtt"} Format the file's ending */

/**
 * @typedef {Object} Talk
 * @property {Caption[]} captions oldest first
 * @property {number[]} begun when each conversation began, in ms since the page was opened
 * @property {(ms: number) => string} date of such a time, in words
 */

export const TYPES = /** @type {Record<Format, string>} */ ({
  txt: "text/plain;charset=utf-8",
  md: "text/markdown;charset=utf-8",
  vtt: "text/vtt;charset=utf-8",
});

const NAMES = { user: "you", agent: "agent" };
/** Of a cue whose end nobody told. */
const LEAST_CUE_MS = 1_000;

/**
 * The whole file.
 * @param {Format} format
 * @param {Talk} talk
 */
export function transcript(format, talk) {
  if (format === "vtt") return vtt(talk);
  const { captions, begun, date } = talk;
  const markdown = format === "md";
  /** @type {string[]} */
  const blocks = [];
  let conversation = 0;
  for (const caption of captions) {
    if (caption.conversation !== conversation) {
      conversation = caption.conversation;
      const title = `Conversation of ${date(begun[conversation - 1] ?? 0)}`;
      blocks.push(markdown ? `# ${escaped(title)}` : title);
    }
    const time = clock(caption.span.from - (begun[conversation - 1] ?? 0));
    blocks.push(markdown ? inMarkdown(caption, time) : inText(caption, time));
  }
  return `${blocks.join("\n\n")}\n`;
}

/** @param {Caption} caption @param {string} time */
function inText({ who, clauses, unheard }, time) {
  const rest = unheard && `[not heard: ${line(unheard)}]`;
  return [`${time} ${NAMES[who]}:`, line(clauses.join(" ")), rest].filter(Boolean).join(" ");
}

/** @param {Caption} caption @param {string} time */
function inMarkdown({ who, clauses, unheard }, time) {
  const rest = unheard && `~~${escaped(line(unheard))}~~`;
  return [`**${NAMES[who]}** (${time}):`, escaped(line(clauses.join(" "))), rest].filter(Boolean).join(" ");
}

/** @param {Talk} talk */
function vtt({ captions, begun }) {
  const first = begun[(captions[0]?.conversation ?? 1) - 1] ?? 0;
  const all = captions.flatMap(cues).sort((one, other) => one.from - other.from);
  const blocks = all.map(({ who, from, until, text }) => {
    const times = `${clock(from - first, true)} --> ${clock(until - first, true)}`;
    return `${times}\n<v ${NAMES[who]}>${marked(line(text))}`;
  });
  return `${["WEBVTT", ...blocks].join("\n\n")}\n`;
}

/**
 * What was heard of one turn: the agent's clause by clause, as far as it was heard.
 * @param {Caption} caption
 */
function cues({ who, clauses, span: { from, until, told } }) {
  const text = clauses.join(" ").trim();
  const parts = clausesHeard(text, told.length > 0 ? told : [{ at: from, text }]);
  return parts.map((part, index) => {
    const next = parts[index + 1]?.at ?? until ?? 0;
    return { who, from: part.at, until: next > part.at ? next : part.at + LEAST_CUE_MS, text: part.text };
  });
}

/**
 * @param {string} heard
 * @param {{at: number, text: string}[]} told
 */
function clausesHeard(heard, told) {
  /** @type {{at: number, text: string}[]} */
  const parts = [];
  let rest = heard;
  told.forEach(({ at, text }, index) => {
    const whole = index < told.length - 1 && rest.startsWith(text);
    const part = whole ? text : rest;
    if (part) parts.push({ at, text: part });
    rest = rest.slice(part.length).trimStart();
  });
  return parts;
}

/** @param {number} ms @param {boolean} [exact] as WebVTT wants it */
function clock(ms, exact = false) {
  const whole = Math.max(0, Math.round(exact ? ms : Math.floor(ms / 1000) * 1000));
  const two = (/** @type {number} */ number) => String(Math.floor(number)).padStart(2, "0");
  const hours = whole / 3_600_000;
  const rest = `${two((whole / 60_000) % 60)}:${two((whole / 1000) % 60)}`;
  if (exact) return `${two(hours)}:${rest}.${String(whole % 1000).padStart(3, "0")}`;
  return hours >= 1 ? `${Math.floor(hours)}:${rest}` : rest;
}

/** On one line: an empty one would end a cue or a paragraph. @param {string} text */
function line(text) {
  return text.replace(/\s+/g, " ").trim();
}

/** What Markdown would take for its own. @param {string} text */
function escaped(text) {
  return text.replace(/[\\`*_[\]<|~&]/g, "\\$&");
}

/** What WebVTT would take for its own. @param {string} text */
function marked(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
