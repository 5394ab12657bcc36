"""Sound over the agent's voice in one call, judged with an InterruptionEngine and the words recognised so far."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

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
"""A later judgement is not used. After 0.7 s without an answer LiveKit gives up on the whole model, for the rest of the call."""
ASKED_WITHIN_S = 0.5
"""By then LiveKit has asked about a sound, unless it leaves it to the VAD: because the caller was already speaking when the
agent began, or because it has given up on the model."""


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


class _Progress(Enum):
    """How far the judgement of a sound has come."""

    OPEN = "open"
    LEFT_TO_VAD = "left_to_vad"
    """LiveKit does not ask about it."""
    SETTLED = "settled"


@dataclass(slots=True, eq=False)
class _Sound:
    """One sound of the caller's, from its beginning on."""

    began_over_agent: bool
    progress: _Progress = _Progress.OPEN
    windows: list[Window] = field(default_factory=list)
    """What the engine said of it so far."""
    words: str = ""
    sure_words: str = ""
    """Of the words, those that the recogniser is sure of."""
    is_being_judged: bool = False
    has_failed: bool = False
    """Whether the engine has failed on it; published once."""


class OverlapJudge:
    """Decides about the caller's sounds over the agent's voice. Belongs to the event loop of its call.

    LiveKit's windows come in through `judge`, the VAD's clock through `heard_window`, the words through `judge_words`. A
    barge-in is published at once: LiveKit alone would pause until the final transcript, and could prepare no answer meanwhile.
    Sound that could not be judged for `max_unjudged_s` only pauses the agent, as without an engine.
    """

    def __init__(
        self, engine: InterruptionEngine, options: OverlapOptions, *, max_unjudged_s: float, events: EventStream
    ) -> None:
        self._engine = engine
        self._options = options
        self._max_unjudged_s = max_unjudged_s
        self._events = events
        self._sound_s = 0.0
        """How long the caller's sound has lasted, on the audio clock; 0 while there is none."""
        self._sound = self._new_sound()

    def heard_window(self, gate: Gate, end_s: float) -> None:
        """The VAD has judged a window that ends at `end_s`, and its gate has seen it."""
        self._sound_lasts(end_s - gate.opened_at_s if gate.is_open else 0.0)

    def voice_reset(self) -> None:
        """The VAD starts over: the sound so far has ended."""
        self._sound_lasts(0.0)

    def judge_words(self, text: str, *, is_final: bool, words: Sequence[Word]) -> Overlap:
        """What the words of an utterance that began over the agent's voice mean, together with its sound."""
        sound, sure = self._sound, sure_of(words, self._options.sure_word)
        sound.words, sound.sure_words = ("", "") if is_final else (text, sure)
        decision = decide_overlap(sound.windows, text, sure=sure, words_are_final=is_final, options=self._options)
        if decision is Overlap.BARGE_IN:
            self._settle(OverlapVerdict.INTERRUPTION)
        return decision

    async def judge(self, samples: Pcm16) -> Judged:
        """Judge a window of the caller's audio (16 kHz, ends now). Windows that arrive during a judgement are not judged."""
        sound = self._sound
        is_settled = sound.progress is _Progress.SETTLED
        if is_settled or sound.is_being_judged or not 0 < self._sound_s <= self._options.longest_judged_s:
            return GOES_ON
        overlap_s = min(self._sound_s, len(samples) / SPEECH_RATE)
        sound.is_being_judged = True
        try:
            found = await self._ask(sound, samples, overlap_s)
        finally:
            sound.is_being_judged = False
        sound.windows.append((overlap_s, found))
        if sound is not self._sound or sound.progress is _Progress.SETTLED:
            return GOES_ON  # it has ended, or its words have decided
        stops = self._stops(sound)
        return Judged(stops) if found is None else Judged(stops, found.interruption, found.inference_s)

    def _new_sound(self) -> _Sound:
        return _Sound(began_over_agent=self._events.state.agent_is_speaking)

    def _sound_lasts(self, seconds: float) -> None:
        was_s, self._sound_s = self._sound_s, seconds
        sound = self._sound
        if seconds and not was_s:
            self._sound = self._new_sound()
        elif seconds >= ASKED_WITHIN_S > was_s:
            is_unasked = sound.began_over_agent and not sound.windows and not sound.is_being_judged
            if is_unasked and sound.progress is _Progress.OPEN and self._events.state.agent_is_speaking:
                sound.progress = _Progress.LEFT_TO_VAD
        elif was_s and not seconds and (sound.windows or sound.progress is _Progress.LEFT_TO_VAD):
            self._settle(_resemblance(sound))

    def _stops(self, sound: _Sound) -> bool:
        decision = decide_overlap(sound.windows, sound.words, sure=sound.sure_words, options=self._options)
        if decision is Overlap.BARGE_IN:
            self._settle(OverlapVerdict.INTERRUPTION)
            self._events.publish(BargeIn())
        elif has_lasted_unjudged(sound.windows, self._max_unjudged_s):
            self._settle(OverlapVerdict.FALLBACK)
        else:
            return False
        return True

    async def _ask(self, sound: _Sound, samples: Pcm16, overlap_s: float) -> Interruption | None:
        audio = AudioChunk(samples, SPEECH_RATE).to_float()
        audio = audio[-round(self._engine.window_s * SPEECH_RATE) :]
        try:
            found = await asyncio.wait_for(self._engine.predict(audio, overlap_s), JUDGEMENT_TIMEOUT_S)
        except TimeoutError:  # the machine is busy; the engine may be fine
            self._events.publish(EngineLate("interruption"))
        except CallboxError as error:
            if not sound.has_failed:
                sound.has_failed = True
                self._events.publish(EngineFailed("interruption", type(error).__name__))
        else:
            self._events.publish(OverlapSampled(found.interruption, found.inference_s))
            return found
        return None

    def _settle(self, verdict: OverlapVerdict) -> None:
        if self._sound.progress is not _Progress.SETTLED:
            self._sound.progress = _Progress.SETTLED
            self._events.publish(OverlapJudged(verdict, self._sound_s))


def _resemblance(sound: _Sound) -> OverlapVerdict:
    """What a sound that was no interruption resembled most."""
    found = [window for _, window in sound.windows if window is not None]
    if not found:
        return OverlapVerdict.FALLBACK
    backchannel, other = (np.mean([getattr(one, kind) for one in found]) for kind in ("backchannel", "other"))
    return OverlapVerdict.BACKCHANNEL if backchannel >= other else OverlapVerdict.OTHER
