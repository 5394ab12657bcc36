"""What is decided about sounds over the agent's voice, and published."""

import asyncio
from collections import deque

import numpy as np
import pytest

from agent.call.events import (
    BargeIn,
    CallState,
    EngineFailed,
    EngineLate,
    OverlapJudged,
    OverlapSampled,
    OverlapVerdict,
)
from agent.turns.barge_in import Overlap, OverlapOptions
from agent.turns.overlap import GOES_ON, JUDGEMENT_TIMEOUT_S, OverlapJudge
from models.errors import CallboxError
from serving.audio import SPEECH_RATE, Pcm16, Pcm32
from serving.errors import EngineDied
from serving.speech import Interruption, VoiceActivity, Word
from serving.vad.gate import Gate, GateOptions
from tests.published import Published
from tests.scripted import ScriptedEngine
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

OPTIONS = OverlapOptions()


def said(*words: str, probability: float = 0.95) -> list[Word]:
    """Words one after the other, all of them this probable."""
    return [Word(word, 0.2 * place, 0.2 * place + 0.2, probability) for place, word in enumerate(words)]


class ListedInterruption(ScriptedEngine):
    """Says what the test puts into it."""

    name = "interruption"
    window_s = 2.0

    def __init__(self, *answers: Interruption | CallboxError | float) -> None:
        super().__init__()
        self.answers = deque(answers)
        """What it hears, how it fails, or how long it takes to hear nothing."""
        self.asked: list[tuple[Pcm32, float]] = []

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        self.asked.append((samples, overlap_s))
        answer = self.answers.popleft()
        if isinstance(answer, CallboxError):
            raise answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return noise(0.1)
        return answer


class Call:
    """A call in which the agent is speaking."""

    def __init__(self, *answers: Interruption | CallboxError | float, options: OverlapOptions = OPTIONS) -> None:
        self.engine = ListedInterruption(*answers)
        self.events = Published(CallState.AGENT_SPEAKING)
        self.judge = OverlapJudge(self.engine, options, max_unjudged_s=0.8, events=self.events)
        self._open, self._shut = Gate(GateOptions()), Gate(GateOptions())
        for window in (1, 2):
            self._open.push(VoiceActivity(0.9, window * 0.032))

    def sound_lasts(self, seconds: float) -> None:
        """The VAD has heard a window: the caller's sound has been going on for so long, or there is none."""
        gate = self._open if seconds else self._shut
        self.judge.heard_window(gate, gate.opened_at_s + seconds)

    async def stops_at(self, *seconds: float) -> list[float]:
        """The moments of one sound at which its window is answered with a stop."""
        stops = []
        for at in seconds:
            self.sound_lasts(at)
            if (await self.judge.judge(window(at))).stops:
                stops.append(at)
        return stops

    @property
    def barge_ins(self) -> int:
        """How many were published."""
        return len(self.events.of(BargeIn))

    @property
    def verdicts(self) -> list[str]:
        """What was published of its sounds, in order."""
        return [judged.verdict.value for judged in self.events.of(OverlapJudged)]


def wish(probability: float) -> Interruption:
    """A wish to speak, with this probability."""
    return Interruption(probability, 1 - probability, 0.0, 0.012)


def noise(interruption: float = 0.0) -> Interruption:
    """Sound that does not want the floor."""
    return Interruption(interruption, 0.0, 1 - interruption, 0.012)


def window(overlap_s: float) -> Pcm16:
    """As LiveKit sends it: a second of before, and the overlap."""
    return np.ones(round((1.0 + overlap_s) * SPEECH_RATE), np.int16)


async def test_a_sure_window_stops_the_agent_and_publishes_one_barge_in() -> None:
    call = Call(wish(0.5), wish(0.95))
    assert await call.stops_at(0.2, 0.3, 0.4, 0.5) == [0.3]
    assert call.barge_ins == 1
    assert len(call.engine.asked) == 2
    call.sound_lasts(0.0)
    (judged,) = call.events.of(OverlapJudged)
    assert judged.verdict is OverlapVerdict.INTERRUPTION
    assert judged.after_s == pytest.approx(0.3)


async def test_the_answer_says_what_the_engine_heard() -> None:
    call = Call(wish(0.5))
    call.sound_lasts(0.2)
    judged = await call.judge.judge(window(0.2))
    assert (judged.stops, judged.wish, judged.inference_s) == (False, 0.5, 0.012)
    assert call.events.payloads == [OverlapSampled(interruption=0.5, inference_s=0.012)]


async def test_the_engine_hears_no_more_than_it_can_use_and_how_long_the_sound_is() -> None:
    call = Call(noise(), noise())
    await call.stops_at(0.3, 1.5)
    assert [len(samples) for samples, _ in call.engine.asked] == [round(1.3 * SPEECH_RATE), 2 * SPEECH_RATE]
    assert [overlap_s for _, overlap_s in call.engine.asked] == [0.3, 1.5]


async def test_the_engine_is_not_asked_about_more_than_a_beginning() -> None:
    call = Call(noise(), noise())
    assert await call.stops_at(0.2, OPTIONS.longest_judged_s, OPTIONS.longest_judged_s + 0.1, 9.0) == []
    assert len(call.engine.asked) == 2
    call.sound_lasts(0.0)
    assert call.verdicts == ["other"]


async def test_each_sound_is_judged_by_itself() -> None:
    call = Call(wish(0.7), wish(0.7))
    assert await call.stops_at(0.2) == []
    call.sound_lasts(0.0)
    assert await call.stops_at(0.2) == []
    assert call.verdicts == ["backchannel"]


