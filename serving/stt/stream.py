"""One call's speech recognition: turns voice activity and decodes into SpeechStarted, transcripts and SpeechEnded.

Lives on one event loop. Decodes run elsewhere; their results come back to the loop and go out in the order in which the
utterances were spoken.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future

import numpy as np

from serving.audio import SPEECH_RATE, AudioChunk
from serving.bridge import Channel
from serving.engine import VadStream
from serving.errors import EngineDied, EngineError
from serving.speech import SpeechStarted, SttEvent, VoiceActivity
from serving.stt.hearing import Clip, Heard, Recognizer, Urgency
from serving.stt.history import AudioHistory
from serving.stt.segmenter import Begin, Finish, Partial, Reopen, Segmenter, Settle, Step
from serving.stt.utterance import Utterance


class UtteranceStream:
    """An SttStream on top of a Recognizer."""

    def __init__(self, vad: VadStream, segmenter: Segmenter, recognizer: Recognizer, *, partial_load: float) -> None:
        """partial_load: the share of time that this stream's partial decodes may take: the slower they are, the fewer."""
        self._vad = vad
        self._segmenter = segmenter
        self._recognizer = recognizer
        self._partial_load = partial_load
        self._loop = asyncio.get_running_loop()
        self._channel: Channel[SttEvent] = Channel()
        self._history = AudioHistory()
        self._utterances: deque[Utterance] = deque()
        """Those whose final is still being decoded, then the one being spoken."""
        self._next_partial_s = 0.0
        self._ended = False

    def push(self, chunk: AudioChunk) -> None:
        """Feed audio. Raises EngineError if it is not at 16 kHz."""
        if chunk.sample_rate != SPEECH_RATE:
            raise EngineError(f"Speech recognition takes {SPEECH_RATE} Hz, not {chunk.sample_rate}: resample it first.")
        if self._ended:
            return
        samples = chunk.to_float()
        self._history.append(samples)
        try:
            for activity in self._vad.push(samples):
                self._follow(self._segmenter.push(activity, self._level(activity)))
        except EngineError as error:
            self._fail(error)
            return
        self._history.forget_before(self._segmenter.keep_from_s(self._history.end_s))

    def flush(self) -> None:
        """End the utterance now, however short the silence."""
        try:
            self._follow(self._segmenter.flush(self._history.end_s))
        except EngineError as error:
            self._fail(error)

    def end_input(self) -> None:
        """No more audio: the pending final follows, then iteration ends."""
        if self._ended:
            return
        self.flush()
        self._ended = True
        self._send()

    def __aiter__(self) -> AsyncIterator[SttEvent]:
        return self._channel.__aiter__()

    async def aclose(self) -> None:
        """Drop everything that waits to be decoded; iteration ends."""
        self._stop()
        self._channel.cancel()

    def _level(self, activity: VoiceActivity) -> float:
        window = self._history.clip(activity.end_s - self._segmenter.window_s, activity.end_s)
        return float(np.dot(window, window))

    def _follow(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Begin():
                    self._utterances.append(Utterance(step.at_s, step.clip_start_s))
                    self._utterances[-1].events.append(SpeechStarted(step.at_s))
                case Partial():
                    self._decode_partial(self._utterances[-1], step)
                case Settle():
                    self._decode_settled(self._utterances[-1], step)
                case Reopen():
                    self._utterances[-1].reopen()
                case Finish():
                    self._utterances[-1].finish()
        if steps:
            self._send()

    def _decode_partial(self, utterance: Utterance, step: Partial) -> None:
        if step.clip_end_s < self._next_partial_s:
            return
        asked_at = time.perf_counter()

        def heard(result: Heard) -> None:
            took_s = time.perf_counter() - asked_at
            self._next_partial_s = step.clip_end_s + took_s / self._partial_load
            utterance.heard_partial(result, step.clip_end_s, took_s)

        samples = self._history.clip(utterance.clip_start_s, step.clip_end_s)
        clip = Clip(samples, utterance.clip_start_s, utterance.start_s, step.clip_end_s)
        utterance.partial = self._decode(utterance, clip, Urgency.PARTIAL, heard)

    def _decode_settled(self, utterance: Utterance, step: Settle) -> None:
        asked_at = time.perf_counter()

        def heard(result: Heard) -> None:
            utterance.heard_settled(result, step.speech_end_s, time.perf_counter() - asked_at)

        samples = self._history.clip(utterance.clip_start_s, step.clip_end_s)
        clip = Clip(samples, utterance.clip_start_s, utterance.start_s, step.speech_end_s, is_whole=True)
        utterance.settle(self._decode(utterance, clip, Urgency.SETTLE, heard))

    def _decode(
        self, utterance: Utterance, clip: Clip, urgency: Urgency, heard: Callable[[Heard], None]
    ) -> "Future[Heard]":
        slot = self if urgency is Urgency.PARTIAL else None
        answer = self._recognizer.submit(clip, urgency, slot)
        on_loop = asyncio.wrap_future(answer, loop=self._loop)
        on_loop.add_done_callback(lambda done: self._answered(done, utterance.awaits(answer), heard))
        return answer

    def _answered(self, answer: "asyncio.Future[Heard]", is_awaited: bool, heard: Callable[[Heard], None]) -> None:
        error = None if answer.cancelled() else answer.exception()
        if not is_awaited:
            return
        if answer.cancelled():
            self._fail(EngineDied("Speech recognition was closed during the call. Open a new stream."))
        elif error is not None:
            self._fail(error if isinstance(error, EngineError) else EngineError(f"Speech recognition failed: {error}"))
        else:
            heard(answer.result())
            self._send()

    def _send(self) -> None:
        """Send the events of all finished utterances and of the first unfinished one."""
        while self._utterances:
            events = self._utterances[0].events
            while events:
                self._channel.put(events.popleft())
            if not self._utterances[0].is_over:
                return
            self._utterances.popleft()
        if self._ended:
            self._channel.finish()

    def _fail(self, error: EngineError) -> None:
        self._stop()
        self._channel.finish(error)

    def _stop(self) -> None:
        self._ended = True
        while self._utterances:
            self._utterances.popleft().abandon()
