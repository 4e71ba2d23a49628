"""Sentences known in advance, kept as sound on the server's side: they are spoken also when no model can.

Made once for each voice while nobody speaks, one after another, and let go of at once when somebody does.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence

from ultraandchat.audio.frame import Pcm16
from ultraandchat.engines.base import EngineError, EngineLost, EngineOverloaded
from ultraandchat.engines.chatterbox.speakers import Speaker

log = logging.getLogger("ultraandchat.model")

MOST_VOICES = 8
"""Voices that are prepared and have their sentences made unasked: those used last, then the first."""

MOST_SENTENCES = 16
"""For each voice; more are left out."""

MOST_BYTES = 16 * 2**20
"""Of sound, all voices together: six minutes at 24 kHz. What finds no room is not kept."""

TRIES = 3
"""Of a sentence with which the guard is not content, or that costs the process its life; then it is given up."""

LOOK_S = 2.0
"""Between two looks for what is to be made."""


class Kept:
    """Sound by voice and sentence."""

    def __init__(self) -> None:
        self._sounds: dict[tuple[Speaker, str], Pcm16] = {}

    def get(self, speaker: Speaker, text: str) -> Pcm16 | None:
        """The sentence in this voice, 24 kHz; none where it is not there."""
        return self._sounds.get((speaker, text))

    def put(self, speaker: Speaker, text: str, sound: Pcm16) -> bool:
        """Keep it; false where there is no room."""
        if sum(one.nbytes for one in self._sounds.values()) + sound.nbytes > MOST_BYTES:
            return False
        self._sounds[speaker, text] = sound
        return True

    def only(self, speakers: Collection[Speaker], texts: Collection[str]) -> None:
        """Forget all others."""
        self._sounds = {
            (speaker, text): sound
            for (speaker, text), sound in self._sounds.items()
            if speaker in speakers and text in texts
        }


class Keeping:
    """Prepares voices and makes their sentences while nobody speaks. `run` it beside the engine."""

    def __init__(
        self,
        *,
        make: Callable[[Speaker, str], Awaitable[Pcm16 | None]],
        prepare: Callable[[Speaker], Awaitable[None]],
        life: Callable[[], int | None],
        speakers: Callable[[], Sequence[Speaker]],
    ) -> None:
        """`make` speaks a sentence, and gives none where the guard was not content with it; `prepare` has a
        voice made ready in the worker. `life` is that process's number, none while there is none. `speakers`
        are all voices."""
        self.kept = Kept()
        self._make = make
        self._prepare = prepare
        self._life = life
        self._speakers = speakers
        self._sentences: tuple[str, ...] = ()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._prepared: set[tuple[int, Speaker]] = set()
        self._failures: Counter[tuple[Speaker, str]] = Counter()  # by sentence; "": preparing
        self._speaking = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._work: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def keep(self, sentences: Sequence[str]) -> None:
        """Have these ready from now on, each as it is handed to the model."""
        self._sentences = tuple(dict.fromkeys(sentences))[:MOST_SENTENCES]
        self._changed.set()

    def begin(self, speaker: Speaker) -> None:
        """Somebody wants to be spoken to in this voice, now. Always followed by `end`."""
        self._used[speaker.voice] = None
        self._used.move_to_end(speaker.voice)
        if len(self._used) > MOST_VOICES:
            self._used.popitem(last=False)
        self._speaking += 1
        self._calm.clear()
        if self._work is not None:
            self._work.cancel()

    def end(self) -> None:
        """That was spoken, or given up."""
        self._speaking -= 1
        if self._speaking == 0:
            self._calm.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                await self._round(group)
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """All that is missing now, as far as it comes."""
        speakers = self._first(self._speakers())
        self._forget(speakers)
        for speaker in speakers:
            await self._calmly(group, self._have_prepared, speaker, "")
            for text in self._sentences:
                await self._calmly(group, self._have_made, speaker, text)

    async def _calmly(
        self,
        group: asyncio.TaskGroup,
        work: Callable[[Speaker, str], Awaitable[None]],
        speaker: Speaker,
        text: str,
    ) -> None:
        """Do it when nobody speaks, and let go of it when somebody wants to; a later round has it again."""

        async def task() -> None:
            try:
                await work(speaker, text)
            except EngineOverloaded:
                return
            except EngineLost as error:
                self._failed(speaker, text, 1, error.reason)
            except EngineError as error:
                self._failed(speaker, text, TRIES, error.reason)

        await self._calm.wait()
        if (
            self._life() is None
            or max(self._failures[speaker, ""], self._failures[speaker, text]) >= TRIES
        ):
            return
        self._work = group.create_task(task(), name="chatterbox keeping")
        try:
            await asyncio.wait({self._work})
        finally:
            self._work = None

    async def _have_prepared(self, speaker: Speaker, _: str) -> None:
        life = self._life()
        if life is not None and (life, speaker) not in self._prepared:
            await self._prepare(speaker)
            self._prepared.add((life, speaker))

    async def _have_made(self, speaker: Speaker, text: str) -> None:
        if self.kept.get(speaker, text) is not None:
            return
        sound = await self._make(speaker, text)
        if sound is None:
            self._failed(speaker, text, 1, "the guard is not content")
        elif not self.kept.put(speaker, text, sound):
            self._failed(speaker, text, TRIES, "there is no room")

    def _failed(self, speaker: Speaker, text: str, weight: int, reason: str) -> None:
        self._failures[speaker, text] += weight
        if self._failures[speaker, text] >= TRIES:
            what = "a sentence is not kept" if text else "the voice cannot be prepared"
            log.warning("chatterbox: %s for %s: %s", what, speaker.voice, reason)

    def _first(self, speakers: Sequence[Speaker]) -> list[Speaker]:
        """Those that were used, the last first, then the others in their order."""
        rank = {voice: place for place, voice in enumerate(reversed(self._used))}
        return sorted(speakers, key=lambda speaker: rank.get(speaker.voice, len(rank)))[
            :MOST_VOICES
        ]

    def _forget(self, speakers: Sequence[Speaker]) -> None:
        """What is no longer wanted, and what was learnt of an earlier process."""
        life = self._life()
        self.kept.only(speakers, self._sentences)
        self._prepared = {one for one in self._prepared if one[0] == life and one[1] in speakers}
        for one in [one for one in self._failures if one[0] not in speakers]:
            del self._failures[one]
