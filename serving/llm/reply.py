"""Turns a model's tokens into what a reply says: one reader for every engine, so that all speak and call tools alike."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from serving.bridge import Channel
from serving.chat import ChatEvent, TextDelta, ToolCall, Usage
from serving.errors import EngineDied, EngineError
from serving.llm.tool_calls import PYTHON_TAG, ToolCallParser


class ReplyReader:
    """The reader of one reply."""

    def __init__(self, tokenizer: Tokenizer, stop_ids: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._stop_ids = stop_ids
        self._python_tag = tokenizer.token_to_id(PYTHON_TAG)
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._parser = ToolCallParser()

    @property
    def done(self) -> bool:
        """Whether nothing that could still come matters, so that generating can stop."""
        return self._parser.done

    def push(self, token_id: int) -> list[TextDelta | ToolCall]:
        """Feed the next token; the one that ends the message has no text."""
        if token_id in self._stop_ids:
            return []
        piece = PYTHON_TAG if token_id == self._python_tag else self._decoder.step(self._tokenizer, token_id)
        return self._parser.push(piece) if piece else []

    def finish(self) -> list[TextDelta | ToolCall]:
        """End the reply; returns what was held back. Raises ToolCallMalformed."""
        return self._parser.finish()


class Reply:
    """The state of one reply from an engine that delivers tokens in bunches."""

    def __init__(self, reader: ReplyReader, prompt_tokens: int, emit: Callable[[ChatEvent], None]) -> None:
        self._reader = reader
        self._prompt_tokens = prompt_tokens
        self._emit = emit
        self._opened_at = time.perf_counter()
        self._ttft_s = 0.0
        self._tokens = 0
        self._cached_tokens = 0

    def push(self, token_ids: Sequence[int], cached_tokens: int | None) -> bool:
        """Feed the next tokens; returns whether the reply is complete. `cached_tokens`: of the prompt, once known."""
        if token_ids and not self._tokens:
            self._ttft_s = time.perf_counter() - self._opened_at
        self._cached_tokens = cached_tokens or self._cached_tokens
        for token_id in token_ids:
            self._tokens += 1
            for event in self._reader.push(token_id):
                self._emit(event)
        return self._reader.done

    def finish(self) -> None:
        """End the reply: emits what was held back, then the Usage. Raises ToolCallMalformed."""
        for event in self._reader.finish():
            self._emit(event)
        self._emit(Usage(self._prompt_tokens, self._cached_tokens, self._tokens, self._ttft_s))


class ReplyStream:
    """One reply as its caller sees it: what the generation puts into the channel, until nobody wants it."""

    def __init__(self, channel: Channel[ChatEvent], future: "Future[None]") -> None:
        """`future` is the generation's; however it ends, the stream ends with it."""
        self._channel = channel
        self._future = future
        future.add_done_callback(lambda done: channel.finish(reply_error(done)))

    def __aiter__(self) -> AsyncIterator[ChatEvent]:
        """TextDelta and ToolCall as they come, then one Usage. Raises EngineError when generating fails."""
        return self._channel.__aiter__()

    async def aclose(self) -> None:
        """Stop generating, or never begin. Safe to call twice."""
        self._channel.cancel()
        self._future.cancel()


def reply_error(done: "Future[None]") -> BaseException | None:
    """The error that ended a generation, as one of ours; None if it completed."""
    if done.cancelled():
        return EngineDied("The language model was closed before the reply was complete. Ask again once it is ready.")
    error = done.exception()
    if error is None or isinstance(error, EngineError):
        return error
    died = EngineDied(f"The language model failed ({type(error).__name__}: {error}). It has to be reloaded.")
    died.__cause__ = error
    return died
