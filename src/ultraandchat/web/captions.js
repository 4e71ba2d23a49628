/**
 * The words of both sides, turn by turn. Pure: a list of captions goes in, another comes out.
 *
 * @import {AgentCaption, ReplyDone, UserCaption} from "./wire.js"
 */

/** Captions kept; what is older leaves the page. */
export const MOST_CAPTIONS = 200;

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
 */

/**
 * @param {Caption[]} captions
 * @param {number} conversation
 * @param {UserCaption} message
 * @returns {Caption[]}
 */
export function userCaption(captions, conversation, { turn, text, final }) {
  if (!text) return final ? without(captions, conversation, "user", turn) : captions;
  return changed(captions, conversation, "user", turn, () => ({ clauses: [text], partial: !final }));
}

/**
 * @param {Caption[]} captions
 * @param {number} conversation
 * @param {AgentCaption} message
 * @returns {Caption[]}
 */
export function agentCaption(captions, conversation, { turn, clause, text }) {
  return changed(captions, conversation, "agent", turn, (caption) => {
    const clauses = [...caption.clauses];
    clauses[Math.min(clause, clauses.length)] = text;
    return { clauses, partial: true };
  });
}

/**
 * @param {Caption[]} captions
 * @param {number} conversation
 * @param {ReplyDone} message
 * @returns {Caption[]}
 */
export function replyDone(captions, conversation, { turn, heard, unheard }) {
  if (!heard && !unheard) return without(captions, conversation, "agent", turn);
  return changed(captions, conversation, "agent", turn, () => ({
    clauses: heard ? [heard] : [],
    partial: false,
    unheard,
  }));
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
 * @param {number} conversation
 * @param {"user" | "agent"} who
 * @param {number} turn
 * @param {(caption: Caption) => Partial<Caption>} change
 * @returns {Caption[]}
 */
function changed(captions, conversation, who, turn, change) {
  const id = name(conversation, who, turn);
  const next = [...captions];
  let index = next.findIndex((caption) => caption.id === id);
  if (index < 0) {
    index = next.length;
    while (index > 0 && isAfter(next[index - 1], conversation, who, turn)) index -= 1;
    next.splice(index, 0, { id, conversation, who, turn, clauses: [], partial: false, unheard: "" });
  }
  next[index] = { ...next[index], ...change(next[index]) };
  return bounded(next, MOST_CAPTIONS);
}

/**
 * @param {Caption[]} captions
 * @param {number} conversation
 * @param {"user" | "agent"} who
 * @param {number} turn
 */
function without(captions, conversation, who, turn) {
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
