"""A Llama on CTranslate2: streamed replies, tool calls, a cache of the static prefix, abort within one token."""

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from serving.bridge import Channel
from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority
from serving.errors import EngineDied, EngineError, EngineLoadFailed, ToolCallMalformed
from serving.gpu.libraries import prepare_ctranslate2
from serving.llm.generation import Generation, Model
from serving.llm.lanes import Lanes
from serving.llm.prefix_cache import PrefixCache
from serving.llm.reply import ReplyStream
from serving.llm.vocabulary import Vocabulary

logger = logging.getLogger("callbox.llm")

CHECK_TIMEOUT_S = 30.0
PROBE = ChatRequest(messages=(ChatMessage("system", "Answer."), ChatMessage("user", "hello")), max_tokens=1)
WARM_UP = ChatRequest(messages=(ChatMessage("system", "Answer. " * 200), ChatMessage("user", "hello")), max_tokens=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class CTranslate2LlmOptions:
    """How a model converted for CTranslate2 (scripts/convert_llama) is run."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where it runs."""
    compute_type: str = "int8"
    """CTranslate2's name for the number format; `default`: as the model was saved; `auto`: the fastest."""
    intra_threads: int = 1
    """Threads that compute a token. 1 is fastest for the demo model; for a 1 B model use the number of cores."""
    slots: int = 1
    """Replies computed at the same time, per priority."""
    context_tokens: int = 4096
    """Prompt and reply together; the model's own limit holds when it is smaller."""
    cached_prefix_tokens: int = 8192
    """Tokens of system messages and tools kept in the prefix cache, at 4 bytes x 2 x layers x KV heads x head size each on a
    CPU (12 KiB for the demo model, 64 KiB for Llama 3.2 1B). CTranslate2 frees them only with the model."""
    top_p: float = 0.9
    """Nucleus sampling for requests with a temperature; above 0, at most 1."""

    def __post_init__(self) -> None:
        for name in ("intra_threads", "slots", "context_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be above 0 and at most 1")


class CTranslate2LlmStream(ReplyStream):
    """One reply."""

    def __init__(
        self, channel: Channel[ChatEvent], generation: Generation, future: "Future[None]", lanes: Lanes
    ) -> None:
        super().__init__(channel, future)
        self.generation = generation
        self._lanes = lanes

    def promote(self) -> None:
        """A caller is waiting for it now."""
        self.generation.promote()
        self._lanes.promote(self._future)

    async def over(self) -> None:
        """Wait until the engine is done with it."""
        await asyncio.gather(asyncio.wrap_future(self._future), return_exceptions=True)

    async def aclose(self) -> None:
        """Stop generating within one token, or before the first. Safe to call twice."""
        await super().aclose()
        self._lanes.wake()


class CTranslate2Llm:
    """Replies from one shared model. `open` may be called on any event loop."""

    name = "ctranslate2"

    def __init__(self, options: CTranslate2LlmOptions, model_dir: Path) -> None:
        """`model_dir` holds the converted model with its tokenizer.json and tokenizer_config.json."""
        self._options = options
        self._model_dir = Path(model_dir)
        self._model: Model | None = None

    def load(self) -> None:
        """Read the model into memory. Raises EngineLoadFailed with what to do about it."""
        import ctranslate2

        if self._options.device == "cuda":
            prepare_ctranslate2("The language model")
        vocabulary = Vocabulary.from_directory(self._model_dir, context_tokens=self._options.context_tokens)
        try:
            generator = ctranslate2.Generator(
                str(self._model_dir),
                device=self._options.device,
                compute_type=self._options.compute_type,
                inter_threads=Lanes.workers(self._options.slots),
                intra_threads=self._options.intra_threads,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} cannot be loaded: {error}. Check the folder with "
                "`python -m models verify`, and that it is a model converted for CTranslate2."
            ) from error
        self._model = Model(
            generator=generator,
            vocabulary=vocabulary,
            lanes=Lanes(self.name, self._options.slots),
            prefixes=PrefixCache(self._options.cached_prefix_tokens),
            top_p=self._options.top_p,
        )

    def warm_up(self) -> None:
        """Run a long prompt through every worker, with sampling and without. Raises EngineLoadFailed."""
        try:
            for lane in Priority:
                for temperature in (0.0, 1.0):
                    self._generate(replace(WARM_UP, priority=lane, temperature=temperature))
        except EngineError as error:
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} loads but does not run: {error}"
            ) from error

    def check(self) -> None:
        """Generate one token. Raises EngineDied if that fails or takes longer than 30 s."""
        self._generate(PROBE)

    def close(self) -> None:
        """Stop what is being generated and free the model. Safe to call twice."""
        model, self._model = self._model, None
        if model is not None:
            model.closing.set()
            model.lanes.wake()
            model.lanes.close()

    def open(self, request: ChatRequest) -> CTranslate2LlmStream:
        """Start a reply on the running event loop.

        Raises PromptTooLong if prompt and reply cannot fit, EngineError if the template refuses the conversation,
        EngineDied if no model is loaded.
        """
        model = self._loaded()
        prompt = model.vocabulary.prompt(request)
        channel: Channel[ChatEvent] = Channel()
        generation = Generation(model, request, prompt, emit=channel.put, cancelled=lambda: channel.cancelled)
        future = model.lanes.submit(request.priority, generation.run)
        stream = CTranslate2LlmStream(channel, generation, future, model.lanes)
        if request.confirmed is not None:
            request.confirmed.add_done_callback(lambda _: stream.promote())
        return stream

    async def warm_prefix(self, request: ChatRequest) -> None:
        """Put the system message and tools of `request` into the prefix cache, unless they are there already or it is full."""
        model = self._loaded()
        prompt = model.vocabulary.prompt(request)
        if prompt.static and model.prefixes.admit(prompt.static.texts, at_once=True):
            if model.prefixes.cached_tokens(prompt.static.texts):
                return
            generation = Generation(model, replace(request, max_tokens=1, priority=Priority.BACKGROUND), prompt)
            await asyncio.wrap_future(model.lanes.submit(Priority.BACKGROUND, generation.run))
        else:
            logger.warning(
                "the system message and tools are not cached: %d tokens, and %d of cached_prefix_tokens %d are in use",
                len(prompt.static),
                model.prefixes.tokens,
                self._options.cached_prefix_tokens,
            )

    @property
    def reads_ahead(self) -> bool:
        """No."""
        return False

    async def prefill(self, request: ChatRequest) -> None:
        """Does nothing: CTranslate2 finds a cached prefix only as a whole, so never one that has grown since."""

    def _generate(self, request: ChatRequest) -> None:
        """Generate in every slot of the request's lane, and wait. Blocks."""
        model = self._loaded()
        prompt = model.vocabulary.prompt(request)
        generations = [Generation(model, request, prompt) for _ in range(self._options.slots)]
        futures = [model.lanes.submit(request.priority, generation.run) for generation in generations]
        try:
            for future in futures:
                future.result(timeout=CHECK_TIMEOUT_S)
        except TimeoutError as error:
            raise EngineDied(f"The language model gave no token in {CHECK_TIMEOUT_S:.0f} s.") from error
        except ToolCallMalformed:
            logger.debug("one token of a tool call is not an error")

    def _loaded(self) -> Model:
        if self._model is None:
            raise EngineDied("The language model is not loaded. The engine host loads it; wait until it is ready.")
        return self._model
