"""pocketsphinx in its worker processes; the only file that imports it. `sphinx.py` is the other side.

It holds the interpreter lock while it searches, and costs a third of a core for each speaker, so it
never runs in the server. Two models: captions while the user speaks, and the final words afterwards.

The final pass wants the cepstral mean of the whole utterance, which pocketsphinx computes only for
sound given in one piece, and such a call cannot be interrupted. So the grammar's pass, which takes a
hundredth of the time, gets the sound in one piece and lends its mean; the long pass then takes the sound in
small pieces with that mean set anew before each, or pocketsphinx would let it drift. Measured on the
19 clips of tests/data/speech: word for word what one piece gives, for 2 to 15 % more work (two runs).
"""

from typing import Any

from pocketsphinx import Decoder

from ultraandchat.audio.frame import Pcm16
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.worker_wire import Progress, Stop

DECODERS = 4
"""Speakers whose captions one process can write at once: 95 MB each, a third of a core each."""

FIRST_MEAN = "52.3,-1.8,2.2,8.6,-7.0,-2.2,-5.4,-1.8,-0.9,-1.8,0.3,-1.2,2.0"
"""Cepstral mean with which a conversation's first utterance begins: the average over tests/data/speech
without the noisy jfk.wav. An average of the other speakers' clips left 46 of 221 streamed words wrong,
the model's own beginning (40, 3, -1, 0 …) 74."""


class StreamModel:
    """Captions: each utterance that is being spoken has a decoder of its own, kept warm for the next."""

    def __init__(self) -> None:
        self._free = [_language_decoder()]
        self._at_work: dict[int, Any] = {}

    def begin(self, stop: Stop, stream: int, mean: str) -> None:
        """A new utterance of `stream`; `mean` is what its last one ended with, or empty."""
        self.drop(stop, stream)
        if not self._free:
            if len(self._at_work) >= DECODERS:
                raise EngineError("sphinx", "more people speak at once than it can follow")
            self._free.append(_language_decoder())
        decoder = self._free.pop()
        decoder.start_utt()
        decoder.set_cmn(mean or FIRST_MEAN)
        self._at_work[stream] = decoder

    def feed(self, stop: Stop, stream: int, pcm: Pcm16) -> str:
        """The words so far."""
        decoder = self._decoder(stream)
        decoder.process_raw(pcm.tobytes())
        return _words(decoder)

    def finish(self, stop: Stop, stream: int) -> tuple[str, str]:
        """The words, and the mean to begin the next utterance with."""
        decoder = self._decoder(stream)
        decoder.end_utt()
        self._free.append(self._at_work.pop(stream))
        return _words(decoder), decoder.get_cmn(False)

    def drop(self, stop: Stop, stream: int) -> None:
        """Forget what `stream` is saying, if it says anything."""
        if stream in self._at_work:
            decoder = self._at_work.pop(stream)
            decoder.end_utt()
            self._free.append(decoder)

    def _decoder(self, stream: int) -> Any:
        if stream not in self._at_work:
            raise EngineError("sphinx", "it lost the beginning of this utterance")
        return self._at_work[stream]


class FinalModel:
    """The final words: the grammar's at once, and a second pass with the language model in pieces."""

    def __init__(self, jsgf: str) -> None:
        self._grammar = Decoder(lm=None, loglevel="ERROR")
        self._grammar.add_jsgf_string("skills", jsgf)
        self._grammar.activate_search("skills")
        # lw=5: 0.25 words wrong on readings instead of 0.26, and 0.12 on commands instead of 0.23.
        self._language = _language_decoder(lw=5.0)
        self._mean = ""
        self._open = False

    def grammar(self, stop: Stop, pcm: Pcm16) -> tuple[str, float, str]:
        """Words, score (0…1) and the utterance's mean. The words may be an unfinished phrase."""
        decoder = self._grammar
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        mean = decoder.get_cmn(False)
        decoder.end_utt()
        found = decoder.hyp()
        return ("", 0.0, mean) if found is None else (found.hypstr, found.score, mean)

    def begin(self, stop: Stop, mean: str) -> None:
        """A second pass; one that was left half-way is forgotten."""
        if self._open:
            self._language.end_utt()
        self._language.start_utt()
        self._mean = mean
        self._open = True

    def feed(self, stop: Stop, pcm: Pcm16) -> None:
        if not self._open:
            raise EngineError("sphinx", "it lost the beginning of this utterance")
        self._language.set_cmn(self._mean)
        self._language.process_raw(pcm.tobytes())

    def finish(self, stop: Stop) -> str:
        if not self._open:
            raise EngineError("sphinx", "it lost the beginning of this utterance")
        self._open = False
        self._language.end_utt()
        return _words(self._language)


def open_stream_model(progress: Progress) -> StreamModel:
    return StreamModel()


def open_final_model(progress: Progress, jsgf: str) -> FinalModel:
    return FinalModel(jsgf)


def _language_decoder(**settings: Any) -> Any:
    # Without the flat second search: 0.30 words wrong instead of 0.32, and the end takes a quarter.
    return Decoder(fwdflat=False, loglevel="ERROR", **settings)


def _words(decoder: Any) -> str:
    found = decoder.hyp()
    return "" if found is None else str(found.hypstr)
