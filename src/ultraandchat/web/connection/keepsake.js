/**
 * What a tab keeps of its conversation, so that it goes on after a reload: who it is (the token), what was
 * heard, and how the page stood. In `sessionStorage`, which a tab has for itself; the words that were
 * said are not in it, the server has them.
 */

const KEY = "conversation";

/**
 * @typedef {Object} Keepsake
 * @property {string} session names the conversation
 * @property {string} token good for one use
 * @property {number} resumeS the server waits so long
 * @property {number | null} heard position at 48 kHz
 * @property {boolean} microphone one was in use
 * @property {boolean} muted
 * @property {number} at when it was kept last, by `Date.now()`
 */

/** @param {Storage} [storage] */
export function kept(storage = globalThis.sessionStorage) {
  return fresh(storage?.getItem(KEY) ?? null, Date.now());
}

/** @param {Omit<Keepsake, "at">} keepsake @param {Storage} [storage] */
export function keep(keepsake, storage = globalThis.sessionStorage) {
  storage?.setItem(KEY, JSON.stringify({ ...keepsake, at: Date.now() }));
}

/** @param {Storage} [storage] */
export function forget(storage = globalThis.sessionStorage) {
  storage?.removeItem(KEY);
}

/**
 * Text that was kept, if the server may still wait. Pure.
 * @param {string | null} text
 * @param {number} now as `Keepsake.at`
 * @returns {Keepsake | null}
 */
export function fresh(text, now) {
  /** @type {Partial<Keepsake> | null} */
  let read;
  try {
    read = JSON.parse(text ?? "null");
  } catch {
    return null;
  }
  if (typeof read?.token !== "string" || !read.token) return null;
  if (typeof read.at !== "number" || typeof read.resumeS !== "number") return null;
  if (now - read.at >= 1000 * read.resumeS || now < read.at) return null;
  return {
    session: String(read.session ?? ""),
    token: read.token,
    resumeS: read.resumeS,
    heard: typeof read.heard === "number" ? read.heard : null,
    microphone: read.microphone === true,
    muted: read.muted === true,
    at: read.at,
  };
}
