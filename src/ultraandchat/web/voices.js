/**
 * The server's library of voices: what is in it, adding a recording, taking a voice away. Each answer that is no yes
 * is an error with the server's sentence.
 */
import { refusal } from "./access.js";

/** A file of the size that is allowed, over a slow line, and the server's look at it. */
const PATIENCE_MS = 90_000;

/** @typedef {{name: string, seconds: number, fault: string, remark: string}} Clip `fault`: why it can be no voice */

/** @typedef {{voices: string[], files: Clip[], max_bytes: number}} Library `voices`: the names that can be chosen */

/**
 * A voice's name out of a file's.
 * @param {string} file
 */
export function nameOf(file) {
  const stem = file.replace(/\.[^.]*$/, "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return stem.replace(/[^a-z0-9]+/g, "-").slice(0, 40).replace(/^-|-$/g, "");
}

/** @returns {Promise<Library>} */
export function library() {
  return ask("GET", "voices");
}

/**
 * @param {string} name
 * @param {Blob} file
 * @returns {Promise<Clip & {voices: string[]}>}
 */
export function addVoice(name, file) {
  return ask("PUT", `voices/${encodeURIComponent(name)}`, file);
}

/** @param {string} name @returns {Promise<{voices: string[]}>} */
export function removeVoice(name) {
  return ask("DELETE", `voices/${encodeURIComponent(name)}`);
}

/** @param {string} method @param {string} path @param {Blob} [body] */
async function ask(method, path, body) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(new URL(path, document.baseURI), { method, body, cache: "no-store", signal }).catch(() => null);
  if (!answer) throw new Error("The server did not answer.");
  const said = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : null;
  if (answer.ok) return said;
  throw said?.error ? new Error(said.error) : await refusal(answer);
}
