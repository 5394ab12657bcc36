"""Scripted engines: one a stage, deterministic, on the audio's own clock.

They share a language of sound in which the value of a sample says what is heard at that moment: 0 is silence, NOISE is
noise, any other value one spoken word. So recognition reads words off the audio that reaches it, speech synthesis writes
words into the audio that leaves it, and whoever listens at either end of a call knows exactly what was heard.
The streams of recognition and synthesis are the product's own; only the models behind them are scripted.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from models.errors import CallboxError
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, Pcm32
from serving.bridge import Channel
from serving.chat import ChatEvent, ChatRequest, TextDelta, ToolCall, Usage
from serving.engine import SttStream, TtsStream, VadStream
from serving.errors import EngineDied
from serving.speech import EndOfTurn, SpokenAudio, SttEvent, VoiceActivity, Word
from serving.stt.hearing import Clip, Heard, Urgency
from serving.stt.segmenter import Segmenter, SegmenterOptions
from serving.stt.stream import UtteranceStream
from serving.tts.piper_stream import Pacing, PiperStream
from serving.tts.piper_voice import Sentence

NOISE = -1
"""The sample value of a sound that no word is made of."""
WORD_S = 0.32
"""How long a word takes to say: a whole number of VAD windows and of 20 ms frames."""
WINDOW_SAMPLES = 512
ROOM_RATE = 24_000


@dataclass(frozen=True, slots=True)
class Utterance:
    """One word as somebody said it once."""

    text: str
    ends_turn: bool
    """Whether it sounds like the end of what its speaker wants to say."""


class Sounds:
    """What the sample values of one conversation mean."""

    def __init__(self) -> None:
        self._said: list[Utterance] = []

    def speech(self, text: str, *, rate: int = SPEECH_RATE, word_s: float = WORD_S, ends_turn: bool = True) -> Pcm16:
        """The sound of some words, one right after the other."""
        words = text.split()
        samples = [np.zeros(0, np.int16)]
        for at, word in enumerate(words):
            self._said.append(Utterance(word, ends_turn and at == len(words) - 1))
            samples.append(np.full(round(word_s * rate), len(self._said), np.int16))
        return np.concatenate(samples)

    def words(self, samples: Pcm16, *, rate: int, at_s: float = 0.0) -> list[tuple[Word, float]]:
        """Words in some audio that begins at `at_s`, each with how much of it is there, in seconds."""
        edges = np.flatnonzero(np.diff(samples)) + 1
        bounds = [0, *edges.tolist(), len(samples)] if len(samples) else [0]
        runs = [(start, end, int(samples[start])) for start, end in pairwise(bounds)]
        return [
            (Word(self._said[value - 1].text, at_s + start / rate, at_s + end / rate), (end - start) / rate)
            for start, end, value in runs
            if value > 0
        ]

    def ends_turn(self, samples: Pcm16) -> bool:
        """Whether the last word in some audio sounds final."""
        spoken = samples[samples > 0]
        return len(spoken) > 0 and self._said[int(spoken[-1]) - 1].ends_turn


def noise(duration_s: float) -> Pcm16:
    """Sound without words at 16 kHz."""
    return np.full(round(duration_s * SPEECH_RATE), NOISE, np.int16)


def as_pcm16(samples: Pcm32) -> Pcm16:
    """Undo AudioChunk.to_float, exactly."""
    return np.round(samples * 32768.0).astype(np.int16)


class ScriptedEngine:
    """What every scripted engine has in common: it dies on demand, and lives again once it was loaded again."""

    name = "scripted"

    def __init__(self, journal: list[str] | None = None) -> None:
        self.journal = [] if journal is None else journal
        self.is_dead = False
        self.dies_at: deque[int] = deque()
        """Which tasks, counted from 1, fail although the engine lives."""
        self.tasks = 0
        self.load_error: Exception | None = None

    def load(self) -> None:
        self.journal.append(f"load {self.name}")
        if self.load_error is not None:
            raise self.load_error
        self.is_dead = False

    def warm_up(self) -> None:
        self.journal.append(f"warm_up {self.name}")

    def check(self) -> None:
        self.journal.append(f"check {self.name}")
        if self.is_dead:
            raise EngineDied(f"The {self.name} engine is dead.")

    def close(self) -> None:
        self.journal.append(f"close {self.name}")

    def failure(self) -> CallboxError | None:
        """Count a task; the error it ends with, if it fails."""
        self.tasks += 1
        if self.is_dead or self.tasks in self.dies_at:
            return EngineDied(f"The {self.name} engine is dead.")
        return None


class ScriptedVad(ScriptedEngine):
    """Hears words and noise as speech."""

    name = "vad"
    window_samples = WINDOW_SAMPLES

    def open(self) -> VadStream:
        return _ScriptedVadStream()


class _ScriptedVadStream:
    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._windows = 0

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        self._rest = np.concatenate([self._rest, samples])
        verdicts: list[VoiceActivity] = []
        while len(self._rest) >= WINDOW_SAMPLES:
            window, self._rest = self._rest[:WINDOW_SAMPLES], self._rest[WINDOW_SAMPLES:]
            self._windows += 1
            probability = 0.98 if np.count_nonzero(window) * 2 >= WINDOW_SAMPLES else 0.02
            verdicts.append(VoiceActivity(probability, self._windows * WINDOW_SAMPLES / SPEECH_RATE))
        return verdicts

    def reset(self) -> None:
        self._rest = np.zeros(0, np.float32)


class ScriptedStt(ScriptedEngine):
    """Reads words off the audio, in the product's own streams."""

    name = "stt"

    def __init__(self, sounds: Sounds, *, decode_s: float = 0.05, segmenter: SegmenterOptions | None = None) -> None:
        super().__init__()
        self.sounds = sounds
        self.decode_s = decode_s
        """How long a decode takes, whatever its length."""
        self.segmenter = segmenter or SegmenterOptions()
        self.opened = 0
        self.fails_to_open = 0
        """So many of the next streams cannot be opened."""

    def open(self) -> SttStream:
        if self.is_dead or self.fails_to_open:
            self.fails_to_open = max(0, self.fails_to_open - 1)
            raise EngineDied("The stt engine is dead.")
        self.opened += 1
        vad = _ScriptedVadStream()
        return UtteranceStream(vad, Segmenter(self.segmenter), self, partial_load=0.4)

    def submit(self, clip: Clip, urgency: Urgency, slot: Hashable | None) -> "Future[Heard]":
        """Read the words that were said in full. Fails when the engine's time has come."""
        answer: Future[Heard] = Future()
        error = self.failure()
        said = self.sounds.words(as_pcm16(clip.samples), rate=SPEECH_RATE, at_s=clip.start_s)
        words = tuple(word for word, length_s in said if length_s > 0.6 * WORD_S)

        def settle() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(Heard(words))

        asyncio.get_running_loop().call_later(self.decode_s, settle)
        return answer


