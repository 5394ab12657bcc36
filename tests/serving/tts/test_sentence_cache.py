"""The cache of spoken texts."""

import numpy as np
import pytest

from serving.tts.piper_voice import Sentence
from serving.tts.sentence_cache import SentenceCache

pytestmark = pytest.mark.unit


def sentences(length: int) -> tuple[Sentence, ...]:
    """One sentence of so many samples."""
    return (Sentence(np.zeros(length, dtype=np.int16), ()),)


def test_the_least_recently_spoken_text_goes_first() -> None:
    cache = SentenceCache(max_samples=100)
    cache.keep("a", sentences(40))
    cache.keep("b", sentences(40))
    assert cache.find("a") is not None
    cache.keep("c", sentences(40))
    assert cache.find("b") is None
    assert cache.find("a") is not None
    assert cache.find("c") is not None


def test_a_text_longer_than_the_cache_is_not_kept() -> None:
    cache = SentenceCache(max_samples=100)
    cache.keep("a", sentences(40))
    cache.keep("long", sentences(101))
    assert cache.find("long") is None
    assert cache.find("a") is not None


def test_a_text_kept_twice_is_counted_once() -> None:
    cache = SentenceCache(max_samples=100)
    for _ in range(5):
        cache.keep("a", sentences(40))
    cache.keep("b", sentences(60))
    assert cache.find("a") is not None


def test_without_room_nothing_is_kept() -> None:
    cache = SentenceCache(max_samples=0)
    cache.keep("a", sentences(1))
    assert cache.find("a") is None
