"""Telling words from hallucinations."""

import pytest

from serving.stt.guards import Decoded, GuardOptions, compression_ratio, refusal

pytestmark = pytest.mark.unit

OPTIONS = GuardOptions(no_speech_threshold=0.6, no_speech_logprob=-0.5, min_avg_logprob=-1.0)


def judged(text: str, *, speech_s: float = 30.0, no_speech: float = 0.0, logprob: float = -0.1) -> str | None:
    """The verdict on a decode."""
    return refusal(Decoded(text, speech_s, no_speech, logprob), OPTIONS)


def test_words_are_kept() -> None:
    assert judged("i would like to book an appointment", speech_s=2.5) is None


def test_nothing_is_nothing() -> None:
    assert judged("") == "empty"


@pytest.mark.parametrize(("logprob", "verdict"), [(-0.7, "no speech"), (-0.2, None)])
def test_the_no_speech_token_is_believed_unless_the_words_are_sure(logprob: float, verdict: str | None) -> None:
    assert judged("thank you", no_speech=0.9, logprob=logprob) == verdict


def test_guesses_are_refused() -> None:
    assert judged("the lab is on june", logprob=-1.1) == "unsure"


@pytest.mark.parametrize(
    "text",
    [
        "you " * 30,
        "on the third " * 12,
        "i am sorry " + "and then " * 9,
        "first " + "we will see you again soon " * 7,
    ],
)
def test_loops_are_refused(text: str) -> None:
    assert judged(text.strip()) == "loop"


@pytest.mark.parametrize(
    "text",
    [
        "five five five two two two two",
        "no no no no",
        "my number is five five five five five five five",
        "two three two three two three",
        "it hurts when i walk and it hurts when i breathe and it hurts when i sleep",
    ],
)
def test_what_people_do_repeat_is_kept(text: str) -> None:
    assert judged(text) is None


def test_more_words_than_can_be_said_are_refused() -> None:
    text = "a check up for my son and a flu shot"
    assert judged(text, speech_s=0.3) == "too fast"
    assert judged(text, speech_s=2.0) is None


def test_text_that_repeats_itself_compresses() -> None:
    assert compression_ratio("thank you " * 20) > 2.4 > compression_ratio("please move my visit to next monday at noon")
