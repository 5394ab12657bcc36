"""LocalTurnDetector: judgements as LiveKit asks for them."""

import asyncio

import numpy as np
import pytest
from livekit.agents.voice.turn import _StreamingTurnDetector, _StreamingTurnDetectorStream

from agent.adapters.audio import frame_from
from agent.adapters.turn import JUDGEMENT_TIMEOUT_S, WORDS_TIMEOUT_S, LocalTurnDetector, LocalTurnStream
from serving.audio import AudioChunk, Pcm16, Pcm32
from serving.errors import EngineDied
from serving.speech import EndOfTurn, TurnContext
from tests.scripted import ScriptedTurn, Sounds, as_pcm16
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


class ListeningTurn(ScriptedTurn):
    """Keeps what it was asked about."""

    window_s = 2.0

    def __init__(self, sounds: Sounds) -> None:
        super().__init__(sounds, inference_s=0.02)
        self.asked: list[Pcm32] = []
        self.answered = 0

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        self.asked.append(samples)
        if self.is_dead:
            raise EngineDied("The turn engine is dead.")
        verdict = await super().predict(samples, context)
        self.answered += 1
        return verdict


@pytest.fixture
def sounds() -> Sounds:
    return Sounds()


@pytest.fixture
def engine(sounds: Sounds) -> ListeningTurn:
    return ListeningTurn(sounds)


@pytest.fixture
def verdicts() -> list[float]:
    """What the detector reported."""
    return []


@pytest.fixture
def words_are_in() -> asyncio.Event:
    """Set: nothing is being recognised."""
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
def detector(engine: ListeningTurn, verdicts: list[float], words_are_in: asyncio.Event) -> LocalTurnDetector:
    return LocalTurnDetector(engine, 0.6, words_are_in=words_are_in, on_verdict=verdicts.append)


def push(stream: LocalTurnStream, samples: Pcm16, rate: int = 16_000) -> None:
    """Audio in 20 ms frames."""
    step = rate // 50
    for at in range(0, len(samples), step):
        stream.push_audio(frame_from(AudioChunk(samples[at : at + step], rate)))


def test_livekit_takes_it_for_a_streaming_detector(detector: LocalTurnDetector) -> None:
    assert isinstance(detector, _StreamingTurnDetector)
    assert isinstance(detector.stream(), _StreamingTurnDetectorStream)
    assert (detector.model, detector.provider) == ("turn", "callbox")


@in_virtual_time
async def test_what_it_tells_livekit(detector: LocalTurnDetector) -> None:
    stream = detector.stream()
    assert await stream.unlikely_threshold(None) == 0.6
    assert await stream.backchannel_threshold(None) is None
    assert await stream.supports_language(None)
    assert not stream.is_fallback
    assert stream.prediction_timeout == WORDS_TIMEOUT_S


@pytest.mark.parametrize(("ends_turn", "probability"), [(True, 0.95), (False, 0.05)])
@in_virtual_time
async def test_a_judgement_is_about_what_was_heard(
    detector: LocalTurnDetector, sounds: Sounds, verdicts: list[float], ends_turn: bool, probability: float
) -> None:
    stream = detector.stream()
    push(stream, sounds.speech("where can i park", ends_turn=ends_turn))
    event = await stream.predict()
    assert (event.type, event.end_of_turn_probability) == ("eot_prediction", probability)
    assert event.inference_duration == pytest.approx(0.02)
    assert verdicts == [probability]


@in_virtual_time
async def test_only_the_last_seconds_are_kept(
    detector: LocalTurnDetector, engine: ListeningTurn, sounds: Sounds
) -> None:
    stream = detector.stream()
    samples = sounds.speech(" ".join(["word"] * 30))
    push(stream, samples)
    await stream.predict()
    (asked,) = engine.asked
    assert 2.0 * 16_000 <= len(asked) <= 2.04 * 16_000
    assert as_pcm16(asked).tolist() == samples[-len(asked) :].tolist()


@in_virtual_time
async def test_audio_at_another_rate_is_resampled(detector: LocalTurnDetector, engine: ListeningTurn) -> None:
    engine.is_dead = True  # a resampler's dither is no language that it reads
    stream = detector.stream()
    push(stream, np.zeros(48_000, np.int16), rate=48_000)
    await stream.predict()
    assert len(engine.asked[0]) == pytest.approx(16_000, rel=0.05)


@in_virtual_time
async def test_with_nothing_heard_silence_is_judged(detector: LocalTurnDetector, engine: ListeningTurn) -> None:
    await detector.stream().predict()
    assert engine.asked[0].dtype == np.float32
    assert not engine.asked[0].any()


