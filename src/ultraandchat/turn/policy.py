"""The numbers of turn-taking, each with its unit and its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """When speech is believed, when a turn is over, and when an overlap takes the floor.

    Times of speech and silence are media time, counted in 32 ms windows: a value that is no
    multiple of 32 takes effect at the next one.
    """

    gate_dbfs: float = -50.0
    """Windows quieter than this (RMS, dBFS) are not speech. Fixed: an adaptive gate missed half of noisy speech."""
    gate_agreement: float = 0.5
    """Share of a window's 10 ms sub-frames that the WebRTC detector must call speech before speech may start."""
    speech_threshold: float = 0.5
    """Silero probability that opens speech; its authors' default."""
    silence_threshold: float = 0.35
    """And the lower one that closes it: their hysteresis of 0.15."""
    start_ms: int = 96
    """Voiced this long before speech is believed: three windows, so that a click is none."""
    pause_ms: int = 192
    """Silence after which a reply may be prepared: six windows; shorter ones are inside words too often."""
    endpoint_ms: int = 600
    """Silence after which the turn is over, until a judge of sentences exists."""
    barge_in_ms: int = 250
    """Overlap this long takes the floor."""
    overlap_pass_ms: int = 200
    """Silence after which an overlap was only a backchannel."""
    preroll_ms: int = 300
    """Kept from before speech was believed: weak onsets are found up to 260 ms late."""
    cooldown_ms: int = 0
    """After a reply, the least time before a new turn may start."""
    shortest_utterance_s: float = 1.0
    """Shorter speech ("yes" is 0.4 s) is padded with silence to this, never thrown away."""
    longest_utterance_s: float = 30.0
    """Ultravox hears at most 30 s at once (Whisper's window). A longer turn is closed and the next goes on."""
    reply_timeout_s: float = 8.0
    """A reply that is not audible after this long has failed."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work together."""
        if not 0 < self.start_ms <= self.barge_in_ms:
            raise ValueError("turn.start_ms must be above 0 and at most turn.barge_in_ms")
        if not 0 < self.pause_ms <= self.endpoint_ms:
            raise ValueError("turn.pause_ms must be above 0 and at most turn.endpoint_ms")
        if self.endpoint_ms > 10_000:  # all that time the utterance is kept, and nobody closes it
            raise ValueError("turn.endpoint_ms must be at most 10000")
        if not -120 <= self.gate_dbfs <= -10:
            raise ValueError(
                "turn.gate_dbfs must be -120…-10: no voice is louder than that for long"
            )
        if not 0 <= self.gate_agreement <= 1:
            raise ValueError("turn.gate_agreement must be 0…1")
        if not 0 < self.silence_threshold <= self.speech_threshold <= 1:
            raise ValueError(
                "turn.silence_threshold must be above 0 and at most turn.speech_threshold"
            )
        if not 1 <= self.longest_utterance_s <= 120:
            raise ValueError("turn.longest_utterance_s must be between 1 and 120")
        if not 0 <= self.shortest_utterance_s <= self.longest_utterance_s:
            raise ValueError("turn.shortest_utterance_s must be at most turn.longest_utterance_s")
        if min(self.preroll_ms, self.cooldown_ms) < 0:
            raise ValueError("turn.preroll_ms and turn.cooldown_ms must not be negative")
        if self.overlap_pass_ms <= 0:  # or an overlap would pass in the window that began it
            raise ValueError("turn.overlap_pass_ms must be above 0")
        if self.preroll_ms > 3000:
            raise ValueError("turn.preroll_ms must be at most 3000: the ring holds 4 s")
        if self.reply_timeout_s <= 0:
            raise ValueError("turn.reply_timeout_s must be above 0")
