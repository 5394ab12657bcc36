"""What words over the agent's voice mean."""

import pytest

from agent.turns.barge_in import MURMURED_PHRASES, MURMURS, STOP_WORDS, Overlap, judge_overlap

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text", [*sorted(MURMURS), *MURMURED_PHRASES, "mm hmm", "yeah, okay.", "Oh, I see!", "Right. Right."]
)
def test_a_murmur_never_takes_the_floor(text: str) -> None:
    assert judge_overlap(text, is_final=False) is Overlap.UNDECIDED
    assert judge_overlap(text, is_final=True) is Overlap.BACKCHANNEL


@pytest.mark.parametrize("text", [*sorted(STOP_WORDS), "Wait!", "okay but", "mm no", "Yeah, actually"])
def test_a_stop_word_takes_it_at_once(text: str) -> None:
    assert judge_overlap(text, is_final=False) is Overlap.BARGE_IN


@pytest.mark.parametrize("text", ["what about", "on tuesday", "yeah what about", "Can you", "it's tuesday"])
def test_two_words_that_are_no_murmurs_take_it_at_once(text: str) -> None:
    assert judge_overlap(text, is_final=False) is Overlap.BARGE_IN


@pytest.mark.parametrize("text", ["tuesday", "okay tuesday", "yes", "yes yes", "yes, yeah yes"])
def test_one_such_word_takes_it_when_nothing_follows(text: str) -> None:
    assert judge_overlap(text, is_final=False) is Overlap.UNDECIDED
    assert judge_overlap(text, is_final=True) is Overlap.BARGE_IN


@pytest.mark.parametrize("text", ["", "  ", "...", "?!"])
def test_nothing_said_is_nothing_wanted(text: str) -> None:
    assert judge_overlap(text, is_final=False) is Overlap.UNDECIDED
    assert judge_overlap(text, is_final=True) is Overlap.BACKCHANNEL


def test_case_and_punctuation_do_not_matter() -> None:
    assert judge_overlap("GOT IT, thanks.", is_final=True) is Overlap.BACKCHANNEL
    assert judge_overlap("STOP!", is_final=False) is Overlap.BARGE_IN


@pytest.mark.parametrize("text", ["thank you thank you", "i see i see", "of course, of course", "thanks thanks"])
def test_a_phrase_said_twice_is_still_a_murmur(text: str) -> None:
    assert judge_overlap(text, is_final=True) is Overlap.BACKCHANNEL


def test_a_phrase_within_a_word_is_not_a_phrase() -> None:
    assert judge_overlap("i seek advice", is_final=False) is Overlap.BARGE_IN


def test_more_words_never_withdraw_a_wish_to_speak() -> None:
    words = ["yeah", "right", "but", "what", "about", "tuesday", "then"]
    verdicts = [judge_overlap(" ".join(words[: n + 1]), is_final=False) for n in range(len(words))]
    first = verdicts.index(Overlap.BARGE_IN)
    assert first == 2
    assert set(verdicts[first:]) == {Overlap.BARGE_IN}