@in_virtual_time
async def test_a_cancelled_judgement_is_answered_at_once_and_not_reported(
    detector: LocalTurnDetector, engine: ListeningTurn, verdicts: list[float]
) -> None:
    stream = detector.stream()
    pending = stream.predict()
    await asyncio.sleep(0.01)
    stream.cancel_inference()
    assert pending.done()
    assert pending.result().end_of_turn_probability == 0.0
    await asyncio.sleep(1)
    assert (engine.answered, verdicts) == (0, [])


@in_virtual_time
async def test_a_new_question_replaces_the_one_before(
    detector: LocalTurnDetector, engine: ListeningTurn, sounds: Sounds, verdicts: list[float]
) -> None:
    stream = detector.stream()
    push(stream, sounds.speech("where can i", ends_turn=False))
    first = stream.predict()
    await asyncio.sleep(0.01)
    push(stream, sounds.speech("park"))
    second = stream.predict()
    assert first.done()
    assert (await second).end_of_turn_probability == 0.95
    assert (engine.answered, verdicts) == (1, [0.95])


@in_virtual_time
async def test_cancelling_after_the_answer_leaves_it(detector: LocalTurnDetector, sounds: Sounds) -> None:
    stream = detector.stream()
    push(stream, sounds.speech("park"))
    pending = stream.predict()
    await pending
    stream.cancel_inference()
    assert pending.result().end_of_turn_probability == 0.95


@in_virtual_time
async def test_a_flush_forgets_the_turn(detector: LocalTurnDetector, engine: ListeningTurn, sounds: Sounds) -> None:
    stream = detector.stream()
    push(stream, sounds.speech("where can i park"))
    pending = stream.predict()
    stream.flush("turn committed")
    assert pending.done()
    await stream.predict()
    assert not engine.asked[-1].any()


@in_virtual_time
async def test_a_failed_judgement_leaves_it_to_silence(
    detector: LocalTurnDetector, engine: ListeningTurn, sounds: Sounds, verdicts: list[float]
) -> None:
    stream = detector.stream()
    engine.is_dead = True
    push(stream, sounds.speech("where can i", ends_turn=False))
    assert (await stream.predict()).end_of_turn_probability == 1.0
    assert verdicts == []
    engine.is_dead = False
    assert (await stream.predict()).end_of_turn_probability == 0.05


@in_virtual_time
async def test_a_late_judgement_is_done_without(
    detector: LocalTurnDetector, engine: ListeningTurn, sounds: Sounds, verdicts: list[float]
) -> None:
    engine.inference_s = 60.0
    stream = detector.stream()
    push(stream, sounds.speech("where can i", ends_turn=False))
    began = asyncio.get_running_loop().time()
    assert (await stream.predict()).end_of_turn_probability == 1.0
    assert asyncio.get_running_loop().time() - began == pytest.approx(JUDGEMENT_TIMEOUT_S)
    assert verdicts == []


@in_virtual_time
async def test_a_judgement_waits_for_words_that_are_being_recognised(
    detector: LocalTurnDetector, sounds: Sounds, verdicts: list[float], words_are_in: asyncio.Event
) -> None:
    words_are_in.clear()
    stream = detector.stream()
    push(stream, sounds.speech("park"))
    pending = stream.predict()
    await asyncio.sleep(1.0)
    assert not pending.done()
    assert verdicts == [0.95]
    words_are_in.set()
    event = await pending
    assert event.end_of_turn_probability == 0.95
    assert event.inference_duration == pytest.approx(0.02)


@in_virtual_time
async def test_a_judgement_that_waits_for_words_can_be_cancelled(
    detector: LocalTurnDetector, words_are_in: asyncio.Event
) -> None:
    words_are_in.clear()
    stream = detector.stream()
    pending = stream.predict()
    await asyncio.sleep(1.0)
    stream.cancel_inference(timed_out=True)
    assert pending.done()


@in_virtual_time
async def test_closing_drops_what_is_under_way(detector: LocalTurnDetector, engine: ListeningTurn) -> None:
    stream = detector.stream()
    pending = stream.predict()
    await asyncio.sleep(0.01)
    await stream.aclose()
    assert pending.done()
    await asyncio.sleep(1)
    assert engine.answered == 0
    await stream.aclose()


@in_virtual_time
async def test_a_future_that_livekit_has_given_up_is_left_alone(detector: LocalTurnDetector) -> None:
    stream = detector.stream()
    pending = stream.predict()
    pending.cancel()
    await asyncio.sleep(1)
    stream.cancel_inference(timed_out=True)
    assert pending.cancelled()


@in_virtual_time
async def test_streams_share_nothing(detector: LocalTurnDetector, sounds: Sounds) -> None:
    one, other = detector.stream(), detector.stream()
    push(one, sounds.speech("park"))
    push(other, sounds.speech("where", ends_turn=False))
    first, second = one.predict(), other.predict()
    assert (await first).end_of_turn_probability == 0.95
    assert (await second).end_of_turn_probability == 0.05