async def test_sounds_that_do_not_interrupt_are_published_as_what_they_resemble() -> None:
    call = Call(noise(), wish(0.1), wish(0.1), wish(0.1))
    await call.stops_at(0.2, 0.3, 0.4)
    call.sound_lasts(0.0)
    await call.stops_at(0.2)
    call.sound_lasts(0.0)
    assert call.verdicts == ["backchannel", "backchannel"]


async def test_words_count_with_the_sound() -> None:
    call = Call(wish(OverlapOptions().likely))
    assert await call.stops_at(0.2) == []
    assert call.judge.judge_words("tuesday", is_final=False, words=said("tuesday")) is Overlap.BARGE_IN
    assert await call.stops_at(0.3) == []
    assert call.barge_ins == 0  # whoever heard the words publishes it
    assert call.verdicts == ["interruption"]


async def test_words_known_before_a_window_count_with_it() -> None:
    call = Call(wish(0.95), wish(0.95))
    call.sound_lasts(0.1)
    assert call.judge.judge_words("yeah", is_final=False, words=said("yeah")) is Overlap.UNDECIDED
    assert await call.stops_at(0.2) == []
    assert call.judge.judge_words("yeah", is_final=True, words=said("yeah")) is Overlap.BACKCHANNEL


async def test_words_that_the_recogniser_doubts_wait_for_the_sound() -> None:
    call = Call(wish(0.1), wish(0.1), options=OverlapOptions(sure_word=0.7))
    assert await call.stops_at(0.2) == []
    doubted = said("hugo", "cooper", probability=0.6)
    assert call.judge.judge_words("hugo cooper", is_final=False, words=doubted) is Overlap.UNDECIDED
    assert await call.stops_at(0.3) == []
    assert call.judge.judge_words("hugo cooper", is_final=True, words=doubted) is Overlap.BACKCHANNEL
    assert call.judge.judge_words("hugo cooper", is_final=False, words=said("hugo", "cooper")) is Overlap.BARGE_IN


async def test_a_window_without_a_sound_and_a_sound_without_a_window_publish_nothing() -> None:
    call = Call()
    assert await call.judge.judge(window(0.2)) == GOES_ON
    call.sound_lasts(0.2)
    call.sound_lasts(0.0)
    assert call.events.payloads == []


# the engine fails or is late


async def test_unjudged_sound_stops_by_its_length_and_is_no_barge_in() -> None:
    call = Call(*[EngineDied("dead")] * 9)
    assert await call.stops_at(*(0.1 * n for n in range(1, 12))) == [pytest.approx(0.8)]
    assert call.barge_ins == 0
    assert call.events.of(EngineFailed) == [EngineFailed("interruption", "EngineDied")]
    assert call.verdicts == ["fallback"]


async def test_an_engine_that_recovers_in_a_sound_is_believed() -> None:
    call = Call(EngineDied("dead"), EngineDied("dead"), wish(0.95))
    assert await call.stops_at(0.2, 0.3, 0.4) == [0.4]
    assert call.verdicts == ["interruption"]


@in_virtual_time
async def test_a_late_judgement_is_done_without_in_time_for_livekit() -> None:
    call = Call(30.0, wish(0.95))
    began = asyncio.get_running_loop().time()
    assert await call.stops_at(0.2) == []
    assert asyncio.get_running_loop().time() - began == pytest.approx(JUDGEMENT_TIMEOUT_S)
    assert call.events.payloads == [EngineLate("interruption")]
    assert await call.stops_at(0.6) == [0.6]


@in_virtual_time
async def test_windows_that_come_meanwhile_are_answered_at_once() -> None:
    call = Call(0.3, wish(0.95))
    call.sound_lasts(0.2)
    first = asyncio.create_task(call.judge.judge(window(0.2)))
    await asyncio.sleep(0.1)
    assert await call.judge.judge(window(0.3)) == GOES_ON
    assert not first.done()
    await first
    assert await call.stops_at(0.5) == [0.5]


@in_virtual_time
async def test_a_judgement_of_a_sound_that_is_over_says_nothing_about_the_next() -> None:
    call = Call(0.3, wish(0.7))
    call.sound_lasts(0.2)
    first = asyncio.create_task(call.judge.judge(window(0.2)))
    await asyncio.sleep(0.1)
    call.sound_lasts(0.0)
    assert await call.stops_at(0.2) == []
    assert await first == GOES_ON
    assert len(call.engine.asked) == 2


# LiveKit does not ask


def test_a_sound_that_livekit_leaves_to_the_vad_is_published_as_such() -> None:
    call = Call()
    for seconds in (0.1, 0.4, 0.6, 0.0):
        call.sound_lasts(seconds)
    assert call.verdicts == ["fallback"]


def state_when(*, agent_speaks: bool) -> CallState:
    """Where the call stands while the caller speaks."""
    return CallState.OVERLAP if agent_speaks else CallState.CALLER_SPEAKING


@pytest.mark.parametrize("speaking", [(True, False), (False, True), (False, False)])
def test_a_sound_not_wholly_over_the_agents_voice_is_no_overlap(speaking: tuple[bool, bool]) -> None:
    call = Call()
    call.events.state = state_when(agent_speaks=speaking[0])
    call.sound_lasts(0.1)
    call.events.state = state_when(agent_speaks=speaking[1])
    call.sound_lasts(0.6)
    call.sound_lasts(0.0)
    assert call.events.payloads == []


async def test_a_vad_that_begins_anew_ends_the_sound() -> None:
    call = Call(noise(), noise())
    await call.stops_at(0.2)
    call.judge.voice_reset()
    assert call.verdicts == ["other"]
    await call.stops_at(0.2)
    call.judge.voice_reset()
    assert call.verdicts == ["other", "other"]
