/**
 * Ways back to a microphone that the browser does not give: how each browser takes a refusal back, and which commands
 * make a page secure. Pure.
 */

/** A thing to run, what to do with it, and the address that it opens. @typedef {{what: string, command: string, then: string, url: string}} Mend */

/** The first that fits; Edge, Opera and others say that they are Chrome, and ask as it does. @type {[RegExp, string][]} */
const WAYS = [
  [/CriOS|FxiOS|EdgiOS/, "Open the iPhone's Settings, then Apps and this browser, allow the microphone, and try again."],
  [/iPhone|iPad/, "Tap the page menu left of the address, then Website Settings, allow the microphone, and try again."],
  [/Android.*Firefox/, "Tap the lock left of the address, then the blocked microphone, and try again."],
  [/Firefox/, "Click the crossed-out microphone left of the address, remove the block, and try again."],
  [/Android/, "Tap the icon left of the address, then Permissions, allow the microphone, and try again."],
  [/Chrome|Chromium/, "Click the icon left of the address, allow the microphone, and try again."],
  [/Safari/, "In the Safari menu choose Settings for This Website, allow the microphone, and try again."],
];

const ANY = "Allow the microphone in the browser's settings for this page, and try again.";

/** How this browser takes a refusal back. @param {string} agent */
export function wayBack(agent) {
  return WAYS.find(([browser]) => browser.test(agent))?.[1] ?? ANY;
}

/**
 * What makes this page secure, for whoever runs the server.
 * @param {{agent: string, origin: string}} browser
 * @returns {Mend[]}
 */
export function mends({ agent, origin }) {
  const { hostname, host, port } = new URL(origin);
  const local = port || "7860";
  const here = {
    what: "To talk, run on this computer",
    command: `ssh -L ${local}:localhost:${port || "80"} ${hostname.replace(/[[\]]/g, "")}`,
    then: "and open",
    url: `http://localhost:${local}/`,
  };
  const there = {
    what: "Or start the server with",
    command: "ultraandchat serve --tls self-signed",
    then: "and open",
    url: `https://${host}/`,
  };
  const telephone = /Android|iPhone|iPad|Mobile/.test(agent);
  return telephone ? [{ ...there, what: "To talk, start the server with" }] : [here, there];
}
