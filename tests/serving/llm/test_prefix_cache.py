import pytest

from serving.llm.prefix_cache import REMEMBERED_PREFIXES, PrefixCache

pytestmark = pytest.mark.unit

PREFIX = ("a", "b", "c")


def test_a_prefix_is_let_in_when_it_returns() -> None:
    cache = PrefixCache(max_tokens=10)
    assert [cache.admit(PREFIX) for _ in range(3)] == [False, True, True]
    assert cache.tokens == 3


def test_a_warmed_prefix_is_let_in_at_once() -> None:
    cache = PrefixCache(max_tokens=10)
    assert cache.admit(PREFIX, at_once=True)


def test_tokens_count_as_cached_once_computed() -> None:
    cache = PrefixCache(max_tokens=10)
    cache.admit(PREFIX, at_once=True)
    assert cache.cached_tokens(PREFIX) == 0
    cache.computed(PREFIX)
    assert cache.cached_tokens(PREFIX) == 3
    assert cache.cached_tokens(("a", "b")) == 0


def test_a_full_cache_lets_nothing_in_and_keeps_what_it_has() -> None:
    cache = PrefixCache(max_tokens=5)
    assert cache.admit(PREFIX, at_once=True)
    assert not cache.admit(("d", "e", "f"), at_once=True)
    assert cache.admit(("d", "e"), at_once=True)
    assert cache.admit(PREFIX)
    assert cache.tokens == 5


def test_an_empty_prefix_is_never_cached() -> None:
    cache = PrefixCache(max_tokens=5)
    assert not any(cache.admit((), at_once=True) for _ in range(3))


def test_what_is_remembered_is_bounded() -> None:
    cache = PrefixCache(max_tokens=10_000)
    cache.admit(PREFIX)
    for number in range(REMEMBERED_PREFIXES):
        cache.admit((str(number),))
    assert not cache.admit(PREFIX)
    assert cache.tokens == 0