class ListedStt(ScriptedEngine):
    """Streams that say what the test puts into them."""

    name = "stt"

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[ListedSttStream] = []
        self.fails_to_open = 0

    def open(self) -> SttStream:
        if self.fails_to_open:
            self.fails_to_open -= 1
            raise EngineDied("The stt engine is dead.")
        self.streams.append(ListedSttStream())
        return self.streams[-1]


class ListedSttStream:
    """Records what goes in; `say` and `die` bring out what the test wants."""

    def __init__(self) -> None:
        self._events: Channel[SttEvent] = Channel()
        self.heard_s = 0.0
        self.flushes = 0
        self.input_ended = False
        self.is_closed = False

    def say(self, *events: SttEvent) -> None:
        """Bring these out."""
        for event in events:
            self._events.put(event)

    def die(self) -> None:
        """End with an error."""
        self._events.finish(EngineDied("The stt engine is dead."))

    def push(self, chunk: AudioChunk) -> None:
        self.heard_s += chunk.duration_s

    def flush(self) -> None:
        self.flushes += 1

    def end_input(self) -> None:
        self.input_ended = True
        self._events.finish()

    def __aiter__(self) -> AsyncIterator[SttEvent]:
        return self._events.__aiter__()

    async def aclose(self) -> None:
        self.is_closed = True
        self._events.cancel()


class ScriptedTurn(ScriptedEngine):
    """Knows from its last word whether a turn is over."""

    name = "turn"
    window_s = 8.0

    def __init__(self, sounds: Sounds, *, inference_s: float = 0.02) -> None:
        super().__init__()
        self.sounds = sounds
        self.inference_s = inference_s

    async def predict(self, samples: Pcm32) -> EndOfTurn:
        error = self.failure()
        await asyncio.sleep(self.inference_s)
        if error is not None:
            raise error
        finished = self.sounds.ends_turn(as_pcm16(samples))
        return EndOfTurn(0.95 if finished else 0.05, 0.5, self.inference_s)


