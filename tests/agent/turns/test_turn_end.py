"""When a silence ends a turn: judgements, words, failures, and sound that comes back."""

import asyncio
import random
from dataclasses import replace

import pytest

from agent.call.events import EngineFailed, EngineLate, TurnDecided, TurnDecidedBy
from agent.turns.caller_turn import MUTED_S
from agent.turns.endpointing import EndpointingOptions, Judgement, delay_s, turn_end_s
from agent.turns.judged_words import judged_words
from agent.turns.turn_end import JUDGEMENT_TIMEOUT_S, WORDS_TIMEOUT_S
from serving.speech import TranscriptStage, TurnContext
from tests.agent.turns.pausing import Pausing
from tests.scripted import ScriptedTurn, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

OPTIONS = EndpointingOptions(min_delay_s=0.3, max_delay_s=1.2, threshold_at_1s=0.4, decline=1.0, unjudged_delay_s=0.8)
ASKED_S = 0.224
"""Where in a silence LiveKit asks: the first window's end from 200 ms on."""


@pytest.fixture
def sounds() -> Sounds:
    return Sounds()


@pytest.fixture
def engine(sounds: Sounds) -> ScriptedTurn:
    return ScriptedTurn(sounds, inference_s=0.02)


@pytest.fixture
def caller(engine: ScriptedTurn, sounds: Sounds) -> Pausing:
    return Pausing(engine, sounds, OPTIONS)


@in_virtual_time
async def test_a_sure_end_is_answered_at_the_least_delay_after_one_judgement(
    caller: Pausing, engine: ScriptedTurn
) -> None:
    await caller.say("where can i park")
    await caller.pause(1.5)
    assert caller.answered_after_s == pytest.approx(0.3)
    assert caller.commit() == TurnDecided(TurnDecidedBy.JUDGEMENT, 0.95, judgements=1)
    assert len(engine.asked) == 1


