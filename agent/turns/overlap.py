"""Sound over the agent's voice in one call, judged with an InterruptionEngine and the words recognised so far."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.call.events import BargeIn, EngineFailed, EngineLate, OverlapJudged, OverlapSampled, OverlapVerdict
from agent.call.stream import EventStream
from agent.turns.barge_in import Overlap, OverlapOptions, Window, decide_overlap, has_lasted_unjudged, sure_of
from models.errors import CallboxError
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16
from serving.engine import InterruptionEngine
from serving.speech import Interruption, Word
from serving.vad.gate import Gate

JUDGEMENT_TIMEOUT_S = 0.4
"""A judgement later than this is done without. LiveKit gives the whole model up, for good, after 0.7 s without an answer."""
ASKED_WITHIN_S = 0.5
"""LiveKit has asked about a sound by then, unless it leaves it to the VAD: the caller was speaking when the agent began, or
it has given the model up."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to one window."""

    stops: bool
    """Whether the agent is to stop."""
    wish: float = 0.0
    """Probability that the caller wants the floor."""
    inference_s: float = 0.0
    """Wall-clock time the engine took."""


GOES_ON = Judged(stops=False)


class OverlapJudge:
    """Decides about the caller's sounds over the agent's voice. Belongs to the event loop of its call.

    LiveKit's windows come in through `judge`, the VAD's clock through `heard_window`, the words through `judge_words`. A
    barge-in is published at once: LiveKit alone would pause until the final transcript, and could prepare no answer meanwhile.
    Sound that nobody could judge for `longest_unjudged_s` only pauses the agent, as without an engine.
    """

    def __init__(
        self, engine: InterruptionEngine, options: OverlapOptions, *, longest_unjudged_s: float, events: EventStream
    ) -> None:
        self._engine = engine
        self._options = options
        self._longest_unjudged_s = longest_unjudged_s
        self._events = events
        self._sound_s = 0.0
        self._begin()

    def _begin(self) -> None:
        self._windows: list[Window] = []
        self._words = self._sure = ""
        self._began_over_agent = self._events.state.agent_is_speaking
        self._is_left_to_vad = False
        self._is_settled = False
        self._has_failed = False
        self._asking = False

    def heard_window(self, gate: Gate, end_s: float) -> None:
        """The VAD has judged a window that ends at `end_s`, and its gate has seen it."""
        self._sound_lasts(end_s - gate.opened_at_s if gate.is_open else 0.0)

    def voice_reset(self) -> None:
        """The VAD begins anew: the sound so far is over."""
        self._sound_lasts(0.0)

    def _sound_lasts(self, seconds: float) -> None:
        """How long the caller's sound has been going on, on the audio clock; 0 while there is none."""
        was_s, self._sound_s = self._sound_s, seconds
        if seconds and not was_s:
            self._begin()
        elif seconds >= ASKED_WITHIN_S > was_s:
            self._is_left_to_vad = (
                self._began_over_agent
                and not self._windows
                and not self._asking
                and self._events.state.agent_is_speaking
            )
        elif was_s and not seconds and (self._windows or self._is_left_to_vad):
            self._settle(self._resemblance())

    def judge_words(self, text: str, *, is_final: bool, words: Sequence[Word]) -> Overlap:
        """What words of an utterance that began over the agent's voice mean, with its sound."""
        sure = sure_of(words, self._options.sure_word)
        self._words, self._sure = ("", "") if is_final else (text, sure)
        decision = decide_overlap(self._windows, text, sure=sure, words_are_final=is_final, options=self._options)
        if decision is Overlap.BARGE_IN:
            self._settle(OverlapVerdict.INTERRUPTION)
        return decision

    async def judge(self, samples: Pcm16) -> Judged:
        """Judge a window of the caller's audio (16 kHz, ends now). One at a time: what comes meanwhile is not judged."""
        if self._is_settled or self._asking or not 0 < self._sound_s <= self._options.longest_judged_s:
            return GOES_ON
        windows, overlap_s = self._windows, min(self._sound_s, len(samples) / SPEECH_RATE)
        self._asking = True
        try:
            sound = await self._ask(samples, overlap_s)
        finally:
            if windows is self._windows:
                self._asking = False
        windows.append((overlap_s, sound))
        if windows is not self._windows or self._is_settled:
            return GOES_ON  # that sound is over, or decided by its words
        stops = self._stops()
        return Judged(stops) if sound is None else Judged(stops, sound.interruption, sound.inference_s)

    def _stops(self) -> bool:
        if decide_overlap(self._windows, self._words, sure=self._sure, options=self._options) is Overlap.BARGE_IN:
            self._settle(OverlapVerdict.INTERRUPTION)
            self._events.publish(BargeIn())
        elif has_lasted_unjudged(self._windows, self._longest_unjudged_s):
            self._settle(OverlapVerdict.FALLBACK)
        else:
            return False
        return True

    async def _ask(self, samples: Pcm16, overlap_s: float) -> Interruption | None:
        audio = AudioChunk(samples, SPEECH_RATE).to_float()
        audio = audio[-round(self._engine.window_s * SPEECH_RATE) :]
        try:
            sound = await asyncio.wait_for(self._engine.predict(audio, overlap_s), JUDGEMENT_TIMEOUT_S)
        except TimeoutError:  # the machine is busy; the engine may be well
            self._events.publish(EngineLate("interruption"))
        except CallboxError as error:
            if not self._has_failed:
                self._has_failed = True
                self._events.publish(EngineFailed("interruption", type(error).__name__))
        else:
            self._events.publish(OverlapSampled(sound.interruption, sound.inference_s))
            return sound
        return None

    def _resemblance(self) -> OverlapVerdict:
        sounds = [sound for _, sound in self._windows if sound is not None]
        if not sounds:
            return OverlapVerdict.FALLBACK
        backchannel = float(np.mean([sound.backchannel for sound in sounds]))
        return (
            OverlapVerdict.BACKCHANNEL
            if backchannel >= np.mean([sound.other for sound in sounds])
            else OverlapVerdict.OTHER
        )

    def _settle(self, verdict: OverlapVerdict) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._events.publish(OverlapJudged(verdict, self._sound_s))
