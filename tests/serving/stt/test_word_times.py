"""Turning aligned pieces into words on the stream's clock."""

import numpy as np
import pytest

from serving.speech import Word
from serving.stt.hearing import Clip
from serving.stt.word_times import join_pieces, place_words

pytestmark = pytest.mark.unit

CLIP = Clip(np.zeros(48_000, np.float32), start_s=10.0, speech_start_s=10.3, speech_end_s=12.5)


def test_times_move_to_the_clock_and_into_the_speech() -> None:
    heard = place_words([Word("yes", 0.0, 0.8), Word("please", 0.8, 2.9)], CLIP)
    assert [(word.start_s, word.end_s) for word in heard.words] == [(10.3, 10.8), (10.8, 12.5)]


def test_times_never_run_backwards() -> None:
    heard = place_words([Word("a", 0.5, 1.0), Word("b", 0.7, 0.6), Word("c", 2.8, 2.9)], CLIP)
    times = [time for word in heard.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] == 12.5


def test_pieces_without_a_space_belong_to_the_word_before() -> None:
    pieces = [
        Word(" o", 0.0, 0.2, 0.9),
        Word("'clock", 0.2, 0.5, 0.8),
        Word(",", 0.5, 0.5, 0.7),
        Word(" no", 0.6, 1, 1),
    ]
    assert join_pieces(pieces) == [Word("o'clock,", 0.0, 0.5, 0.7), Word("no", 0.6, 1, 1)]


def test_a_first_piece_without_a_space_is_a_word_and_an_empty_one_is_none() -> None:
    assert join_pieces([Word("Hi", 0, 1), Word(" ", 1, 1), Word(" there", 1, 2)]) == [
        Word("Hi", 0, 1),
        Word("there", 1, 2),
    ]


def test_the_last_word_of_a_whole_utterance_lasts_until_the_speech_ends() -> None:
    whole = Clip(CLIP.samples, CLIP.start_s, CLIP.speech_start_s, CLIP.speech_end_s, is_whole=True)
    words = [Word("at", 1.0, 1.3), Word("noon", 1.3, 1.6)]
    assert place_words(words, whole).words[-1].end_s == 12.5
    assert place_words(words, CLIP).words[-1].end_s == pytest.approx(11.6)
    early = [Word("at", 0.4, 0.6)]
    assert place_words(early, whole).words[-1].end_s == pytest.approx(10.6)
