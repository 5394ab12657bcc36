"""LocalTurnDetector: predictions as LiveKit requests and receives them."""

import asyncio

import numpy as np
import pytest
from livekit.agents.voice.turn import _StreamingTurnDetector, _StreamingTurnDetectorStream

from agent.adapters.audio import frame_from
from agent.adapters.turn import MIN_PROBABILITY, LocalTurnStream
from agent.call.events import TurnDecided, TurnDecidedBy, TurnJudged
from agent.turns.endpointing import EndpointingOptions
from agent.turns.turn_end import WORDS_TIMEOUT_S
from serving.audio import AudioChunk, Pcm16, Pcm32
from serving.speech import EndOfTurn, TurnContext
from serving.vad.gate import Gate, GateOptions
from tests.agent.turns.pausing import Pausing
from tests.scripted import ScriptedTurn, Sounds, as_pcm16
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

OPTIONS = EndpointingOptions(min_delay_s=0.3, max_delay_s=1.2)


class ListeningTurn(ScriptedTurn):
    """Keeps the audio it was asked about."""

    window_s = 2.0

    def __init__(self, sounds: Sounds) -> None:
        super().__init__(sounds, inference_s=0.02)
        self.heard: list[Pcm32] = []

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        self.heard.append(samples)
        return await super().predict(samples, context)


@pytest.fixture
def sounds() -> Sounds:
    return Sounds()


@pytest.fixture
def engine(sounds: Sounds) -> ListeningTurn:
    return ListeningTurn(sounds)


@pytest.fixture
def caller(engine: ListeningTurn, sounds: Sounds) -> Pausing:
    return Pausing(engine, sounds, OPTIONS)


def push(stream: LocalTurnStream, samples: Pcm16, rate: int = 16_000) -> None:
    """Push audio in 20 ms frames."""
    step = rate // 50
    for at in range(0, len(samples), step):
        stream.push_audio(frame_from(AudioChunk(samples[at : at + step], rate)))


def test_it_satisfies_livekits_streaming_detector(caller: Pausing) -> None:
    assert isinstance(caller.detector, _StreamingTurnDetector)
    assert isinstance(caller.stream, _StreamingTurnDetectorStream)
    assert (caller.detector.model, caller.stream.model, caller.stream.provider) == ("turn", "turn", "callbox")


@in_virtual_time
async def test_what_it_reports_to_livekit(caller: Pausing) -> None:
    assert await caller.stream.unlikely_threshold(None) == MIN_PROBABILITY
    assert await caller.stream.backchannel_threshold(None) is None
    assert await caller.stream.supports_language(None)
    assert not caller.stream.is_fallback


@pytest.mark.parametrize("longest_s", [0.8, 5.0])
@in_virtual_time
async def test_livekit_waits_longer_than_any_prediction_takes(engine: ListeningTurn, longest_s: float) -> None:
    caller = Pausing(engine, engine.sounds, EndpointingOptions(max_delay_s=longest_s))
    assert caller.stream.prediction_timeout > max(longest_s, WORDS_TIMEOUT_S)


@pytest.mark.parametrize(("ends_turn", "probability"), [(True, 0.95), (False, 0.05)])
@in_virtual_time
async def test_a_prediction_reports_the_end_of_turn_probability(
    caller: Pausing, ends_turn: bool, probability: float
) -> None:
    await caller.say("where can i park", ends_turn=ends_turn)
    await caller.pause(1.5)
    assert caller.answer is not None
    event = caller.answer.result()
    assert (event.type, event.end_of_turn_probability) == ("eot_prediction", probability)
    assert event.inference_duration == pytest.approx(0.02)
    assert caller.commit().probability == probability


@in_virtual_time
async def test_a_prediction_always_lets_livekit_end_the_turn(caller: Pausing, engine: ListeningTurn) -> None:
    engine.doubt = lambda context: 0.0
    await caller.say("where can i park", ends_turn=False)
    await caller.pause(1.5)
    assert caller.answer is not None
    threshold = await caller.stream.unlikely_threshold(None)
    assert threshold is not None
    assert caller.answer.result().end_of_turn_probability >= threshold
    engine.is_dead = True
    await caller.say("where can i park", ends_turn=False)
    await caller.pause(1.5)
    assert caller.answer.result().end_of_turn_probability >= threshold


@in_virtual_time
async def test_only_the_last_seconds_are_kept(caller: Pausing, engine: ListeningTurn, sounds: Sounds) -> None:
    await caller.say(" ".join(["word"] * 30))
    await caller.pause(0.256)
    (heard,) = engine.heard
    assert 2.0 * 16_000 <= len(heard) <= 2.04 * 16_000
    words = sounds.words(as_pcm16(heard), rate=16_000)
    assert words[-1][0].end_s == pytest.approx(len(heard) / 16_000 - 0.224)


@in_virtual_time
async def test_audio_at_another_rate_is_resampled(caller: Pausing, engine: ListeningTurn) -> None:
    engine.is_dead = True  # it cannot read words through the resampler's dither
    caller.recognised("park")
    caller.turn.heard_window(Gate(GateOptions()), 0.032)
    push(caller.stream, np.zeros(48_000, np.int16), rate=48_000)
    pending = caller.stream.predict()
    await asyncio.sleep(0.01)
    assert len(engine.heard[0]) == pytest.approx(16_000, rel=0.05)
    await pending


