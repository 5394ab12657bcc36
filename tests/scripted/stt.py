"""Scripted STT engines: words read off the audio, or events supplied by the test."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from concurrent.futures import Future

from serving.audio import SPEECH_RATE, AudioChunk
from serving.bridge import Channel
from serving.engine import SttStream, VadStream
from serving.errors import EngineDied
from serving.speech import SttEvent
from serving.stt.hearing import Clip, Heard, Urgency
from serving.stt.segmenter import Segmenter, SegmenterOptions
from serving.stt.stream import UtteranceStream
from tests.scripted.engine import ScriptedEngine
from tests.scripted.sounds import WORD_S, Sounds, as_pcm16
from tests.scripted.vad import ScriptedVad


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
        """How many of the next streams fail to open."""

    def open(self, voice_activity: VadStream | None = None) -> SttStream:
        if self.is_dead or self.fails_to_open:
            self.fails_to_open = max(0, self.fails_to_open - 1)
            raise EngineDied("The stt engine is dead.")
        self.opened += 1
        return UtteranceStream(
            voice_activity or ScriptedVad().open(), Segmenter(self.segmenter), self, partial_load=0.4
        )

    def submit(self, clip: Clip, urgency: Urgency, slot: Hashable | None) -> "Future[Heard]":
        """Read the words that are there in full. Fails if the engine is due to die."""
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
    """Streams that emit what the test puts into them."""

    name = "stt"

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[ListedSttStream] = []
        self.fails_to_open = 0

    def open(self, voice_activity: VadStream | None = None) -> SttStream:
        if self.fails_to_open:
            self.fails_to_open -= 1
            raise EngineDied("The stt engine is dead.")
        self.streams.append(ListedSttStream())
        return self.streams[-1]


class ListedSttStream:
    """Records its input; the test makes its output with `say` and `die`."""

    def __init__(self) -> None:
        self._events: Channel[SttEvent] = Channel()
        self.heard_s = 0.0
        self.flushes = 0
        self.input_ended = False
        self.is_closed = False

    def say(self, *events: SttEvent) -> None:
        """Emit these events."""
        for event in events:
            self._events.put(event)

    def die(self) -> None:
        """Fail with an error."""
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
