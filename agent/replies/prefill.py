"""While the caller speaks, the language model already reads what they say, so that less is left to read at the end."""

import asyncio
import logging
from collections.abc import Callable

from agent.replies.prefill_policy import PrefillPolicy
from models.errors import CallboxError
from serving.chat import ChatRequest
from serving.engine import LlmEngine

logger = logging.getLogger("callbox.call")


class Prefill:
    """Of one call. Belongs to its event loop."""

    def __init__(self, engine: LlmEngine, request: Callable[[str], ChatRequest]) -> None:
        """`request` gives the prompt of the call so far, with these words as what the caller is saying."""
        self._engine = engine
        self._request = request
        self._policy = PrefillPolicy()
        self._finals: list[str] = []
        self._computing: asyncio.Task[None] | None = None

    def caller_speaks(self, settled: str = "") -> None:
        """The caller is speaking; `settled` are the words of this utterance that will not change any more."""
        if not self._engine.reads_ahead or (self._computing is not None and not self._computing.done()):
            return
        words = " ".join([*self._finals, settled]).strip()
        if self._policy.heard(len(words.split())):
            self._computing = asyncio.create_task(self._compute(words))

    def heard(self, utterance: str) -> None:
        """An utterance of the turn is final; more may follow."""
        self._finals.append(utterance)

    def turn_over(self) -> None:
        """The turn is being answered: what is still computed for it is in the way."""
        self._finals.clear()
        self._policy.turn_over()
        self.close()

    def close(self) -> None:
        """Nothing more is computed."""
        if self._computing is not None:
            self._computing.cancel()

    async def _compute(self, words: str) -> None:
        try:
            await self._engine.prefill(self._request(words))
        except CallboxError as error:  # the reply itself will meet it, and say so
            logger.debug("a prompt could not be computed ahead: %s", type(error).__name__)
