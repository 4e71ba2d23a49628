/**
 * What `/health` says, as the rows of the details. Pure. Without access it says less; what is not told has no row.
 *
 * @import {EngineInfo} from "./wire.js"
 */

/**
 * @typedef {EngineInfo & {
 *   load_s: number | null, rss_bytes: number | null, gpu_bytes: number | null, restarts: number,
 *   failures: number, remedy: string, verdicts: Record<string, number>,
 * }} EngineHealth
 */

/**
 * @typedef {Object} Health
 * @property {string} status
 * @property {EngineHealth[]} [engines]
 * @property {number} [conversations]
 * @property {number} [uptime_s]
 * @property {string} [version]
 * @property {{available: boolean, device_name: string | null, memory_total: number | null, memory_used: number | null,
 *   utilisation: number | null, trouble: string | null}} gpu
 */

/** One engine's numbers. @typedef {{name: string, cells: Record<string, string>}} EngineRow */

export const COLUMNS = ["Load", "Memory", "GPU", "Restarts"];

/**
 * The numbers of each engine; columns in which nobody has a number are left out.
 * @param {Health | null} health
 * @returns {{columns: string[], rows: EngineRow[]}}
 */
export function engineTable(health) {
  const rows = (health?.engines ?? []).map(({ name, load_s, rss_bytes, gpu_bytes, restarts, failures }) => ({
    name,
    cells: /** @type {Record<string, string>} */ ({
      Load: load_s === null ? "" : seconds(load_s),
      Memory: bytes(rss_bytes),
      GPU: bytes(gpu_bytes),
      Restarts: rss_bytes === null && restarts === 0 ? "" : `${restarts}${failures ? ` (${failures} faults)` : ""}`,
    }),
  }));
  return { columns: COLUMNS.filter((column) => rows.some(({ cells }) => cells[column])), rows };
}

/**
 * The server and its machine.
 * @param {Health | null} health
 * @param {boolean} [silent] it does not answer now
 * @returns {[string, string][]}
 */
export function machineRows(health, silent = false) {
  if (!health) return silent ? [["Server", "does not answer"]] : [];
  const { gpu, engines = [], version, uptime_s, conversations, status } = health;
  /** @type {[string, string][]} */
  const rows = [];
  const verdicts = engines.flatMap((engine) => Object.entries(engine.verdicts ?? {}));
  if (verdicts.length > 0) rows.push(["Guard", verdicts.map(([why, times]) => `${why} ${times}`).join(", ")]);
  if (gpu.device_name) rows.push(["GPU in all", [gpu.device_name, gpu.trouble ?? use(gpu)].filter(Boolean).join(", ")]);
  if (version) rows.push(["Server", silent ? `${version}, does not answer` : `${version}, ${status}, up ${lasting(uptime_s ?? 0)}`]);
  if (conversations !== undefined) rows.push(["Conversations", String(conversations)]);
  return rows;
}

/** How the engines are, in a word or two. @param {EngineInfo[]} engines */
export function engineGist(engines) {
  if (engines.length === 0) return "";
  const apart = engines.filter(({ state }) => state !== "ready");
  return apart.length === 0 ? "all ready" : apart.map(({ name, state }) => `${name} ${state}`).join(", ");
}

/** @param {Health["gpu"]} gpu */
function use({ memory_used, memory_total, utilisation }) {
  const memory = memory_used === null || memory_total === null ? "" : `${bytes(memory_used)} of ${bytes(memory_total)}`;
  return [memory, utilisation === null ? "" : `${Math.round(100 * utilisation)}\u00a0% busy`].filter(Boolean).join(", ");
}

/** @param {number | null} count */
export function bytes(count) {
  if (count === null) return "";
  return count < 1e9 ? `${Math.round(count / 1e6)}\u00a0MB` : `${(count / 1e9).toFixed(1)}\u00a0GB`;
}

/** @param {number} count */
function seconds(count) {
  return count < 1 ? `${Math.round(1000 * count)}\u00a0ms` : `${count.toFixed(count < 10 ? 1 : 0)}\u00a0s`;
}

/** @param {number} count seconds */
function lasting(count) {
  if (count < 90) return `${Math.round(count)}\u00a0s`;
  if (count < 5400) return `${Math.round(count / 60)}\u00a0min`;
  return `${Math.round(count / 3600)}\u00a0h`;
}
