"""Prefill while the caller speaks: the language model reads their words early, so that less is left at the end of the turn."""

import asyncio
import logging
from collections.abc import Callable

from agent.call.events import CallEnded, CallerStartedSpeaking, CallerTranscript, Payload, TurnOver
from agent.call.stream import EventStream
from agent.replies.prefill_policy import PrefillPolicy
from models.errors import CallboxError
from serving.chat import ChatRequest
from serving.engine import LlmEngine
from serving.speech import TranscriptStage

logger = logging.getLogger("callbox.call")


class Prefill:
    """One call's prefill. Reacts to the call's events."""

    def __init__(self, engine: LlmEngine, events: EventStream, request: Callable[[str], ChatRequest]) -> None:
        """`request` builds the call's prompt so far, with the given words as what the caller is saying."""
        self._engine = engine
        self._request = request
        self._policy = PrefillPolicy()
        self._finals: list[str] = []
        """The turn's completed utterances."""
        self._computing: asyncio.Task[None] | None = None
        events.react(self._react)

    def _react(self, payload: Payload) -> None:
        match payload:
            case CallerStartedSpeaking():
                self._compute_if_worth_it("")
            case CallerTranscript(TranscriptStage.INTERIM, said, settled_words):
                self._compute_if_worth_it(" ".join(word.text for word in said.words[:settled_words]))
            case CallerTranscript(TranscriptStage.FINAL, said):
                self._finals.append(said.text)
            case TurnOver():  # prefill still running would delay the answer
                self._finals.clear()
                self._policy.turn_over()
                self._stop()
            case CallEnded():
                self._stop()

    def _compute_if_worth_it(self, settled: str) -> None:
        """`settled`: the words of this utterance that no longer change."""
        if not self._engine.reads_ahead or (self._computing is not None and not self._computing.done()):
            return
        words = " ".join([*self._finals, settled]).strip()
        if self._policy.words_settled(len(words.split())):
            self._computing = asyncio.create_task(self._compute(words))

    def _stop(self) -> None:
        if self._computing is not None:
            self._computing.cancel()

    async def _compute(self, words: str) -> None:
        try:
            await self._engine.prefill(self._request(words))
        except CallboxError as error:  # the reply will hit the same error and report it
            logger.debug("prefill failed: %s", type(error).__name__)
