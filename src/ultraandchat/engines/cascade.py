"""A language model for words made to stand where one for speech does, and skills before a model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import Prompt, ReplyPart, TextLanguageModel
from ultraandchat.engines.skills.responder import Skills


class Cascade:
    """A `SpeechLanguageModel`: waits for the turn's words, and has them answered."""

    def __init__(self, text_model: TextLanguageModel) -> None:
        self._text_model = text_model

    async def respond(
        self, prompt: Prompt, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """As the text model answers. Raises `EngineError` where the words cannot be had."""
        transcript = await prompt.words()
        async with aclosing(self._text_model.answer(transcript.text, conversation)) as answer:
            async for part in answer:
                yield part

    async def prepare(self, conversation: Conversation) -> None:
        """Nothing: what is answered are words, and there are none yet."""


class SkillsThenChat:
    """A `TextLanguageModel`: skills answer what a model cannot know or do, the model all else."""

    def __init__(self, skills: Skills, chat: TextLanguageModel) -> None:
        self._skills = skills
        self._chat = chat

    async def answer(
        self, words: str, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """As whoever is asked answers; nothing heard is for the skills to say."""
        model = self._skills if not words.strip() or self._skills.knows(words) else self._chat
        async with aclosing(model.answer(words, conversation)) as answer:
            async for part in answer:
                yield part
