/** The level of a voice that comes over WebRTC, measured beside the element that plays it. */
import { keepRunning } from "./running.js";

/**
 * @param {MediaStream} voice that an audio element plays too: without one Chromium keeps it silent here
 * @param {(dbfs: number) => void} tell 20 times a second while something is heard
 * @returns {() => void} to be called once it is over
 */
export function meter(voice, tell) {
  const context = new AudioContext(); // at the device's own rate: Firefox measures at no other
  let over = false;
  measure(context, voice, (dbfs) => over || tell(dbfs)).catch((error) => {
    if (!over) throw error;
  });
  return () => {
    over = true;
    void context.close();
  };
}

/** @param {AudioContext} context @param {MediaStream} voice @param {(dbfs: number) => void} tell */
async function measure(context, voice, tell) {
  await context.audioWorklet.addModule(new URL("worklet/meter.js", import.meta.url));
  const node = new AudioWorkletNode(context, "meter", { channelCount: 1, channelCountMode: "explicit" });
  node.port.onmessage = ({ data }) => tell(data);
  // It gives out silence; being connected is what makes every browser run it.
  context.createMediaStreamSource(voice).connect(node).connect(context.destination);
  keepRunning(context);
  await context.resume();
}
