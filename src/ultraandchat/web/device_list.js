/**
 * Which microphones and speakers there are to choose from. `choices` is pure.
 */

/** @typedef {Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">} Device */

/** Names of Chromium for others of the list: what the system uses, and uses for calls. */
const ALIASES = ["default", "communications"];

/**
 * Devices of one kind with a name each; fewer than two are no choice. Browsers name none before the microphone was lent.
 * @param {readonly Device[]} devices
 * @param {MediaDeviceKind} kind
 * @returns {{id: string, name: string}[]}
 */
export function choices(devices, kind) {
  const real = devices.filter((device) => device.kind === kind && device.label && device.deviceId && !ALIASES.includes(device.deviceId));
  return real.length < 2 ? [] : real.map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** The page can say where sound comes out. */
export function canChooseSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** @returns {Promise<readonly Device[]>} */
export async function listed() {
  return (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
}

/** @param {() => void} changed something was plugged in or out */
export function watchDevices(changed) {
  navigator.mediaDevices?.addEventListener?.("devicechange", changed);
}
