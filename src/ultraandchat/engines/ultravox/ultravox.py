"""Ultravox in its worker process: answers, made step by step on what earlier requests left computed."""

import secrets
import time
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import torch

from ultraandchat.engines.base import EngineError
from ultraandchat.engines.decoding.sampling import Sampler, Taste
from ultraandchat.engines.device_faults import stepwise
from ultraandchat.engines.ultravox.account import Account
from ultraandchat.engines.ultravox.decode import Decoder
from ultraandchat.engines.ultravox.hearing import Hearing
from ultraandchat.engines.ultravox.prompt import (
    Prompt,
    Sizes,
    to_answer,
    to_prepare,
    to_transcribe,
)
from ultraandchat.engines.ultravox.request import Request, Sound
from ultraandchat.engines.ultravox.slots import Element, Rank, Slot, Slots
from ultraandchat.engines.ultravox.spelling import Spelling, end_tokens
from ultraandchat.engines.ultravox.template import Template
from ultraandchat.engines.worker_wire import STEP, Progress, Stop

Steps: TypeAlias = Generator[Any, None, None]
"""Yields text, `STEP`, and dicts."""

STRETCH = 512
"""Tokens prefilled in one step, a fifth of a second's work for 8 billion weights at 40 TFLOP/s: so long
others wait, and so late a cancellation is noticed."""

WAIT_S = 0.005
"""Between two looks for a place."""


