import assert from "node:assert/strict";
import { test } from "node:test";

import { calibrated, Gathering } from "../../src/ultraandchat/web/calibration.js";
import { choices } from "../../src/ultraandchat/web/device_list.js";

/** Levels of somebody who speaks with pauses. @param {number} voice @param {number} room */
const speaking = (voice, room) => Array.from({ length: 200 }, (_, index) => (index % 3 ? voice : room));
/** @param {number} room */
const still = (room) => Array.from({ length: 100 }, (_, index) => room - (index % 5));

test("a clear voice in a quiet room needs nothing", () => {
  const { level, words } = calibrated(speaking(-25, -65), still(-65), -50);
  assert.equal(level, 0);
  assert.equal(words, "Your voice stands well above your room. Nothing needs to be set.");
});

test("a quiet voice in a quiet room gets a lower level, above the room", () => {
  const { level, words } = calibrated(speaking(-52, -72), still(-72), -50);
  assert.ok(level > -72 && level <= -62, String(level));
  assert.match(words, /listen more closely/);
});

test("a television gets a higher level, between it and the voice", () => {
  const { level, words } = calibrated(speaking(-20, -40), still(-40), -50);
  assert.ok(level > -40 && level <= -30, String(level));
  assert.match(words, /as loud as you/);
});

test("a voice that does not stand out, or is not there, changes nothing and says why", () => {
  assert.deepEqual(calibrated(speaking(-35, -40), still(-40), -50).level, 0);
  assert.match(calibrated(speaking(-35, -40), still(-40), -50).words, /hardly stands out/);
  assert.match(calibrated(speaking(-90, -96), still(-96), -50).words, /right microphone/);
  assert.match(calibrated([], [], -50).words, /No sound/);
});

test("a level is one that the server takes", () => {
  for (const voice of [-66, -60, -40, -20, -5]) {
    for (const room of [-96, -80, -60, -40, -30]) {
      for (const usual of [-60, -50, -20]) {
        const { level } = calibrated(speaking(voice, room), still(room), usual);
        assert.ok(level === 0 || (level >= -70 && level <= -20), String(level));
      }
    }
  }
});

test("one speaks for four seconds, is still, and a moment between counts for neither", () => {
  const gathering = new Gathering();
  /** @type {string[]} */
  const steps = [];
  while (gathering.step.does !== "is done") {
    const { does } = gathering.step;
    if (steps.at(-1) !== does) steps.push(does);
    gathering.hear(does === "speaks" ? -20 : -60);
  }
  assert.deepEqual(steps, ["speaks", "is still"]);
  assert.equal(gathering.speech.length, 200);
  assert.ok(gathering.speech.every((level) => level === -20) && gathering.quiet.every((level) => level === -60));
});

/** @param {MediaDeviceKind} kind @param {string} deviceId @param {string} label */
const device = (kind, deviceId, label) => ({ kind, deviceId, label });

test("devices are a choice where there are two of a kind with names", () => {
  const devices = [
    device("audioinput", "default", "Default - Built-in"),
    device("audioinput", "communications", "Communications - Headset"),
    device("audioinput", "a", "Built-in"),
    device("audioinput", "b", "Headset"),
    device("audiooutput", "default", "Default - Built-in"),
    device("audiooutput", "c", "Built-in"),
    device("videoinput", "d", "Camera"),
  ];
  assert.deepEqual(choices(devices, "audioinput"), [
    { id: "a", name: "Built-in" },
    { id: "b", name: "Headset" },
  ]);
  assert.deepEqual(choices(devices, "audiooutput"), []);
  assert.deepEqual(choices([device("audioinput", "", ""), device("audioinput", "", "")], "audioinput"), []); // not lent yet
});