@in_virtual_time
async def test_a_sure_end_that_is_judged_slowly_is_answered_when_it_is(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.inference_s = 0.2
    await caller.say("where can i park")
    await caller.pause(1.5)
    assert caller.answered_after_s == pytest.approx(ASKED_S + 0.2)


@in_virtual_time
async def test_doubt_waits_as_long_as_the_policy_says_and_is_judged_all_the_while(
    caller: Pausing, engine: ScriptedTurn
) -> None:
    engine.doubt = lambda context: 0.5
    await caller.say("where can i", ends_turn=False)
    await caller.pause(1.5)
    assert caller.answered_after_s == pytest.approx(delay_s(OPTIONS, 0.5)) == pytest.approx(2 / 3)
    assert [context.silence_s for context in engine.asked] == pytest.approx(
        [0.224, 0.324, 0.424, 0.524, 0.624], abs=0.01
    )
    assert caller.judged == [0.5] * len(engine.asked)
    assert caller.commit() == TurnDecided(TurnDecidedBy.JUDGEMENT, 0.5, judgements=len(engine.asked))


@in_virtual_time
async def test_the_longest_delay_ends_every_turn(caller: Pausing, engine: ScriptedTurn) -> None:
    await caller.say("where can i", ends_turn=False)
    await caller.pause(2.0)
    assert caller.answered_after_s == pytest.approx(1.2)
    assert caller.commit() == TurnDecided(TurnDecidedBy.LONGEST_DELAY, 0.05, judgements=len(engine.asked))
    assert len(engine.asked) <= 10


@in_virtual_time
async def test_the_newest_judgement_counts(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.doubt = lambda context: 0.9 if context.silence_s > 0.7 else 0.1
    await caller.say("where can i", ends_turn=False)
    await caller.pause(2.0)
    assert caller.answered_after_s == pytest.approx(0.74, abs=0.05)
    assert caller.commit().probability == 0.9
    engine.doubt = lambda context: 0.5 if context.silence_s < 0.5 else 0.05
    await caller.say("where can i", ends_turn=False)
    await caller.pause(2.0)
    assert caller.answered_after_s == pytest.approx(1.2)
    assert caller.commit().probability == 0.05


@pytest.mark.parametrize("seed", range(40))
@in_virtual_time
async def test_it_ends_where_the_policy_ends_it(seed: int) -> None:
    rng = random.Random(seed)
    engine = ScriptedTurn(sounds := Sounds(), inference_s=0.0)
    options = EndpointingOptions(
        min_delay_s=0.3,
        max_delay_s=rng.uniform(0.5, 2.5),
        threshold_at_1s=rng.uniform(0.1, 0.9),
        decline=rng.choice([0.0, 0.5, 1.0, 2.0]),
    )
    said: list[Judgement] = []

    def doubt(context: TurnContext) -> float:
        said.append(Judgement(context.silence_s, rng.random()))
        return said[-1].probability

    engine.doubt = doubt
    caller = Pausing(engine, sounds, options)
    await caller.say("where can i", ends_turn=False)
    await caller.pause(3.0)
    assert caller.answered_after_s == pytest.approx(turn_end_s(options, said), abs=0.012)


@in_virtual_time
async def test_a_caller_who_goes_on_takes_the_question_back(caller: Pausing, engine: ScriptedTurn) -> None:
    await caller.say("i would like", ends_turn=False)
    await caller.pause(0.96)
    assert caller.answer is not None
    taken_back = caller.answer
    await caller.say("to book", ends_turn=False)
    assert taken_back.result().end_of_turn_probability == 0.0
    asked = len(engine.asked)
    await caller.pause(0.192)
    assert len(engine.asked) == asked
    assert caller.commit() == TurnDecided(None, None, judgements=asked)  # LiveKit's doing, not ours


@in_virtual_time
async def test_a_turn_is_not_over_while_there_is_sound_that_may_be_speech(
    caller: Pausing, engine: ScriptedTurn
) -> None:
    engine.doubt = lambda context: 0.49
    assert 0.672 < delay_s(OPTIONS, 0.49) < 0.704
    await caller.say("i would like", ends_turn=False)
    await caller.pause(0.64)
    await caller.make_noise(0.032)  # the VAD waits for another window before it takes it for speech
    assert caller.answer is not None
    await asyncio.sleep(0.03)
    assert not caller.answer.done()
    await caller.pause(0.064)
    assert caller.answer.done()
    assert caller.answered_after_s == pytest.approx(0.704, abs=0.035)


@in_virtual_time
async def test_the_engine_is_given_what_is_known(caller: Pausing, engine: ScriptedTurn) -> None:
    caller.turn.agent_said("Thank you. What is your full name?")
    await caller.say("my name is", ends_turn=False)
    await caller.pause(0.48)
    await caller.say("robert", ends_turn=False)
    await caller.pause(0.256)
    first, last = engine.asked[0], engine.asked[-1]
    assert (first.words, first.asked.value, first.pauses_s) == ("my name is", "name", ())
    assert first.silence_s == pytest.approx(ASKED_S)
    assert last.words == "my name is robert"
    assert last.pauses_s == pytest.approx((0.48,))


@in_virtual_time
async def test_words_that_come_late_are_waited_for_and_judged(caller: Pausing, engine: ScriptedTurn) -> None:
    await caller.say("where can i park", in_words=False)
    caller.turn.heard_words("where can", TranscriptStage.INTERIM)
    await caller.pause(0.64)
    assert engine.asked == []
    caller.recognised("where can i park")
    await caller.pause(0.064)
    assert [context.words for context in engine.asked] == ["where can i park"]
    assert caller.answered_after_s == pytest.approx(0.66, abs=0.005)


@in_virtual_time
async def test_speech_without_words_is_judged_with_the_words_before_it(caller: Pausing, engine: ScriptedTurn) -> None:
    await caller.say("i need a refill for my", ends_turn=False)
    await caller.pause(0.5)
    asked = len(engine.asked)
    await caller.say("metformin prescription", in_words=False)
    caller.not_recognised(1.2)
    await caller.pause(1.5)
    assert caller.answered_after_s == pytest.approx(0.3)
    assert [context.words for context in engine.asked[asked:]] == [f"i need a refill for my {judged_words('', 1.2)}"]


@in_virtual_time
async def test_words_that_may_still_change_are_judged_and_judged_again_if_they_do(
    caller: Pausing, engine: ScriptedTurn
) -> None:
    await caller.say("where can i park", in_words=False)
    caller.turn.heard_words("where can i park", TranscriptStage.PREFLIGHT)
    await caller.pause(0.64)
    assert [context.words for context in engine.asked] == ["where can i park"]
    assert caller.answer is not None
    assert not caller.answer.done()
    caller.recognised("where can i park")
    await caller.pause(0.032)
    assert len(engine.asked) == 1
    assert caller.answered_after_s == pytest.approx(0.65, abs=0.005)
    await caller.say("where can i park", in_words=False)
    caller.turn.heard_words("where can i bark", TranscriptStage.PREFLIGHT)
    await caller.pause(0.64)
    caller.recognised("where can i park")
    await caller.pause(0.064)
    assert len(engine.asked) == 3


@in_virtual_time
async def test_a_model_that_knows_sound_only_does_not_wait_for_words_and_is_not_asked_again_for_them(
    engine: ScriptedTurn, sounds: Sounds
) -> None:
    caller = Pausing(engine, sounds, replace(OPTIONS, judges_words=False))
    await caller.say("where can i park", in_words=False)
    await caller.pause(0.64)
    assert len(engine.asked) == 1
    assert caller.answer is not None
    assert not caller.answer.done()
    caller.recognised("where can i park")
    await caller.pause(0.032)
    assert len(engine.asked) == 1
    assert caller.answered_after_s == pytest.approx(0.65, abs=0.005)


@in_virtual_time
async def test_words_that_never_come_are_not_waited_for_for_ever(caller: Pausing) -> None:
    await caller.say("where can i park", in_words=False)
    await caller.pause(3.0)
    assert caller.answered_after_s == pytest.approx(WORDS_TIMEOUT_S, abs=0.02)


@in_virtual_time
async def test_sound_without_words_is_not_judged(caller: Pausing, engine: ScriptedTurn) -> None:
    caller.turn.utterance_began()
    await caller.make_noise(0.64)
    caller.turn.utterance_over()
    await caller.pause(2.0)
    assert engine.asked == []
    assert caller.call.payloads == []


@in_virtual_time
async def test_an_engine_that_fails_leaves_it_to_a_longer_silence(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.is_dead = True
    await caller.say("where can i park")
    await caller.pause(1.5)
    assert caller.answered_after_s == pytest.approx(0.8)
    assert caller.call.payloads == [EngineFailed("turn", "EngineDied")]
    assert caller.commit() == TurnDecided(TurnDecidedBy.SILENCE, None, judgements=1)
    assert len(engine.asked) == 1
    engine.is_dead = False
    await caller.say("where can i park")
    await caller.pause(1.5)
    assert caller.commit() == TurnDecided(TurnDecidedBy.JUDGEMENT, 0.95, judgements=1)


@in_virtual_time
async def test_an_engine_that_is_late_leaves_it_to_a_longer_silence(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.inference_s = 60.0
    await caller.say("where can i park")
    await caller.pause(2.0)
    assert caller.answered_after_s == pytest.approx(0.8)
    assert caller.call.payloads == [EngineLate("turn")]
    assert caller.commit() == TurnDecided(TurnDecidedBy.SILENCE, None, judgements=1)
    assert ASKED_S + JUDGEMENT_TIMEOUT_S < 0.8


@in_virtual_time
async def test_an_engine_that_fails_later_leaves_it_to_what_it_said_before(
    caller: Pausing, engine: ScriptedTurn
) -> None:
    engine.doubt = lambda context: 0.5
    engine.dies_at.append(2)
    await caller.say("where can i", ends_turn=False)
    await caller.pause(2.0)
    assert caller.answered_after_s == pytest.approx(2 / 3)
    assert len(engine.asked) == 2


@in_virtual_time
async def test_slow_judgements_do_not_queue_up(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.inference_s = 0.25
    await caller.say("where can i", ends_turn=False)
    await caller.pause(2.0)
    assert engine.max_running == 1
    assert len(engine.asked) <= 5
    assert caller.answered_after_s == pytest.approx(1.2)
    assert engine.running == 0


@in_virtual_time
async def test_a_judgement_is_no_longer_computed_once_the_turn_is_over(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.inference_s = 0.4
    await caller.say("where can i", ends_turn=False)
    await caller.pause(1.216)
    assert caller.answer is not None
    assert caller.answer.done()
    assert engine.running == 0


@in_virtual_time
async def test_a_microphone_that_is_muted_ends_the_turn_by_the_clock(caller: Pausing) -> None:
    await caller.say("where can i", ends_turn=False)
    await caller.pause(0.256)
    assert caller.answer is not None
    began = asyncio.get_running_loop().time()
    await asyncio.wait_for(asyncio.shield(caller.answer), 5)
    assert asyncio.get_running_loop().time() - began <= 1.2 - 0.256 + MUTED_S


@in_virtual_time
async def test_a_caller_whose_sound_is_held_up_is_not_taken_for_silent(caller: Pausing, engine: ScriptedTurn) -> None:
    engine.doubt = lambda context: 0.5
    await caller.say("where can i", ends_turn=False)
    await caller.pause(0.352)
    assert caller.answer is not None
    await asyncio.sleep(MUTED_S - 0.05)  # by the clock, the delay is over
    assert not caller.answer.done()
