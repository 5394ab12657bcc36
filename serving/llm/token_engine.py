"""A language model engine over anything that takes a prompt's tokens and streams a reply's.

What generates, the core, lives on one event loop of its own; calls stay on theirs.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import CancelledError, wait
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from serving import metrics
from serving.bridge import Channel, LoopThread
from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority
from serving.errors import EngineDied, EngineError, EngineLoadFailed, ToolCallMalformed
from serving.llm.admission import Admission, until_done
from serving.llm.reply import Reply, ReplyStream, reply_error
from serving.llm.vocabulary import Vocabulary

logger = logging.getLogger("callbox.llm")

LOAD_TIMEOUT_S = 1800.0
"""Enough for 16 GB from a slow disk, then compiling and capturing graphs."""
CHECK_TIMEOUT_S = 30.0
STALL_S = 20.0
CLOSE_TIMEOUT_S = 10.0
PROBE = ChatRequest(messages=(ChatMessage("system", "Answer."), ChatMessage("user", "hello")), max_tokens=1)
WARM_UP = ChatRequest(messages=(ChatMessage("system", "Answer. " * 200), ChatMessage("user", "hello")), max_tokens=8)


@dataclass(frozen=True, slots=True)
class Bunch:
    """The next tokens of a reply."""

    token_ids: Sequence[int]
    cached_tokens: int | None = None
    """How many of the prompt's tokens were cached, once known."""


class Core(Protocol):
    """What generates. Used only on the loop that made it."""

    def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        """The reply to a prompt of these tokens. Closing the generator, or cancelling it, stops the computation."""
        ...

    async def aclose(self) -> None:
        """Free everything. Replies still being generated end with an error."""
        ...


@dataclass(frozen=True, slots=True)
class _Model:
    """A loaded model. `core` and `admission` belong to the loop of `thread`."""

    core: Core
    thread: LoopThread
    vocabulary: Vocabulary
    admission: Admission
    stall_s: float


class TokenLlm:
    """Replies from one shared core. `open` may be called on any event loop."""

    name: str

    def __init__(
        self,
        model_dir: Path,
        *,
        context_tokens: int,
        places: int,
        speculative_prefill: bool,
        stall_s: float = STALL_S,
    ) -> None:
        """`model_dir` has the model's tokenizer.json and its config; `places`: how many requests are worked on at the same
        time; `stall_s`: a core that gives a request no token for this long is considered dead."""
        self._model_dir = Path(model_dir)
        self._context_tokens = context_tokens
        self._places = places
        self._speculative_prefill = speculative_prefill
        self._stall_s = stall_s
        self._model: _Model | None = None

    async def _start(self, vocabulary: Vocabulary) -> Core:
        """Start the core; it is ready on return. Raises EngineLoadFailed."""
        raise NotImplementedError

    def load(self) -> None:
        """Start the core. Raises EngineLoadFailed with what to do about it."""
        vocabulary = Vocabulary.from_directory(self._model_dir, context_tokens=self._context_tokens)
        thread = LoopThread(self.name)
        try:
            core = thread.submit(self._start(vocabulary)).result(timeout=LOAD_TIMEOUT_S)
        except BaseException:
            thread.close()
            raise
        self._model = _Model(core, thread, vocabulary, Admission(self._places), self._stall_s)

    def warm_up(self) -> None:
        """Run a long prompt with sampling and without. Raises EngineLoadFailed."""
        try:
            for temperature in (0.0, 1.0):
                self._generate_now(replace(WARM_UP, temperature=temperature), timeout_s=LOAD_TIMEOUT_S)
        except EngineError as error:
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} loads but does not run: {error}"
            ) from error

    def check(self) -> None:
        """Generate one token. Raises EngineDied if that fails or takes longer than 30 s."""
        self._generate_now(PROBE, timeout_s=CHECK_TIMEOUT_S)

    def close(self) -> None:
        """Abort what is being generated and stop the core. Safe to call twice."""
        model, self._model = self._model, None
        if model is None:
            return
        thread = model.thread
        try:
            thread.submit(model.core.aclose()).result(timeout=CLOSE_TIMEOUT_S)
        except (TimeoutError, CancelledError, RuntimeError, OSError) as error:
            logger.warning("the language model did not stop cleanly: %s", type(error).__name__)
        thread.close()
        del model
        gc.collect()  # reference cycles: the destructor of vLLM's AsyncLLM would fail at interpreter exit

    def open(self, request: ChatRequest) -> ReplyStream:
        """Start a reply on the running event loop.

        Raises PromptTooLong if prompt and reply cannot fit, EngineError if the template refuses the conversation,
        EngineDied if no model is loaded.
        """
        model = self._loaded()
        ids = model.vocabulary.prompt(request).ids
        channel: Channel[ChatEvent] = Channel()
        return ReplyStream(channel, model.thread.submit(_reply(model, request, ids, channel.put)))

    async def warm_prefix(self, request: ChatRequest) -> None:
        """Put the system message and tools of `request` into the prefix cache; if the template does not let them be separated,
        the whole prompt."""
        prompt = self._loaded().vocabulary.prompt(request)
        await self._compute(replace(request, priority=Priority.BACKGROUND), list(prompt.static.ids) or prompt.ids)

    @property
    def reads_ahead(self) -> bool:
        """Whether prefill is on."""
        return self._speculative_prefill

    async def prefill(self, request: ChatRequest) -> None:
        """Put the conversation into the prefix cache, up to the last whole block. Cancelling it aborts it in the core."""
        if not self._speculative_prefill:
            return
        request = replace(request, max_tokens=1, priority=Priority.SPECULATIVE)
        await self._compute(request, self._loaded().vocabulary.prompt(request).ids)
        metrics.LLM_PREFILLS.inc()

    async def _compute(self, request: ChatRequest, ids: list[int]) -> None:
        """Run a prompt only to have it in the prefix cache. Raises EngineError."""
        model = self._loaded()
        once = replace(request, max_tokens=1, temperature=0.0)
        future = model.thread.submit(_run(model, once, ids, lambda bunch: False))
        try:
            await asyncio.wrap_future(future)
        except Exception as error:
            raise reply_error(future) or error from error

    def _generate_now(self, request: ChatRequest, *, timeout_s: float) -> None:
        """Generate, and wait. Blocks. Raises EngineDied."""
        model = self._loaded()
        ids = model.vocabulary.prompt(request).ids
        future = model.thread.submit(_reply(model, request, ids, lambda event: None))
        if not wait([future], timeout=timeout_s).done:
            future.cancel()
            raise EngineDied(f"The language model gave no token in {timeout_s:.0f} s.")
        error = reply_error(future)
        # The first tokens of a tool call are no error.
        if error is not None and not isinstance(error, ToolCallMalformed):
            raise error

    def _loaded(self) -> _Model:
        if self._model is None:
            raise EngineDied("The language model is not loaded. The engine host loads it; wait until it is ready.")
        return self._model