Answer = Callable[[ChatRequest], Sequence[TextDelta | ToolCall]]
"""What a model says to a request."""


@dataclass(slots=True)
class ScriptedReply:
    """One reply of a scripted model, as it went."""

    request: ChatRequest
    opened_at: float
    """Loop time, seconds."""
    sent: list[ChatEvent] = field(default_factory=list)
    is_complete: bool = False
    closed_at: float | None = None
    """When `aclose` came, loop time."""


class ScriptedLlm(ScriptedEngine):
    """Says what `answer` says, token by token."""

    name = "llm"

    def __init__(self, answer: Answer, *, ttft_s: float = 0.1, token_s: float = 0.01) -> None:
        super().__init__()
        self.answer = answer
        self.ttft_s = ttft_s
        self.token_s = token_s
        self.replies: list[ScriptedReply] = []
        self.warmed: list[ChatRequest] = []

    def open(self, request: ChatRequest) -> "_ScriptedLlmStream":
        if self.is_dead:
            raise EngineDied("The llm engine is dead.")
        self.replies.append(ScriptedReply(request, asyncio.get_running_loop().time()))
        return _ScriptedLlmStream(self, self.replies[-1])

    async def warm_prefix(self, request: ChatRequest) -> None:
        self.warmed.append(request)


class _ScriptedLlmStream:
    def __init__(self, engine: ScriptedLlm, reply: ScriptedReply) -> None:
        self._engine = engine
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        engine, reply = self._engine, self._reply
        error = engine.failure()
        await asyncio.sleep(engine.ttft_s)
        if error is not None:
            raise error
        for event in [*engine.answer(reply.request), Usage(len(reply.request.messages), 0, 1, engine.ttft_s)]:
            reply.sent.append(event)
            yield event
            await asyncio.sleep(engine.token_s)
        reply.is_complete = True

    async def aclose(self) -> None:
        self._reply.closed_at = asyncio.get_running_loop().time()


def tokens(text: str) -> list[TextDelta]:
    """A text as a model streams it: word by word."""
    words = text.split(" ")
    return [TextDelta(word if at == 0 else f" {word}") for at, word in enumerate(words)]


class ScriptedTts(ScriptedEngine):
    """Writes words into sound, in the product's own streams."""

    name = "tts"
    sample_rate = ROOM_RATE

    def __init__(self, sounds: Sounds, *, piece_s: float = 0.04) -> None:
        super().__init__()
        self.sounds = sounds
        self.piece_s = piece_s
        """How long a piece takes to synthesize, whatever its length."""
        self.streams: list[TtsStream] = []
        self.spoken: list[str] = []
        self.fails_to_open = 0

    def open(self) -> TtsStream:
        if self.fails_to_open:
            self.fails_to_open -= 1
            raise EngineDied("The tts engine is dead.")
        pacing = Pacing(sample_rate=ROOM_RATE, chunk_s=0.2, clause_pause_s=0.1, sentence_pause_s=0.2)
        self.streams.append(_WatchedTtsStream(PiperStream(self, pacing)))
        return self.streams[-1]

    async def sentence(self, text: str, index: int, *, deadline_s: float) -> Sentence | None:
        """Sentence `index` of `text`; each piece is one sentence. Fails when the engine's time has come."""
        words = [word for word in text.split() if any(char.isalnum() for char in word)]
        if index > 0 or not words:
            return None
        error = self.failure()
        await asyncio.sleep(self.piece_s)
        if error is not None:
            raise error
        self.spoken.append(text)
        samples = self.sounds.speech(" ".join(words), rate=ROOM_RATE)
        timed = tuple(Word(word, at * WORD_S, (at + 1) * WORD_S) for at, word in enumerate(words))
        return Sentence(samples, timed)

    def remember(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        """Nothing is kept."""


class _WatchedTtsStream:
    """A PiperStream that remembers what it was told."""

    def __init__(self, stream: PiperStream) -> None:
        self._stream = stream
        self.pieces: list[str] = []
        self.is_closed = False

    def push(self, text: str) -> None:
        self.pieces.append(text)
        self._stream.push(text)

    def end_input(self) -> None:
        self._stream.end_input()

    def __aiter__(self) -> AsyncIterator[SpokenAudio]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        self.is_closed = True
        await self._stream.aclose()
