/**
 * Builds the page: one state, the views that show it, and the conversation that changes it.
 *
 * @import {PageChange, PageState} from "./state.js"
 */
import { asked } from "./connection/choice.js";
import { Conversation } from "./conversation.js";
import { holdToTalk } from "./hold.js";
import { isLent } from "./microphone.js";
import { INITIAL, stateWord, update } from "./state.js";
import { captionsView } from "./view/captions.js";
import { chosenTransport, connectionView } from "./view/connection.js";
import { detailsView } from "./view/details.js";
import { latencyView } from "./view/latency.js";
import { logView } from "./view/log.js";
import { Presence } from "./view/presence.js";
import { talkView } from "./view/talk.js";

/** How often the server is asked what is there, until it is ready. */
const POLL_MS = 1_000;

const presence = new Presence();
const conversation = new Conversation({
  tell,
  level: (who, dbfs) => presence.hear(who, dbfs),
  wishes: () => ({ transport: asked(location.search, chosenTransport()), settings: state.config?.webrtc ?? null }),
});
const views = [
  talkView(conversation),
  captionsView(),
  latencyView(),
  connectionView(),
  detailsView((voice) => conversation.choose(voice)),
  logView(),
  showState,
];

/** @type {PageState} */
let state = INITIAL;

/** @param {PageChange} event */
function tell(event) {
  state = update(state, event, performance.now());
  for (const view of views) view(state);
}

/** @param {PageState} state */
function showState(state) {
  const word = stateWord(state);
  document.documentElement.dataset.state = word;
  document.documentElement.dataset.phase = state.phase;
  presence.show(word);
}

/** Ask what is there until all of it is ready; again whenever no conversation goes on. */
async function poll() {
  if (state.phase === "loading" || state.phase === "ready") {
    try {
      const signal = AbortSignal.timeout(5 * POLL_MS);
      const answer = await fetch("config.json", { cache: "no-store", signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      tell({ type: "config", config: await answer.json() });
    } catch {
      tell({ type: "unreachable" });
    }
  }
  setTimeout(poll, state.phase === "loading" ? POLL_MS : 10 * POLL_MS);
}

holdToTalk({
  active: () => state.phase === "talking" && state.microphone === "on",
  press: () => conversation.press(),
  release: () => conversation.letGo(),
});
window.addEventListener("pagehide", () => conversation.end());
if (!isLent()) tell({ type: "microphone", microphone: "insecure" });
await poll();
