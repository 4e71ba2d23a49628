/**
 * Builds the page: one state, the views that show it, and the conversation that changes it.
 *
 * @import {Config} from "./config.js"
 * @import {PageChange, PageState} from "./state.js"
 */
import { refusal, takeToken } from "./access.js";
import { asked } from "./connection/choice.js";
import { Conversation } from "./conversation.js";
import { earcon, Earcons } from "./earcons.js";
import { holdToTalk } from "./hold.js";
import { isLent } from "./microphone.js";
import { watchNetwork } from "./network.js";
import { Preferring } from "./preferring.js";
import { IDLE, INITIAL, stateWord, update } from "./state.js";
import { accessView, shown } from "./view/access.js";
import { awakeView } from "./view/awake.js";
import { captionsView } from "./view/captions.js";
import { chosenTransport, pathView } from "./view/connection.js";
import { detailsView } from "./view/details.js";
import { find } from "./view/find.js";
import { loadingView } from "./view/loading.js";
import { mendsView } from "./view/mends.js";
import { Presence } from "./view/presence.js";
import { saveView } from "./view/save.js";
import { settingsView } from "./view/settings.js";
import { sideView } from "./view/side.js";
import { talkView } from "./view/talk.js";
import { loadedVersion, versionView } from "./view/version.js";
import { voicesView } from "./view/voices.js";

/** How often the server is asked what is there, until it is ready. */
const POLL_MS = 1_000;

/** Louder than this the agent is heard. */
const AUDIBLE_DBFS = -60;

const presence = new Presence();
const preferring = new Preferring(localStorage);
const earcons = new Earcons(
  () => preferring.now.earcons,
  () => preferring.now.speaker,
);
const conversation = new Conversation({
  tell,
  level(who, dbfs) {
    presence.hear(who, dbfs);
    if (who === "user") settings.hear(dbfs);
    if (who === "agent" && dbfs > AUDIBLE_DBFS) earcons.yield();
  },
  wishes: () => ({ transport: asked(location.search, chosenTransport()), settings: state.config?.webrtc ?? null }),
  rungs: () => state.config?.rungs,
  preferences: () => preferring.now,
});
const settings = settingsView(preferring, conversation);
const choose = (/** @type {string} */ voice) => preferring.choose({ voice });
const views = [
  accessView({ tell, opened: () => void ask() }),
  loadingView(),
  awakeView(conversation),
  versionView(),
  mendsView(),
  talkView(conversation),
  captionsView(),
  pathView(),
  detailsView(choose),
  voicesView({ tell, choose }),
  saveView(),
  sideView((tell) => conversation.test(tell)),
  settings.view,
  showState,
];

/** @type {PageState} */
let state = { ...INITIAL, page: loadedVersion() };

preferring.follow((now, before) => {
  conversation.prefer(now, before);
  if (now.voice !== before.voice) tell({ type: "chosen_voice", voice: now.voice });
});

/** @param {PageChange} event */
function tell(event) {
  const before = state;
  state = update(state, event, performance.now());
  for (const view of views) view(state);
  const sound = earcon(before, state);
  if (sound) earcons.play(sound);
  const over = !IDLE.includes(before.phase) && IDLE.includes(state.phase);
  if (over || event.type === "welcome") void ask(); // what is there may have changed meanwhile
}

/** @param {PageState} state */
function showState(state) {
  const word = stateWord(state);
  document.documentElement.dataset.state = word;
  document.documentElement.dataset.phase = state.phase;
  presence.show(word);
}

/** Ask the server what is there, and whether this page may know. */
async function ask() {
  try {
    const signal = AbortSignal.timeout(5 * POLL_MS);
    const answer = await fetch("config.json", { cache: "no-store", signal });
    if (answer.ok) known(await answer.json());
    else if (answer.status >= 500) tell({ type: "unreachable" });
    else if (state.phase !== "locked") {
      const { message } = await refusal(answer);
      tell({ type: answer.status === 403 ? "barred" : "locked", text: message });
    }
  } catch {
    tell({ type: "unreachable" });
  }
}

let prepared = false;
let arrived = false;

/** This page is let in. @param {Config} config */
function known(config) {
  tell({ type: "config", config });
  if (!prepared) conversation.prepare();
  prepared = true;
  if (arrived || state.phase !== "ready") return;
  arrived = true;
  void conversation.arrive();
}

/** Open with the token in the address, if there is one. */
async function open() {
  const token = takeToken();
  if (token && (await shown(token, tell))) await ask();
}

/** Ask until all of it is ready; again whenever no conversation goes on. */
async function poll() {
  if (IDLE.includes(state.phase)) await ask();
  setTimeout(poll, state.phase === "loading" ? POLL_MS : 10 * POLL_MS);
}

const hold = {
  active: () => state.phase === "talking" && state.microphone === "on",
  press: () => conversation.press(),
  release: () => conversation.letGo(),
};
holdToTalk(hold, find("presence", SVGSVGElement));
watchNetwork((other) => conversation.suspect(other));
window.addEventListener("pagehide", () => conversation.leave());
tell({ type: "chosen_voice", voice: preferring.now.voice });
if (!isLent()) tell({ type: "microphone", microphone: "insecure" });
window.addEventListener("hashchange", open);
await open();
await poll();
