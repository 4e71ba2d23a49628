/** What the browser knows of its network, and of its own sleep. */

/**
 * @param {(other: boolean) => void} changed the network is another one; else: ask whether all is well
 */
export function watchNetwork(changed) {
  window.addEventListener("online", () => changed(true));
  window.addEventListener("offline", () => changed(false));
  window.addEventListener("pageshow", ({ persisted }) => persisted && changed(false));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && changed(false));
  watchKind(/** @type {any} */ (navigator).connection, changed);
}

/**
 * From Wi-Fi to mobile and back, where the browser tells (Chromium on phones). Its `change` comes for each
 * new estimate of the speed, too, which says nothing here.
 * @param {(EventTarget & {type?: string}) | undefined} connection
 * @param {(other: boolean) => void} changed
 */
function watchKind(connection, changed) {
  let kind = connection?.type;
  connection?.addEventListener("change", () => {
    if (connection.type === kind) return;
    kind = connection.type;
    changed(true);
  });
}
