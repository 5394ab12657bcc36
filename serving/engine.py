"""The seam: what an engine is, and what each stage's engine does.

An engine is long-lived, loaded once, read-only after `load()`, and shared by all calls. A stream is opened from it for
one utterance, one reply or one call; it holds everything that changes, and its `aclose()` reaches the engine, which
stops working on what the stream had asked for. `load`, `warm_up` and `close` block and are called off the event loop; a stream belongs
to the event loop that opened it, and different calls have different loops in different threads.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from serving.audio import AudioChunk, Pcm32
from serving.chat import ChatEvent, ChatRequest
from serving.speech import EndOfTurn, Interruption, SpokenAudio, SttEvent, TurnContext, VoiceActivity


class Engine(Protocol):
    """What every stage's engine has in common."""

    @property
    def name(self) -> str:
        """Its name in the registry, for logs and metrics."""
        ...

    def load(self) -> None:
        """Read the model into memory. Raises EngineLoadFailed with what to do about it."""
        ...

    def warm_up(self) -> None:
        """Run every path that a call takes once, so that the first caller does not wait for it."""
        ...

    def check(self) -> None:
        """Run one tiny inference. Raises EngineDied if the engine no longer works."""
        ...

    def close(self) -> None:
        """Free the model and stop its threads. Safe to call twice."""
        ...


class VadStream(Protocol):
    """Voice activity of one call. Cheap enough to run on the event loop (well under 1 ms a window)."""

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        """Feed audio (float32, 16 kHz, any length); returns a verdict for each window that it completed. Raises EngineError.

        The audio must be continuous. To forget the past, open another stream.
        """
        ...


class VadEngine(Engine, Protocol):
    """Tells speech from everything else."""

    @property
    def window_samples(self) -> int:
        """Samples that one verdict covers, at 16 kHz."""
        ...

    def open(self) -> VadStream:
        """A stream for one call."""
        ...


class SttStream(Protocol):
    """The caller's side of one call: any number of utterances, one after the other."""

    def push(self, chunk: AudioChunk) -> None:
        """Feed audio (16 kHz). Returns at once; decoding happens elsewhere."""
        ...

    def flush(self) -> None:
        """End the utterance now, however short the silence: its final follows as soon as it is decoded."""
        ...

    def end_input(self) -> None:
        """No more audio: the pending final follows, then iteration ends."""
        ...

    def __aiter__(self) -> AsyncIterator[SttEvent]:
        """Per utterance: SpeechStarted, interims, preflights (one per pause that brought new words), one final, SpeechEnded."""
        ...

    async def aclose(self) -> None:
        """Drop everything that waits to be decoded. Safe to call twice."""
        ...


class SttEngine(Engine, Protocol):
    """Turns speech into words while it is being spoken."""

    def open(self, voice_activity: VadStream | None = None) -> SttStream:
        """A stream for one call.

        voice_activity: cuts the audio into utterances; None: the engine opens a stream of its own. The STT stream is its only
        user, and pushes it the arrays of AudioChunk.to_float() as they are, so that a call can pass one from a SharedVad.
        """
        ...


class TurnEngine(Engine, Protocol):
    """Judges from sound, and from words where it can, whether a caller has finished."""

    @property
    def window_s(self) -> float:
        """How much of the most recent audio it can use."""
        ...

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        """Judge audio (float32, 16 kHz) that ends now, so includes the silence since the last sound. Only the last `window_s`
        seconds count. Raises EngineError."""
        ...


class InterruptionEngine(Engine, Protocol):
    """Tells from sound over the agent's voice whether the caller wants the floor."""

    @property
    def window_s(self) -> float:
        """How much of the most recent audio it can use."""
        ...

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        """Judge audio (float32, 16 kHz) that ends now. The caller's sound began `overlap_s` seconds ago; what comes before it
        tells what the line's noise is like. Raises EngineError."""
        ...


class LlmStream(Protocol):
    """One reply."""

    def __aiter__(self) -> AsyncIterator[ChatEvent]:
        """Text as it is generated, tool calls once each is complete, then one Usage."""
        ...

    async def aclose(self) -> None:
        """Stop generating within one token. Safe to call twice."""
        ...


class LlmEngine(Engine, Protocol):
    """Decides what to say and which tools to call."""

    def open(self, request: ChatRequest) -> LlmStream:
        """Start a reply. Raises EngineError if the prompt cannot fit."""
        ...

    async def warm_prefix(self, request: ChatRequest) -> None:
        """Put the system message and tools of `request` into the prefix cache."""
        ...

    @property
    def reads_ahead(self) -> bool:
        """Whether `prefill` is worth calling: whether the cache finds a prompt that has grown since."""
        ...

    async def prefill(self, request: ChatRequest) -> None:
        """Compute the prompt of a conversation whose last message is still being spoken, so that the reply starts sooner.
        That message holds only words that will not change. Cancelling it stops the computation. Does nothing where the
        cache could not use the result."""
        ...


class TtsStream(Protocol):
    """One reply being spoken."""

    def push(self, text: str) -> None:
        """Speak this next: a clause or a sentence, already speakable. Each piece is synthesized by itself."""
        ...

    def end_input(self) -> None:
        """No more text."""
        ...

    def __aiter__(self) -> AsyncIterator[SpokenAudio]:
        """Audio in order, as soon as it is ready, at the engine's `sample_rate`."""
        ...

    async def aclose(self) -> None:
        """Stop synthesizing. Safe to call twice."""
        ...


class TtsEngine(Engine, Protocol):
    """Turns text into speech with word times."""

    @property
    def sample_rate(self) -> int:
        """Hz of what streams produce: the room's rate, not the voice's."""
        ...

    def open(self) -> TtsStream:
        """A stream for one reply."""
        ...