class Ultravox:
    """The model of the worker. Its generators may be stepped in turns, by one thread."""

    def __init__(self, loaded: Any, *, window: int, slots: int, graph: bool, progress: Progress):
        self._loaded = loaded
        self._window = window
        self._template = Template(loaded.tokenizer)
        self._ends = end_tokens(loaded.tokenizer, loaded.config)
        self._hearing = Hearing(loaded)
        self._decoder = Decoder(loaded.language, window, fixed=graph)
        self._slots = Slots(self._decoder.new_cache() for _ in range(slots))
        self._decoder.warm(self._slots.caches, progress)

    def respond(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        """The answer to the last turn: text as it is made, then its usage."""
        return self._guarded(self._respond(stop, Request.read(asked)))

    def prepare(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        """Makes ready what is known before the next turn; yields its usage only."""
        return self._guarded(self._prepare(stop, Request.read(asked)))

    def transcribe(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        """The words of the last turn, as `respond` gives its answer."""
        return self._guarded(self._transcribe(stop, Request.read(asked)))

    def _guarded(self, steps: Steps) -> Steps:
        return stepwise("ultravox", steps, self._make_room)

    def _make_room(self) -> None:
        self._hearing.forget()
        if self._decoder.device.type == "cuda":
            torch.cuda.empty_cache()

    def _respond(self, stop: Stop, request: Request) -> Steps:
        taste = Taste(request.temperature, request.top_p, request.repetition_penalty)
        yield from self._work(stop, request, to_answer, Rank.REPLY, taste)

    def _prepare(self, stop: Stop, request: Request) -> Steps:
        yield from self._work(stop, request, to_prepare, Rank.PREPARATION, None)

    def _transcribe(self, stop: Stop, request: Request) -> Steps:
        while not self._slots.may_take(Rank.TRANSCRIPT):
            if stop():
                return
            # Only when no reply wants a step is this one asked for, and then there is nothing to do but
            # to wait until one ends.
            time.sleep(WAIT_S)
            yield STEP
        yield from self._work(stop, request, to_transcribe, Rank.TRANSCRIPT, Taste())

    def _work(
        self,
        stop: Stop,
        request: Request,
        make: Callable[[Template, Request, Sizes], Prompt],
        rank: Rank,
        taste: Taste | None,
    ) -> Steps:
        """One request from the first step to the last. Without `taste` nothing is written."""
        sounds = request.sounds
        sizes = self._hearing.sizes(sounds)
        if unknown := [digest for digest in sounds if digest not in sizes]:
            yield {"missing": unknown}
            return
        prompt = make(self._template, request, Sizes(self._window, sizes))
        hold = self._slots.take(prompt.elements, prompt.opening, set(sounds), rank)
        slot, finished = hold.slot, False

        def over() -> bool:
            return stop() or hold.lost

        try:
            if taste is not None and len(slot.elements) == len(prompt.elements):
                slot.crop(len(prompt.elements) - 1)  # somebody must tell what comes next
            account = Account(
                prompt_tokens=len(prompt.elements),
                reused_tokens=len(slot.elements),
                audio_tokens=sum(isinstance(element, tuple) for element in prompt.elements),
            )
            wanted = [sounds[digest] for digest in _heard_in(prompt, len(slot.elements))]
            heard = self._hearing.held(wanted)
            if missing := [s.digest for s in wanted if s.digest not in heard and s.pcm is None]:
                yield {"missing": missing}
                return
            yield from self._hear(over, wanted, heard, account)
            logits = yield from self._prefill(over, slot, prompt, heard, account)
            if taste is not None and logits is not None:
                sampler = self._sampler(request, taste, prompt)
                yield from self._write(over, slot, prompt.room, logits, sampler, account)
            finished = not over()
            if finished:
                yield account.item()
            elif hold.lost and rank is Rank.TRANSCRIPT:
                raise EngineError("ultravox", "its place was needed for a reply")
        finally:
            if not (finished or hold.lost) and prompt.turns <= 1:
                # A first turn taken back, mostly a guess at a pause: nobody will go on from it.
                slot.crop(prompt.opening)
            self._slots.release(hold)

    def _hear(
        self, stop: Stop, wanted: list[Sound], heard: dict[str, Any], account: Account
    ) -> Steps:
        """Embeds what is not yet among `heard`."""
        for sound in wanted:
            if stop():
                return
            if sound.digest not in heard:
                with account.encoding():
                    heard[sound.digest] = self._hearing.hear(sound)
                yield STEP

    def _prefill(
        self, stop: Stop, slot: Slot, prompt: Prompt, heard: dict[str, Any], account: Account
    ) -> Generator[Any, None, torch.Tensor | None]:
        """Computes what the slot lacks of the prompt; the logits after it, none where there is nothing to do."""
        logits = None
        while len(slot.elements) < len(prompt.elements) and not stop():
            begin = len(slot.elements)
            stretch = prompt.elements[begin : begin + STRETCH]
            with account.prefilling():
                embedded = self._embedded(stretch, heard)
                logits = self._decoder.prefill(slot.cache, begin, embedded)
            slot.elements += stretch
            if len(slot.elements) < len(prompt.elements):
                yield STEP
        return logits

    def _write(
        self,
        stop: Stop,
        slot: Slot,
        room: int,
        logits: torch.Tensor,
        sampler: Sampler,
        account: Account,
    ) -> Steps:
        """The reply, one token a step."""
        spelling = Spelling(self._loaded.tokenizer)
        account.finished = "length"
        with account.prefilling():
            chosen = sampler.choose(logits)
            token = int(chosen)
        while not stop():
            if token < 0:
                slot.crop(0)
                slot.cache.clear()  # a number that is none would spoil whatever comes here next
                raise EngineError("ultravox", "the model computed something that is no number")
            if token in self._ends:
                account.finished = "stop"
                break
            account.new_tokens += 1
            more = account.new_tokens < room
            if more:
                # Only queued on the device: it works on this while what is yielded goes its way.
                chosen = sampler.choose(self._decoder.step(slot.cache, len(slot.elements), chosen))
                slot.elements.append(token)
            yield spelling.add(token) or STEP
            if not more:
                break
            token = int(chosen)  # the one time per token that the host waits for the device
        if not stop() and (rest := spelling.finish()):
            yield rest

    def _sampler(self, request: Request, taste: Taste, prompt: Prompt) -> Sampler:
        seed = secrets.randbits(63) if request.seed is None else request.seed
        sampler = Sampler(taste, self._decoder.vocabulary, self._decoder.device, seed)
        sampler.saw([element for element in prompt.elements if isinstance(element, int)])
        return sampler

    @torch.inference_mode()
    def _embedded(self, stretch: list[Element], heard: dict[str, Any]) -> torch.Tensor:
        """(tokens, hidden): tokens from the language model's own table, sound from its projector."""
        embedded = self._decoder.embed([e if isinstance(e, int) else 0 for e in stretch])
        at = 0
        while at < len(stretch):
            end, element = at + 1, stretch[at]
            if isinstance(element, tuple):
                digest, first = element
                while end < len(stretch) and stretch[end] == (digest, first + end - at):
                    end += 1
                embedded[at:end] = heard[digest][first : first + end - at]
            at = end
        return embedded


def _heard_in(prompt: Prompt, begin: int) -> list[str]:
    """The digests of the sound in a prompt from `begin` on, each once, in order."""
    return list(dict.fromkeys(e[0] for e in prompt.elements[begin:] if isinstance(e, tuple)))
