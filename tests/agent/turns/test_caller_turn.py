"""What the stages report of a caller's turn, and what is known from it."""

import asyncio

import pytest

from agent.call.events import CallState
from agent.turns.caller_turn import BETWEEN_WINDOWS_S, MUTED_S, CallerTurn, Recognition
from agent.turns.judged_words import judged_words
from serving.speech import Asked, TranscriptStage, VoiceActivity
from serving.vad.gate import Gate, GateOptions
from tests.published import Published
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

WINDOW_S = 0.032


@pytest.fixture
def turn() -> CallerTurn:
    return CallerTurn(Published())


class Windows:
    """The VAD's windows, one after the other."""

    def __init__(self, turn: CallerTurn) -> None:
        self._turn = turn
        self._gate = Gate(GateOptions(), window_s=WINDOW_S)
        self._end_s = 0.0

    def hear(self, shape: str) -> None:
        """s is speech, . is silence."""
        for letter in shape:
            self._end_s += WINDOW_S
            self._gate.push(VoiceActivity(0.9 if letter == "s" else 0.1, self._end_s))
            self._turn.heard_window(self._gate, self._end_s)


@in_virtual_time
async def test_the_words_are_those_of_the_turn_with_the_newest_hypothesis(turn: CallerTurn) -> None:
    known: list[str] = []
    turn.utterance_began()
    for text in ("i", "i would", "i wood like"):
        turn.heard_words(text, TranscriptStage.INTERIM)
        known.append(turn.words)
    turn.heard_words("i would like", TranscriptStage.FINAL)
    turn.utterance_over()
    known.append(turn.words)
    turn.utterance_began()
    turn.heard_words("to book", TranscriptStage.INTERIM)
    known.append(turn.words)
    assert known == ["i", "i would", "i wood like", "i would like", "i would like to book"]


@in_virtual_time
async def test_words_that_were_answered_are_gone_and_those_being_spoken_stay(turn: CallerTurn) -> None:
    turn.heard_words("i would like", TranscriptStage.FINAL)
    turn.heard_words("no", TranscriptStage.INTERIM)
    turn.turn_over()
    assert turn.words == "no"


@in_virtual_time
async def test_a_hypothesis_that_came_to_nothing_is_forgotten(turn: CallerTurn) -> None:
    turn.utterance_began()
    turn.heard_words("mm", TranscriptStage.INTERIM)
    assert turn.recognition is Recognition.LISTENING
    turn.utterance_over()
    assert (turn.words, turn.recognition) == ("", Recognition.IDLE)


@in_virtual_time
async def test_unintelligible_speech_is_judged_in_its_place_and_is_no_words_to_answer(turn: CallerTurn) -> None:
    turn.heard_words("i need a refill for my", TranscriptStage.FINAL)
    turn.heard_words("met", TranscriptStage.INTERIM)
    turn.unintelligible(0.9)
    turn.utterance_over()
    turn.heard_words("please", TranscriptStage.INTERIM)
    assert turn.words == "i need a refill for my please"
    assert turn.context().words == turn.words_to_judge == f"i need a refill for my {judged_words('', 0.9)} please"
    turn.heard_words("please", TranscriptStage.FINAL)
    turn.unintelligible(0.05)  # a click
    assert turn.words_to_judge.endswith(" please")
    turn.turn_over()
    assert turn.words_to_judge == ""


@in_virtual_time
async def test_what_the_agent_asks_for_again_is_no_longer_judged(turn: CallerTurn) -> None:
    turn.unintelligible(0.9)
    assert (turn.words, bool(turn.words_to_judge)) == ("", True)
    turn.agent_said("I am sorry, I did not get that. Could you say it again?")
    turn.heard_words("on friday", TranscriptStage.FINAL)
    assert turn.words_to_judge == "on friday"
    turn.unintelligible(0.9)
    turn.agent_said("")  # the caller's words are still to be answered
    assert turn.words_to_judge != "on friday"


@in_virtual_time
async def test_words_are_settled_in_a_pause_and_no_longer_when_the_caller_goes_on(turn: CallerTurn) -> None:
    states = [turn.recognition]
    turn.utterance_began()
    states.append(turn.recognition)
    for stage in (TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.INTERIM, TranscriptStage.FINAL):
        turn.heard_words("where can i park", stage)
        states.append(turn.recognition)
    turn.utterance_over()
    states.append(turn.recognition)
    idle, listening, paused = Recognition.IDLE, Recognition.LISTENING, Recognition.PAUSED
    assert states == [idle, listening, listening, paused, listening, paused, idle]


@in_virtual_time
async def test_the_silence_counts_from_the_last_speech_of_the_open_gate(turn: CallerTurn) -> None:
    windows = Windows(turn)
    windows.hear("ssss....")
    assert turn.silence_s() == pytest.approx(4 * WINDOW_S)
    assert not turn.is_sounding
    windows.hear("......s")
    assert turn.is_sounding
    assert turn.silence_s() == pytest.approx(11 * WINDOW_S)  # one window does not open the gate
    windows.hear(".")
    assert turn.silence_s() == pytest.approx(12 * WINDOW_S)
    windows.hear("ss.")
    assert turn.silence_s() == pytest.approx(WINDOW_S)


@in_virtual_time
async def test_between_windows_the_silence_grows_with_the_clock_and_then_waits(turn: CallerTurn) -> None:
    Windows(turn).hear("ss..")
    silence_s = turn.silence_s()
    await asyncio.sleep(0.02)
    assert turn.silence_s() == pytest.approx(silence_s + 0.02)
    await asyncio.sleep(0.2)
    assert turn.silence_s() == pytest.approx(silence_s + BETWEEN_WINDOWS_S)
    await asyncio.sleep(MUTED_S)
    assert turn.silence_s() == pytest.approx(silence_s + 0.22 + MUTED_S)


@in_virtual_time
async def test_short_and_long_silences_that_the_caller_ends_are_pauses(turn: CallerTurn) -> None:
    windows = Windows(turn)
    windows.hear("..........ss.ss....ss............sss")
    assert turn.context().pauses_s == pytest.approx((4 * WINDOW_S, 12 * WINDOW_S))


@in_virtual_time
async def test_a_silence_that_the_agent_filled_is_none() -> None:
    call = Published(CallState.TURN_OPEN)
    turn = CallerTurn(call)
    windows = Windows(turn)
    windows.hear("ss.....")
    call.state = CallState.AGENT_SPEAKING
    windows.hear(".....")
    call.state = CallState.TURN_OPEN
    windows.hear(".....ss")
    assert turn.context().pauses_s == ()


@in_virtual_time
async def test_what_was_asked_stands_until_something_else_is(turn: CallerTurn) -> None:
    asked = [turn.context().asked]
    for text in (
        "What is your full name?",
        "Sorry, I did not catch that. Could you say it again?",
        "",
        "Which day would you like?",
        "You are booked.",
    ):
        turn.agent_said(text)
        asked.append(turn.context().asked)
    assert asked == [Asked.NOTHING, Asked.NAME, Asked.NAME, Asked.NAME, Asked.DATE, Asked.NOTHING]


@in_virtual_time
async def test_news_wakes_whoever_waits_and_only_once(turn: CallerTurn) -> None:
    began = asyncio.get_running_loop().time()
    asyncio.get_running_loop().call_later(0.1, turn.utterance_over)
    await turn.changed(1.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.1)
    await turn.changed(1.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.1)