@in_virtual_time
async def test_without_any_audio_silence_is_judged(caller: Pausing, engine: ListeningTurn) -> None:
    caller.recognised("park")
    caller.turn.heard_window(Gate(GateOptions()), 0.032)
    await caller.stream.predict()
    assert engine.heard[0].dtype == np.float32
    assert not engine.heard[0].any()


@in_virtual_time
async def test_a_cancelled_prediction_resolves_at_once_below_livekits_threshold(
    caller: Pausing, engine: ListeningTurn
) -> None:
    await caller.say("where can i park")
    await caller.pause(0.224)
    assert caller.answer is not None
    caller.stream.cancel_inference()
    assert caller.answer.result().end_of_turn_probability < MIN_PROBABILITY
    await asyncio.sleep(2)
    assert (engine.running, caller.judged) == (0, [])
    assert caller.commit() == TurnDecided(None, None, judgements=len(engine.asked))


@in_virtual_time
async def test_a_new_prediction_replaces_the_one_before(caller: Pausing, engine: ListeningTurn) -> None:
    await caller.say("where can i park", ends_turn=False)
    await caller.pause(0.256)
    first, second = caller.answer, caller.stream.predict()
    assert first is not None
    assert first.done()
    assert not second.done()
    await caller.pause(1.5)
    assert second.result().end_of_turn_probability == 0.05
    assert caller.commit().probability == 0.05


@in_virtual_time
async def test_cancelling_a_finished_prediction_leaves_it(caller: Pausing) -> None:
    await caller.say("park")
    await caller.pause(0.5)
    assert caller.answer is not None
    caller.stream.cancel_inference()
    assert caller.answer.result().end_of_turn_probability == 0.95


@in_virtual_time
async def test_a_flush_forgets_the_turn(caller: Pausing, engine: ListeningTurn) -> None:
    await caller.say("where can i park", ends_turn=False)
    await caller.pause(0.256)
    caller.stream.flush("turn committed")
    assert caller.answer is not None
    assert caller.answer.done()
    assert caller.turn.words == ""
    await caller.say("and when")
    await caller.pause(0.256)
    assert engine.asked[-1].words == "and when"
    assert len(engine.heard[-1]) < 16_000


@in_virtual_time
async def test_how_a_turn_was_decided_is_published_once_it_is_answered(caller: Pausing) -> None:
    await caller.say("i would like", ends_turn=False)
    await caller.pause(0.32)
    await caller.say("to park")
    await caller.pause(0.5)
    caller.stream.flush("clear_user_turn")
    assert caller.call.of(TurnDecided) == []
    await caller.say("i would like", ends_turn=False)
    await caller.pause(0.32)  # judged once
    await caller.say("to park")
    await caller.pause(0.5)  # and once more
    caller.stream.flush("turn committed")
    assert caller.call.of(TurnDecided) == [TurnDecided(TurnDecidedBy.JUDGEMENT, 0.95, judgements=2)]


@in_virtual_time
async def test_every_judgement_is_published_with_its_silence(caller: Pausing, engine: ListeningTurn) -> None:
    await caller.say("i would like", ends_turn=False)
    await caller.pause(0.5)
    published = caller.call.of(TurnJudged)
    assert len(published) > 1
    assert [judged.silence_s for judged in published] == [context.silence_s for context in engine.asked]
    assert {(judged.probability, judged.inference_s) for judged in published} == {(0.05, 0.02)}


@in_virtual_time
async def test_why_a_turn_was_over_is_published(caller: Pausing, engine: ListeningTurn) -> None:
    await caller.say("where can i", ends_turn=False)
    await caller.pause(1.5)
    assert caller.commit().by is TurnDecidedBy.LONGEST_DELAY
    engine.is_dead = True
    await caller.say("where can i park")
    await caller.pause(1.5)
    assert caller.commit().by is TurnDecidedBy.SILENCE


@in_virtual_time
async def test_closing_cancels_the_prediction_under_way(caller: Pausing, engine: ListeningTurn) -> None:
    await caller.say("where can i park")
    await caller.pause(0.224)
    await asyncio.sleep(0.01)
    assert engine.running == 1
    await caller.stream.aclose()
    assert caller.answer is not None
    assert caller.answer.done()
    assert engine.running == 0
    await caller.stream.aclose()


@in_virtual_time
async def test_a_prediction_that_livekit_gave_up_on_is_left_alone(caller: Pausing) -> None:
    await caller.say("park")
    await caller.pause(0.224)
    pending = caller.answer
    assert pending is not None
    pending.cancel()
    await asyncio.sleep(1)
    caller.stream.cancel_inference(timed_out=True)
    assert pending.cancelled()


@in_virtual_time
async def test_calls_share_nothing_but_the_engine(engine: ListeningTurn, sounds: Sounds) -> None:
    one, other = Pausing(engine, sounds, OPTIONS), Pausing(engine, sounds, OPTIONS)

    async def talk(caller: Pausing, text: str, *, ends_turn: bool) -> None:
        await caller.say(text, ends_turn=ends_turn)
        await caller.pause(1.5)

    await asyncio.gather(talk(one, "park", ends_turn=True), talk(other, "where", ends_turn=False))
    assert (one.commit().probability, other.commit().probability) == (0.95, 0.05)
    assert one.judged == [0.95]
    assert set(other.judged) == {0.05}
    assert {context.words for context in engine.asked} == {"park", "where"}
