/**
 * The words of both sides, turn by turn. Pure: a list of captions goes in, another comes out.
 *
 * @import {AgentCaption, ReplyDone, UserCaption} from "./wire.js"
 */

/** Captions kept, for whoever saves them; the page shows the newest of them. */
export const MOST_CAPTIONS = 2_000;

/**
 * When something was said, in ms since the page was opened, as its captions came.
 * @typedef {Object} Span
 * @property {number} from
 * @property {number | null} until null: not over
 * @property {{at: number, text: string}[]} told the agent's clauses as they began to be heard
 */

/** @typedef {ReadonlyMap<string, Span>} Spans by the caption's id */

/** @type {Spans} */
export const NO_SPANS = new Map();

/**
 * One side's words of one turn.
 * @typedef {Object} Caption
 * @property {string} id unique on the page
 * @property {number} conversation turns count anew in each
 * @property {"user" | "agent"} who
 * @property {number} turn
 * @property {string[]} clauses of the agent; the user has one
 * @property {boolean} partial may still change
 * @property {string} unheard the rest of a cut reply
 * @property {Span} span
 */

/**
 * Where and when a message came.
 * @typedef {Object} Moment
 * @property {number} conversation
 * @property {number} [at] ms since the page was opened
 * @property {Spans} [spans] of captions that are told a second time
 */

/**
 * @param {Caption[]} captions
 * @param {Moment} moment
 * @param {UserCaption} message
 * @returns {Caption[]}
 */
export function userCaption(captions, moment, { turn, text, final }) {
  if (!text) return final ? without(captions, moment, "user", turn) : captions;
  return changed(captions, moment, "user", turn, ({ span }) => ({
    clauses: [text],
    partial: !final,
    span: final ? ended(span, moment) : span,
  }));
}

/**
 * @param {Caption[]} captions
 * @param {Moment} moment
 * @param {AgentCaption} message
 * @returns {Caption[]}
 */
export function agentCaption(captions, moment, { turn, clause, text }) {
  return changed(captions, moment, "agent", turn, ({ clauses, span }) => {
    const index = Math.min(clause, clauses.length);
    const told = span.told[index] ? span.told : [...span.told, { at: moment.at ?? 0, text }];
    return { clauses: [...clauses.slice(0, index), text, ...clauses.slice(index + 1)], partial: true, span: { ...span, told } };
  });
}

/**
 * @param {Caption[]} captions
 * @param {Moment} moment
 * @param {ReplyDone} message
 * @returns {Caption[]}
 */
export function replyDone(captions, moment, { turn, heard, unheard }) {
  if (!heard && !unheard) return without(captions, moment, "agent", turn);
  return changed(captions, moment, "agent", turn, ({ span }) => ({
    clauses: heard ? [heard] : [],
    partial: false,
    unheard,
    span: ended(span, moment),
  }));
}

/** @param {Span} span @param {Moment} moment @returns {Span} */
function ended(span, { at = 0 }) {
  return { ...span, until: span.until ?? at };
}

/**
 * @template T
 * @param {T[]} list
 * @param {number} most the newest are kept
 */
export function bounded(list, most) {
  return list.length > most ? list.slice(-most) : list;
}

/**
 * Change one caption, or put a new one where it belongs: by turn, and the user's before the agent's.
 * @param {Caption[]} captions
 * @param {Moment} moment
 * @param {"user" | "agent"} who
 * @param {number} turn
 * @param {(caption: Caption) => Partial<Caption>} change
 * @returns {Caption[]}
 */
function changed(captions, { conversation, at = 0, spans = NO_SPANS }, who, turn, change) {
  const id = name(conversation, who, turn);
  const next = [...captions];
  let index = next.findIndex((caption) => caption.id === id);
  if (index < 0) {
    index = next.length;
    while (index > 0 && isAfter(next[index - 1], conversation, who, turn)) index -= 1;
    const span = spans.get(id) ?? { from: at, until: null, told: [] };
    next.splice(index, 0, { id, conversation, who, turn, clauses: [], partial: false, unheard: "", span });
  }
  next[index] = { ...next[index], ...change(next[index]) };
  return bounded(next, MOST_CAPTIONS);
}

/**
 * @param {Caption[]} captions
 * @param {Moment} moment
 * @param {"user" | "agent"} who
 * @param {number} turn
 */
function without(captions, { conversation }, who, turn) {
  const id = name(conversation, who, turn);
  return captions.filter((caption) => caption.id !== id);
}

/**
 * @param {number} conversation
 * @param {"user" | "agent"} who
 * @param {number} turn
 */
function name(conversation, who, turn) {
  return `${conversation}/${turn}/${who}`;
}

/**
 * Whether a caption stands after the one that is asked for.
 * @param {Caption} caption
 * @param {number} conversation
 * @param {"user" | "agent"} who
 * @param {number} turn
 */
function isAfter(caption, conversation, who, turn) {
  if (caption.conversation !== conversation) return false;
  return caption.turn > turn || (caption.turn === turn && who === "user" && caption.who === "agent");
}
