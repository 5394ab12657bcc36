"""One call's speech recognition: voice activity and decodes turned into SpeechStarted, transcripts and SpeechEnded.

Lives on one event loop. Decodes run elsewhere; their results come back to the loop and are told in the order in which
the utterances were spoken.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

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
        """partial_load: the share of time that partial decodes of this stream may take; slow ones come less often."""
        self._vad = vad
        self._segmenter = segmenter
        self._recognizer = recognizer
        self._partial_load = partial_load
        self._loop = asyncio.get_running_loop()
        self._channel: Channel[SttEvent] = Channel()
        self._history = AudioHistory()
        self._utterances: deque[Utterance] = deque()
        """The one being spoken last; before it those whose final is still being decoded."""
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
            activities = self._vad.push(samples)
        except EngineError as error:
            self._fail(error)
            return
        for activity in activities:
            self._follow(self._segmenter.push(activity, self._level(activity)))
        self._history.forget_before(self._segmenter.keep_from_s(self._history.end_s))

    def flush(self) -> None:
        """The utterance is over, whatever the silence says."""
        self._follow(self._segmenter.flush(self._history.end_s))

    def end_input(self) -> None:
        """No more audio: the pending final follows, then iteration ends."""
        if self._ended:
            return
        self.flush()
        self._ended = True
        self._tell()

    def __aiter__(self) -> AsyncIterator[SttEvent]:
        return self._channel.__aiter__()

    async def aclose(self) -> None:
        """Take everything that waits out of line; iteration ends."""
        self._stop()
        self._channel.cancel()

    def _level(self, activity: VoiceActivity) -> float:
        window = self._history.clip(activity.end_s - 0.032, activity.end_s)
        return float(np.dot(window, window))

    def _follow(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Begin():
                    self._utterances.append(Utterance(step.at_s, step.clip_start_s))
                    self._utterances[-1].events.append(SpeechStarted(step.at_s))
                case Partial():
                    self._ask_partial(self._utterances[-1], step)
                case Settle():
                    self._ask_settled(self._utterances[-1], step)
                case Reopen():
                    self._utterances[-1].reopen()
                case Finish():
                    self._utterances[-1].finish()
        if steps:
            self._tell()

    def _ask_partial(self, utterance: Utterance, step: Partial) -> None:
        if step.clip_end_s < self._next_partial_s:
            return
        asked_at = time.perf_counter()

        def heard(result: Heard) -> None:
            took_s = time.perf_counter() - asked_at
            self._next_partial_s = step.clip_end_s + took_s / self._partial_load
            utterance.heard_partial(result, step.clip_end_s, took_s)

        clip = self._clip(utterance, step.clip_end_s, step.clip_end_s)
        utterance.partial = self._ask(clip, Urgency.PARTIAL, heard)

    def _ask_settled(self, utterance: Utterance, step: Settle) -> None:
        asked_at = time.perf_counter()

        def heard(result: Heard) -> None:
            utterance.heard_settled(result, step.speech_end_s, time.perf_counter() - asked_at)

        clip = self._clip(utterance, step.clip_end_s, step.speech_end_s)
        utterance.settle(self._ask(clip, Urgency.SETTLE, heard))

    def _clip(self, utterance: Utterance, end_s: float, speech_end_s: float) -> Clip:
        return Clip(
            self._history.clip(utterance.clip_start_s, end_s), utterance.clip_start_s, utterance.start_s, speech_end_s
        )

    def _ask(self, clip: Clip, urgency: Urgency, heard: Callable[[Heard], None]) -> "asyncio.Future[Heard]":
        slot = self if urgency is Urgency.PARTIAL else None
        answer = asyncio.wrap_future(self._recognizer.submit(clip, urgency, slot), loop=self._loop)
        answer.add_done_callback(lambda done: self._answered(done, heard))
        return answer

    def _answered(self, answer: "asyncio.Future[Heard]", heard: Callable[[Heard], None]) -> None:
        if answer.cancelled():
            if any(utterance.settling is answer for utterance in self._utterances):  # nobody here cancelled it
                self._fail(EngineDied("Speech recognition was closed during the call. Open a new stream."))
            return
        error = answer.exception()
        if error is not None:
            self._fail(error if isinstance(error, EngineError) else EngineError(f"Speech recognition failed: {error}"))
            return
        heard(answer.result())
        self._tell()

    def _tell(self) -> None:
        """Send what the first unfinished utterance and all before it have to say."""
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
