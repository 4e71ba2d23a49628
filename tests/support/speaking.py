"""A person at the page who speaks when the test says so.

A wav as Chromium's microphone begins when the page opens it, which on a busy machine may be seconds before anybody
listens. This microphone is of the page's own making: a quiet room (−76 dBFS), and what is said
into it is heard from then on.
"""

import base64
import io
import wave

import numpy as np
from playwright.sync_api import Page

RATE = 16_000

MICROPHONE = """
  const lend = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    await lend(wanted); // to whom a microphone is lent Chromium tells more of the network
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    window.hear = async (wav) => {
      const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
      const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes.buffer) });
      source.connect(out);
      window.spoken = new Promise((over) => { source.onended = over; });
      source.start();
    };
    const hush = new AudioBuffer({ length: context.sampleRate, sampleRate: context.sampleRate });
    const room = hush.getChannelData(0);
    for (let at = 0, dice = 1; at < room.length; at++) {
      dice = (dice * 48271) % 2147483647;
      room[at] = (dice / 2147483647 - 0.5) / 2000;
    }
    const quiet = new AudioBufferSourceNode(context, { buffer: hush, loop: true });
    quiet.connect(out);
    quiet.start();
    return out.stream;
  };
"""


def listening(page: Page) -> None:
    """To be done before the page is opened."""
    page.add_init_script(f"(() => {{ {MICROPHONE} }})()")


def speak(page: Page, sound: np.ndarray) -> None:
    """Say this (16 kHz) from now on; does not wait for its end. Wants a page that has its microphone."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(sound.astype(np.int16).tobytes())
    page.evaluate("(wav) => window.hear(wav)", base64.b64encode(file.getvalue()).decode())


def spoken(page: Page) -> None:
    """Waits until all that was to be said is."""
    page.evaluate("() => window.spoken")
