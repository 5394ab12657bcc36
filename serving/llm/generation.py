"""One generation: turns a prompt into events, token by token, in an engine thread."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serving.chat import ChatEvent, ChatRequest, Priority, Usage
from serving.errors import EngineDied
from serving.llm.lanes import Lanes
from serving.llm.prefix_cache import PrefixCache
from serving.llm.prompt import Prompt
from serving.llm.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model and what its generations share. All of it is read-only or thread-safe."""

    generator: Any
    """ctranslate2.Generator; it has a worker for every thread of `lanes`."""
    vocabulary: Vocabulary
    lanes: Lanes
    prefixes: PrefixCache
    top_p: float
    closing: threading.Event = field(default_factory=threading.Event)
    """Once set, every generation stops at its next token."""


class _Callback:
    """Called by CTranslate2 for each token. Its worker drops it some time after the generation has returned; if it were then
    the last to hold the model, the worker would have to join itself, which would end the process.
    """

    def __init__(self, on_token: Callable[[Any], bool]) -> None:
        self._on_token: Callable[[Any], bool] | None = on_token

    def __call__(self, step: Any) -> bool:
        return self._on_token is None or self._on_token(step)

    def release(self) -> None:
        """Let go of the generation."""
        self._on_token = None


class Generation:
    """What changes while one reply is being generated."""

    def __init__(
        self,
        model: Model,
        request: ChatRequest,
        prompt: Prompt,
        *,
        emit: Callable[[ChatEvent], None] = lambda event: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """`emit` and `cancelled` are called in the engine's threads, `cancelled` before every token."""
        self._model = model
        self._request = request
        self._prompt = prompt
        self._emit = emit
        self._cancelled = cancelled
        self._opened_at = time.perf_counter()
        self._ttft_s = 0.0
        self.tokens = 0
        """Tokens generated so far, the one that ends the reply included."""
        self._reader = model.vocabulary.reader()
        self._keeps_prefix = False
        self._lane = request.priority
        self._tokens_ahead = None if request.confirmed is None else request.tokens_ahead

    def run(self) -> None:
        """Generate to the end, or until nobody wants the reply any more. Raises EngineDied, ToolCallMalformed."""
        model, prompt = self._model, self._prompt
        model.lanes.wait_turn(lambda: self._lane, self._stopped)
        if self._ended_early():
            return
        self._keeps_prefix = model.prefixes.admit(prompt.static.texts)
        cached_tokens = model.prefixes.cached_tokens(prompt.static.texts)
        on_token = _Callback(self._on_token)
        try:
            model.generator.generate_batch([list(prompt.rest.texts)], callback=on_token, **self._arguments())
        except RuntimeError as error:
            raise EngineDied(f"The language model failed: {error}. It has to be reloaded.") from error
        finally:
            on_token.release()
        if self._ended_early():
            return
        for event in self._reader.finish():
            self._emit(event)
        self._emit(Usage(len(prompt), cached_tokens, self.tokens, self._ttft_s))

    def _arguments(self) -> dict[str, Any]:
        sampling: dict[str, float] = {"sampling_topk": 1}
        if self._request.temperature > 0:
            sampling = {
                "sampling_topk": 0,
                "sampling_temperature": self._request.temperature,
                "sampling_topp": self._model.top_p,
            }
        return {
            "static_prompt": list(self._prompt.static.texts) or None,
            "cache_static_prompt": self._keeps_prefix,
            "include_prompt_in_result": False,
            "max_length": self._request.max_tokens,
            "end_token": sorted(self._model.vocabulary.stop_ids),
            **sampling,
        }

    def promote(self) -> None:
        """A caller is waiting for it now, so it is no longer paused for others. Call `Lanes.promote` next."""
        self._lane = Priority.CONFIRMED

    def _stopped(self) -> bool:
        return self._cancelled() or self._model.closing.is_set()

    def _ended_early(self) -> bool:
        """Whether nobody wants the rest. Raises EngineDied if somebody does while the model is being closed."""
        if self._model.closing.is_set() and not self._cancelled():
            raise EngineDied("The language model was closed during a reply. Ask again once it is ready.")
        return self._cancelled()

    def _on_token(self, step: Any) -> bool:
        """Called by CTranslate2 for each token; True ends the generation."""
        self.tokens += 1
        if self.tokens == 1:
            self._ttft_s = time.perf_counter() - self._opened_at
            if self._keeps_prefix:
                self._model.prefixes.computed(self._prompt.static.texts)
        if self._stopped():
            return True
        for event in self._reader.push(step.token_id):
            self._emit(event)
        if not step.is_last:
            is_ahead = self._tokens_ahead is not None and self.tokens >= self._tokens_ahead
            self._model.lanes.wait_turn(lambda: self._lane, self._stopped, is_ahead=is_ahead)
        return self._reader.done or self._stopped()