async def _reply(model: _Model, request: ChatRequest, ids: list[int], emit: Callable[[ChatEvent], None]) -> None:
    """One reply, on the core's loop. Cancelling it aborts the request in the core."""
    reply = Reply(model.vocabulary.reader(), len(ids), emit)
    await _run(model, request, ids, lambda bunch: reply.push(bunch.token_ids, bunch.cached_tokens))
    reply.finish()


async def _run(model: _Model, request: ChatRequest, ids: list[int], take: Callable[[Bunch], bool]) -> None:
    """Run a request until it is complete or `take` returns True. A reply that may be thrown away is run for its `tokens_ahead`;
    the rest is a second request, once a caller is waiting for it."""
    confirmed, ahead = request.confirmed, request.tokens_ahead
    if confirmed is None or ahead is None or ahead >= request.max_tokens:
        await _generate(model, request, ids, take)
        return
    given: list[int] = []

    def take_ahead(bunch: Bunch) -> bool:
        given.extend(bunch.token_ids)
        return take(bunch)

    has_enough = await _generate(model, replace(request, max_tokens=ahead), ids, take_ahead)
    if has_enough or len(given) < ahead or given[-1] in model.vocabulary.stop_ids:
        return
    await until_done(confirmed)
    rest = replace(request, max_tokens=request.max_tokens - len(given), priority=Priority.CONFIRMED, confirmed=None)
    await _generate(model, rest, ids + given, lambda bunch: take(Bunch(bunch.token_ids)))


async def _generate(model: _Model, request: ChatRequest, ids: list[int], take: Callable[[Bunch], bool]) -> bool:
    """Run one request on the core; returns whether `take` ended it before it was complete."""
    loop = asyncio.get_running_loop()
    async with model.admission.place(request.priority, request.confirmed) as priority:
        generating = model.core.generate(replace(request, priority=priority), ids)
        try:
            async with aclosing(generating) as bunches, asyncio.timeout(model.stall_s) as deadline:
                async for bunch in bunches:
                    if take(bunch):
                        return True
                    deadline.reschedule(loop.time() + model.stall_s)
        except TimeoutError:
            raise EngineDied(
                f"The language model gave no token in {model.stall_s:.0f} s. It has to be reloaded."
            ) from None
    return False
