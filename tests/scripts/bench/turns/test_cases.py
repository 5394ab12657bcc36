"""Turns are cut, stretched and put together at the stated times."""

import numpy as np
import pytest

from scripts.bench.turns.cases import LEAD_S, SCORED_S, TELEPHONE, join, stretched, voice_cases
from scripts.bench.turns.scripted import ScriptedCaller, ScriptedTurn, parse_turn, read_callers
from scripts.bench.turns.voices import VOICES, cut, cut_at_silences
from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Asked

pytestmark = pytest.mark.unit


def tone(seconds: float, hertz: float = 200.0) -> Pcm32:
    times = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    return (0.5 * np.cos(2 * np.pi * hertz * times)).astype(np.float32)


def silence(seconds: float) -> Pcm32:
    return np.zeros(round(seconds * SPEECH_RATE), np.float32)


def test_a_turn_is_parts_with_kinds_of_pauses_between() -> None:
    turn = parse_turn("digits", "five two, {digits} eight um {filled} six.")
    assert turn.asked is Asked.DIGITS
    assert turn.parts == ("five two,", "eight um", "six.")
    assert turn.kinds == ("digits", "filled")
    assert turn.words == "five two eight um six"
    assert turn.said == ("five two", "five two eight um", "five two eight um six")


def test_the_turns_of_the_bench_pause_in_every_way() -> None:
    turns = [turn for caller in read_callers() for turn in caller.turns]
    kinds = [kind for turn in turns for kind in turn.kinds]
    assert len(turns) == 60
    assert {"hesitation", "filled", "list", "digits", "date", "name", "correction", "clause", "sentence"} == set(kinds)
    assert {turn.asked for turn in turns} == set(Asked)


def test_pieces_are_cut_at_times_and_trimmed_to_their_sound() -> None:
    samples = np.concatenate([silence(0.1), tone(0.4), silence(0.2), tone(0.3), silence(0.1)])
    first, second = cut(samples, ends_s=[0.55, 1.1], starts_s=[0.05, 0.6])
    assert len(first) / SPEECH_RATE == pytest.approx(0.4, abs=0.002)
    assert len(second) / SPEECH_RATE == pytest.approx(0.3, abs=0.002)


def test_pieces_are_cut_at_the_longest_silences() -> None:
    samples = np.concatenate([tone(0.3), silence(0.1), tone(0.2), silence(0.4), tone(0.5), silence(0.5), tone(0.1)])
    pieces = cut_at_silences(samples, count=2, min_s=0.3)
    assert [len(piece) / SPEECH_RATE for piece in pieces] == pytest.approx([0.6, 0.5, 0.1], abs=0.002)
    assert len(cut_at_silences(samples, count=3, min_s=0.3)) == 3  # a break too short is not one


def test_silences_begin_and_end_where_the_case_says() -> None:
    sound, pauses = join([tone(0.4), tone(0.2)], [0.7], ["list"])

    assert [pause.kind for pause in pauses] == ["list", "end"]
    assert pauses[0].start_s == pytest.approx(LEAD_S + 0.4)
    assert pauses[1].start_s == pytest.approx(LEAD_S + 0.4 + 0.7 + 0.2)
    assert pauses[0].judged_s == pytest.approx(0.7)
    assert pauses[1].judged_s == SCORED_S
    for pause in pauses:
        begin = round(pause.start_s * SPEECH_RATE)
        assert np.abs(sound[begin - 100 : begin]).max() > 0.1
        assert not sound[begin : begin + round(pause.judged_s * SPEECH_RATE)].any()


def test_stretched_speech_keeps_its_pitch() -> None:
    slow = stretched(tone(0.3), 1.5)
    assert len(slow) / SPEECH_RATE == pytest.approx(0.45, abs=0.001)
    middle = slow[len(slow) // 4 : 3 * len(slow) // 4]
    crossings = np.sum(np.diff(np.signbit(middle))) / 2
    assert crossings / (len(middle) / SPEECH_RATE) == pytest.approx(200, rel=0.05)


def test_a_voice_speaks_every_turn_and_its_habits_grow() -> None:
    turns = (parse_turn("name", "it is {name} helen carter."), parse_turn("confirmation", "yes."))
    callers = [ScriptedCaller("one", turns), ScriptedCaller("two", turns)]

    def pieces(_voice: object, turn: ScriptedTurn) -> list[Pcm32]:
        return [tone(0.4) for _ in turn.parts]

    first, second, *others = voice_cases(VOICES[0], callers, pieces, seed=0)

    assert first.habits_s == ()
    assert second.habits_s == (first.pauses[0].length_s,)
    assert [case.line == TELEPHONE for case in others] == [True, True]
    begin = first.pauses[-1].start_s
    assert len(first.samples) / SPEECH_RATE == pytest.approx(begin + SCORED_S, abs=0.001)
    again = next(iter(voice_cases(VOICES[0], callers, pieces, seed=0)))
    assert again.digest == first.digest
