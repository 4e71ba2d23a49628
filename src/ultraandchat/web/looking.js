/**
 * What the details ask the server for: how its engines are, and its log.
 *
 * @import {Health} from "./health.js"
 * @import {ServerLine} from "./server_log.js"
 */
import { COMPONENTS, merged, parsed } from "./server_log.js";

const PATIENCE_MS = 5_000;
/** Of one component. */
const MOST_LINES = 200;

/** @returns {Promise<Health | null>} null: no answer */
export async function health() {
  try {
    const answer = await asked("health");
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** What the server's log said; `why` there is nothing. @typedef {{lines: ServerLine[], why: string}} Looked */

export class ServerLog {
  /** @private What was asked last, and the sizes of the files then. */
  before = "";
  /** @private @type {Looked} */
  last = { lines: [], why: "" };

  /**
   * The newest lines of a component, or of "all"; asked for only when the files have grown.
   * @param {string} component
   * @param {string} session only of this conversation; empty: of all
   * @returns {Promise<Looked>}
   */
  async look(component, session) {
    try {
      const answer = await asked("logs");
      if (answer.status === 401 || answer.status === 403) return nothing("The server shows its log only to whoever has access.");
      if (!answer.ok) return nothing("The server's log cannot be read now.");
      const { files } = /** @type {{files: {file: string, bytes: number}[]}} */ (await answer.json());
      if (files.length === 0) return nothing("This server writes no log files (“logs.directory” is empty).");
      const wanted = COMPONENTS.filter((name) => component === "all" || component === name);
      const sizes = files.filter(({ file }) => wanted.includes(file)).map(({ bytes }) => bytes);
      const now = JSON.stringify([component, session, sizes]);
      if (now === this.before) return this.last;
      const texts = await Promise.all(wanted.map((name) => tail(name, session)));
      this.before = now;
      this.last = { lines: merged(texts.map(parsed)).slice(-MOST_LINES), why: "" };
      return this.last;
    } catch {
      return nothing("The server does not answer.");
    }
  }
}

/** @param {string} component @param {string} session */
async function tail(component, session) {
  const query = new URLSearchParams({ file: component, lines: String(MOST_LINES), ...(session && { session }) });
  const answer = await asked(`logs?${query}`);
  return answer.ok ? answer.text() : "";
}

/** @param {string} why @returns {Looked} */
function nothing(why) {
  return { lines: [], why };
}

/** @param {string} address */
function asked(address) {
  return fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
}
