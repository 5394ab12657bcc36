"""How often one address may call."""

import pytest

from agent.web.rate_limit import MAX_ADDRESSES, RateLimit

pytestmark = pytest.mark.unit


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    limit = RateLimit(per_second=2.0, burst=3)
    assert [limit.allow("a", now_s=10.0) for _ in range(4)] == [True, True, True, False]
    assert limit.allow("a", now_s=10.4) is False
    assert limit.allow("a", now_s=10.6) is True
    assert limit.allow("a", now_s=10.6) is False


def test_addresses_do_not_share_a_limit() -> None:
    limit = RateLimit(per_second=1.0, burst=1)
    assert limit.allow("a", now_s=0.0)
    assert limit.allow("b", now_s=0.0)
    assert not limit.allow("a", now_s=0.0)


def test_a_long_pause_saves_up_no_more_than_a_burst() -> None:
    limit = RateLimit(per_second=1.0, burst=2)
    limit.allow("a", now_s=0.0)
    assert [limit.allow("a", now_s=1000.0) for _ in range(3)] == [True, True, False]


def test_the_least_recently_used_address_is_forgotten_when_there_are_too_many() -> None:
    limit = RateLimit(per_second=0.001, burst=1)
    limit.allow("first", now_s=0.0)
    limit.allow("second", now_s=0.0)
    limit.allow("first", now_s=0.0)
    for number in range(MAX_ADDRESSES - 1):
        limit.allow(str(number), now_s=0.0)
    assert not limit.allow("first", now_s=0.0)
    assert limit.allow("second", now_s=0.0)
