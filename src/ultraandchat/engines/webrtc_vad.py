"""WebRTC's voice activity, the quick detector: it calls many noises speech, so it only has a veto.

It looks at 10 ms at a time and turn-taking at 32 ms: the 2 ms left over are kept and begin the
next window's first sub-frame, so its sound is one unbroken stream and every fifth window has four
sub-frames instead of three.
"""

import webrtcvad

from ultraandchat.audio.frame import HEARING_RATE, Samples, to_pcm16

MODE = 2
"""0 (finds most) … 3 (sure of most). 3 starts on noise as often as 2 and misses more speech."""

SUBFRAME_BYTES = 2 * HEARING_RATE // 100
"""10 ms of 16-bit sound."""


class WebRtcVad:
    """The model; it costs nothing to open."""

    def open(self) -> "WebRtcVadStream":
        return WebRtcVadStream()


class WebRtcVadStream:
    """One conversation's detector."""

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(MODE)
        self._rest = b""

    def probability(self, window: Samples) -> float:
        """The share of the 10 ms sub-frames ending in these 512 samples that it calls speech."""
        sound = self._rest + to_pcm16(window).tobytes()
        whole = len(sound) // SUBFRAME_BYTES
        voiced = 0
        for start in range(0, whole * SUBFRAME_BYTES, SUBFRAME_BYTES):
            voiced += self._detector.is_speech(sound[start : start + SUBFRAME_BYTES], HEARING_RATE)
        self._rest = sound[whole * SUBFRAME_BYTES :]
        return voiced / whole

    def reset(self) -> None:
        self._detector = webrtcvad.Vad(MODE)
        self._rest = b""
