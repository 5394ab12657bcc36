"""Which events an utterance sends, and when none."""

from concurrent.futures import Future

import pytest

from serving.speech import SpeechEnded, Transcript, TranscriptStage, Word
from serving.stt.hearing import Heard
from serving.stt.utterance import Utterance

pytestmark = pytest.mark.unit

INTERIM, PREFLIGHT, FINAL = TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.FINAL


def heard(text: str) -> Heard:
    """Words of half a second each, with probability 0.5."""
    return Heard(tuple(Word(word, 1 + i / 2, 1.5 + i / 2, 0.5) for i, word in enumerate(text.split())))


def told(utterance: Utterance) -> list[tuple[TranscriptStage, str]]:
    """Transcripts so far."""
    return [(event.stage, event.text) for event in utterance.events if isinstance(event, Transcript)]


def pause(utterance: Utterance, text: str) -> None:
    """The caller pauses and the whole utterance is decoded."""
    utterance.settle(Future())
    utterance.heard_settled(heard(text), 3.0, 0.02)


def test_a_pause_that_lasts_makes_the_final_of_the_preflight() -> None:
    utterance = Utterance(1.0, 0.7)
    pause(utterance, "at noon")
    assert not utterance.is_over
    utterance.finish()
    assert told(utterance) == [(PREFLIGHT, "at noon"), (FINAL, "at noon")]
    assert utterance.events[-1] == SpeechEnded(3.0)
    assert utterance.is_over


def test_a_final_whose_decode_comes_late_is_told_without_a_preflight() -> None:
    utterance = Utterance(1.0, 0.7)
    utterance.settle(Future())
    utterance.finish()
    assert not utterance.is_over
    utterance.heard_settled(heard("at noon"), 3.0, 0.4)
    assert told(utterance) == [(FINAL, "at noon")]
    assert utterance.is_over


def test_a_breath_between_two_pauses_sends_no_second_preflight() -> None:
    utterance = Utterance(1.0, 0.7)
    pause(utterance, "at noon")
    utterance.reopen()
    utterance.heard_partial(heard("at noon"), 3.2, 0.02)
    pause(utterance, "at noon")
    assert told(utterance) == [(PREFLIGHT, "at noon")]
    utterance.reopen()
    pause(utterance, "at noon please")
    assert told(utterance)[1:] == [(PREFLIGHT, "at noon please")]


def test_an_interim_in_between_makes_the_same_preflight_news_again() -> None:
    utterance = Utterance(1.0, 0.7)
    pause(utterance, "at noon")
    utterance.reopen()
    utterance.heard_partial(heard("at noon or"), 3.2, 0.02)
    pause(utterance, "at noon")
    assert told(utterance) == [(PREFLIGHT, "at noon"), (INTERIM, "at noon or"), (PREFLIGHT, "at noon")]


def test_an_interim_is_told_only_if_it_says_something_new() -> None:
    utterance = Utterance(1.0, 0.7)
    for text in ("", "at", "at", "at noon", ""):
        utterance.heard_partial(heard(text), 3.0, 0.02)
    assert told(utterance) == [(INTERIM, "at"), (INTERIM, "at noon"), (INTERIM, "at")]


def test_a_partial_that_comes_after_the_pause_is_not_told() -> None:
    utterance = Utterance(1.0, 0.7)
    utterance.settle(Future())
    utterance.heard_partial(heard("at"), 2.0, 0.02)
    assert told(utterance) == []


def test_pausing_and_going_on_take_stale_work_out_of_line() -> None:
    utterance = Utterance(1.0, 0.7)
    partial: Future[Heard] = Future()
    settling: Future[Heard] = Future()
    utterance.partial = partial
    utterance.settle(settling)
    assert partial.cancelled()
    assert utterance.awaits(settling)
    assert not utterance.awaits(partial)
    utterance.reopen()
    assert settling.cancelled()
    assert not utterance.awaits(settling)


def test_confidence_is_the_mean_of_the_words_and_nothing_without_words() -> None:
    utterance = Utterance(1.0, 0.7)
    pause(utterance, "at noon")
    (preflight,) = (event for event in utterance.events if isinstance(event, Transcript))
    assert preflight.confidence == 0.5
    empty = Utterance(1.0, 0.7)
    empty.settle(Future())
    empty.finish()
    empty.heard_settled(heard(""), 3.0, 0.02)
    (final,) = (event for event in empty.events if isinstance(event, Transcript))
    assert (final.text, final.confidence, final.end_s) == ("", 0.0, 3.0)
