/**
 * Access to the server: the token that stands in the address to open, shown once for a cookie, and a ticket
 * for each WebSocket. The token stays nowhere in this page.
 */

const NEEDED = "This server asks for its token. It stands at the end of the address that the server printed when it started.";
const WRONG = "That is not this server's token, or it is of an earlier start.";

/** A server that has not answered by then is taken for one that is not there. */
const PATIENCE_MS = 10_000;

/** There is no access; the message says in a sentence what would give it. */
export class AccessNeeded extends Error {}

/**
 * The token in the fragment of an address, "#token=…"; browsers send that part to nobody.
 * @param {string} hash
 * @returns {string} empty: there is none
 */
export function tokenIn(hash) {
  const found = /[#&]token=([^&]*)/.exec(hash)?.[1] ?? "";
  try {
    return decodeURIComponent(found).trim();
  } catch {
    return found; // a stray % of a token that was typed
  }
}

/** The token this page was opened with, taken out of the address bar and of the tab's history. */
export function takeToken() {
  const token = tokenIn(location.hash);
  if (token) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

/**
 * Show the token, for a cookie that opens the rest.
 * @param {string} token
 */
export async function openWithToken(token) {
  const answer = await post("access", JSON.stringify({ token }));
  if (!answer.ok) throw await refusal(answer, WRONG);
}

/**
 * Where the WebSocket is, with a ticket where one is needed: good for one connection within 30 s. Of a server that
 * does not answer it is the address alone, and trying to connect tells how things stand.
 * @returns {Promise<URL>}
 */
export async function socketAddress() {
  const address = new URL("ws", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  const answer = await post("ticket").catch(() => null);
  if (!answer || answer.status >= 500) return address;
  if (!answer.ok) throw await refusal(answer, NEEDED);
  const { ticket } = await answer.json();
  if (ticket) address.searchParams.set("ticket", ticket);
  return address;
}

/**
 * Why the server did not answer what it was asked for.
 * @param {Response} answer of status 400 and above
 * @param {string} [unknown] what to say where it does not know us
 */
export async function refusal(answer, unknown = NEEDED) {
  if (answer.status === 401) return new AccessNeeded(unknown);
  if (answer.status === 429) {
    return new AccessNeeded(`Too many wrong tokens came from here. Try again in ${answer.headers.get("Retry-After")} s.`);
  }
  const text = (await answer.text()).trim();
  return new AccessNeeded(`The server refuses this page: ${text || `status ${answer.status}`}.`);
}

/** @param {string} path @param {string} [body] */
function post(path, body) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch(new URL(path, document.baseURI), { method: "POST", cache: "no-store", body, signal });
}
