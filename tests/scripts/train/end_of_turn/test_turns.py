"""What callers say in a turn, and where they fall silent."""

import pytest

from scripts.train.end_of_turn.pauses import still_silent
from scripts.train.end_of_turn.turns import Turn, Turns
from serving.speech import Asked
from serving.turn.words import digit_run, spoken_words

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    """Some thousand."""
    source = Turns(5)
    return [source.turn() for _ in range(2500)]


def test_the_same_seed_gives_the_same_turns() -> None:
    first, second = Turns(6), Turns(6)
    assert [first.turn() for _ in range(50)] == [second.turn() for _ in range(50)]


def test_every_part_has_words_and_every_silence_a_known_kind(turns: list[Turn]) -> None:
    for turn in turns:
        assert len(turn.kinds) == len(turn.parts) - 1
        assert all(part.strip() for part in turn.parts), turn
        assert not any(mark in part for part in turn.parts for mark in "(){}<>|"), turn
        assert all(0 < still_silent(0.5, 0.0, kind) < 1 for kind in turn.kinds)
        assert turn.end in ".?"


def test_every_kind_of_pause_and_every_question_occurs(turns: list[Turn]) -> None:
    kinds = {kind for turn in turns for kind in turn.kinds}
    assert {"hes", "list", "group", "clause", "name", "date", "fix", "sent"} <= kinds
    assert {turn.asked for turn in turns} == set(Asked)
    assert sum(not turn.kinds for turn in turns) > 500


def test_the_same_count_of_digits_is_an_end_and_a_pause(turns: list[Turn]) -> None:
    asked = [turn for turn in turns if turn.asked is Asked.DIGITS]
    ends = [digit_run(spoken_words(" ".join(turn.parts))) for turn in asked]
    pauses = [
        digit_run(spoken_words(" ".join(turn.parts[: number + 1])))
        for turn in asked
        for number, kind in enumerate(turn.kinds)
        if kind == "group"
    ]
    assert ends.count(10) > ends.count(3)
    assert pauses.count(3) > pauses.count(10)
    assert 4 in ends
    assert 4 in pauses


def test_days_names_and_corrections_break_off_and_end_alike(turns: list[Turn]) -> None:
    firsts = {turn.parts[0] for turn in turns if turn.asked is Asked.DATE and turn.kinds[:1] == ("date",)}
    wholes = {turn.parts[0] for turn in turns if turn.asked is Asked.DATE and not turn.kinds}
    assert firsts & wholes
    assert any(turn.parts[0] == "no" and turn.kinds for turn in turns)
    assert any(turn.parts == ("no",) for turn in turns)


def test_known_phrases_are_drawn_when_asked_for() -> None:
    plain, known = Turns(8), Turns(8, known=True)
    strange = {"mohammed", "hernandez", "misunderstood", "preferably", "tired"}

    def share(source: Turns) -> float:
        return sum(bool(strange & set(" ".join(source.turn().parts).split())) for _ in range(1500)) / 1500

    assert share(known) < share(plain)
