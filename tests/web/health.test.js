import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, engineGist, engineTable, machineRows } from "../../src/ultraandchat/web/health.js";

/** @param {Partial<import("../../src/ultraandchat/web/health.js").EngineHealth>} facts */
const engine = (facts) => ({
  kind: "speech", name: "flite", state: "ready", detail: "", load_s: 0.671, rss_bytes: 32_378_880, gpu_bytes: null,
  restarts: 0, failures: 0, remedy: "", verdicts: {}, ...facts,
});
const gpu = { available: false, device_name: null, memory_total: null, memory_used: null, utilisation: null, trouble: null };

test("columns in which nobody has a number are left out", () => {
  const skills = engine({ name: "skills", load_s: null, rss_bytes: null });
  const { columns, rows } = engineTable({ status: "healthy", gpu, engines: [engine({}), skills] });
  assert.deepEqual(columns, ["Load", "Memory", "Restarts"]);
  assert.deepEqual(rows[0].cells, { Load: "671\u00a0ms", Memory: "32\u00a0MB", GPU: "", Restarts: "0" });
  assert.deepEqual(rows[1].cells, { Load: "", Memory: "", GPU: "", Restarts: "" });
});

test("a voice on a GPU tells its memory there, its restarts, and what its guard noticed", () => {
  const voice = engine({
    name: "chatterbox", load_s: 12.6, rss_bytes: 2_100_000_000, gpu_bytes: 3_400_000_000, restarts: 1, failures: 2,
    verdicts: { "cut: repeats": 3, "again: silence": 1 },
  });
  const card = { ...gpu, available: true, device_name: "H100", memory_total: 80e9, memory_used: 31e9, utilisation: 0.124 };
  const health = { status: "healthy", gpu: card, engines: [voice], version: "0.1.0", uptime_s: 4000, conversations: 2 };
  const { columns, rows } = engineTable(health);
  assert.deepEqual(columns, ["Load", "Memory", "GPU", "Restarts"]);
  assert.deepEqual(rows[0].cells, { Load: "13\u00a0s", Memory: "2.1\u00a0GB", GPU: "3.4\u00a0GB", Restarts: "1 (2 faults)" });
  assert.deepEqual(machineRows(health), [
    ["Guard", "cut: repeats 3, again: silence 1"],
    ["GPU in all", "H100, 31.0\u00a0GB of 80.0\u00a0GB, 12\u00a0% busy"],
    ["Server", "0.1.0, healthy, up 67\u00a0min"],
    ["Conversations", "2"],
  ]);
});

test("a GPU that does not answer says so", () => {
  const card = { ...gpu, device_name: "H100", trouble: "the GPU's driver does not answer" };
  assert.deepEqual(machineRows({ status: "degraded", gpu: card }), [["GPU in all", "H100, the GPU's driver does not answer"]]);
});

test("without access, or without an answer, there are no numbers", () => {
  assert.deepEqual(engineTable({ status: "healthy", gpu }), { columns: [], rows: [] });
  assert.deepEqual(machineRows(null), []);
  assert.deepEqual(machineRows(null, true), [["Server", "does not answer"]]);
  assert.deepEqual(machineRows({ status: "healthy", gpu, version: "0.1.0" }, true), [["Server", "0.1.0, does not answer"]]);
});

test("the fold says who is not ready", () => {
  assert.equal(engineGist([]), "");
  assert.equal(engineGist([engine({})]), "all ready");
  assert.equal(engineGist([engine({}), engine({ name: "sphinx", state: "restarting" })]), "sphinx restarting");
});

test("bytes are read easily", () => {
  assert.equal(bytes(null), "");
  assert.equal(bytes(126_750_720), "127\u00a0MB");
  assert.equal(bytes(3_400_000_000), "3.4\u00a0GB");
});
