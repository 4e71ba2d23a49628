/**
 * Between tabs of this page in one browser: a conversation that went on in another tab is handed back when
 * somebody asks for it. Only its owner knows the token that is still good.
 *
 * @typedef {{session: string, token: string, heard: number | null, resumeS: number}} Handed
 */

const CHANNEL = "ultraandchat";
/** Another tab answers within a few ms, one in the background within a second. */
const ANSWER_MS = 1_500;

/**
 * Hand over whatever `owned` gives for the session that another tab asks for.
 * @param {(session: string) => Handed | null} owned
 */
export function answerTabs(owned) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    const handed = typeof data?.wanted === "string" ? owned(data.wanted) : null;
    if (handed) channel.postMessage({ handed });
  };
}

/**
 * @param {string} session
 * @returns {Promise<Handed | null>} null: no tab of this browser has it
 */
export function askTabs(session) {
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((/** @type {(handed: Handed | null) => void} */ take) => {
    setTimeout(() => take(null), ANSWER_MS);
    channel.onmessage = ({ data }) => {
      if (data?.handed?.session === session) take(data.handed);
    };
    channel.postMessage({ wanted: session });
  }).finally(() => channel.close());
}
