"""Which words are the agent's own."""

import pytest

from agent.turns.echo.words import is_echo
from serving.speech import Word

pytestmark = pytest.mark.unit

DELAY_S = 0.2
WORD_S = 0.4


def said(text: str, at_s: float = 0.0) -> list[Word]:
    """Words spoken at an even pace from a moment on."""
    return [Word(word, at_s + index * WORD_S, at_s + (index + 1) * WORD_S) for index, word in enumerate(text.split())]


PLAYED = said("I have Thursday at ten thirty. Shall I book it?")


@pytest.mark.parametrize(
    ("text", "first_word"),
    [
        ("i have thursday at ten thirty", 0),
        ("thursday", 2),
        ("ten thirty", 4),
        ("have thursdays at then dirty", 1),
        ("book it", 8),
    ],
)
def test_what_comes_back_in_step_with_the_voice_is_its_echo(text: str, first_word: int) -> None:
    assert is_echo(said(text, first_word * WORD_S + DELAY_S), PLAYED, DELAY_S)
    assert is_echo(said(text, first_word * WORD_S + DELAY_S + 0.25), PLAYED, DELAY_S)


@pytest.mark.parametrize("text", ["ten thirty", "yes ten thirty", "ten thirty please", "ten"])
def test_a_caller_who_repeats_the_words_has_heard_them_first(text: str) -> None:
    """From the beginning of "ten" at the caller's ear: its length, a very quick reaction, and the way back."""
    begins_s = 4 * WORD_S + DELAY_S + WORD_S + 0.2
    assert not is_echo(said(text, begins_s), PLAYED, DELAY_S)


@pytest.mark.parametrize("text", ["wait stop hold on a second", "no i said friday", "yes please", "mm hmm", ""])
@pytest.mark.parametrize("at_s", [0.2, 1.0, 2.0])
def test_other_words_are_the_callers(text: str, at_s: float) -> None:
    assert not is_echo(said(text, at_s), PLAYED, DELAY_S)


def test_a_word_in_common_does_not_make_an_echo() -> None:
    assert not is_echo(said("could it be thursday afternoon", 1 * WORD_S + DELAY_S), PLAYED, DELAY_S)


def test_on_a_line_without_echo_nothing_is_one() -> None:
    assert not is_echo(said("ten thirty", 4 * WORD_S + DELAY_S), PLAYED, None)


def test_words_of_an_earlier_reply_are_not_echo_any_more() -> None:
    assert not is_echo(said("ten thirty", 30.0), PLAYED, DELAY_S)
