import pytest

from agent.operate.doctor.report import Outcome
from agent.operate.doctor.udp_buffer import LIMIT, UdpBufferFacts, find_buffer, judge

pytestmark = pytest.mark.unit


def test_a_kernel_as_distributions_have_it() -> None:
    row = judge(UdpBufferFacts(granted_bytes=425_984, limit_bytes=212_992))
    assert row.outcome is Outcome.WARNING
    assert "net.core.rmem_max 212992" in row.found
    assert "net.core.rmem_max=5000000" in row.fix


def test_enough_for_livekit_server() -> None:
    assert judge(UdpBufferFacts(granted_bytes=5_000_000, limit_bytes=None)).outcome is Outcome.OK


def test_linux_grants_at_most_twice_its_limit() -> None:
    facts = find_buffer()
    if facts.limit_bytes is None:
        pytest.skip(f"{LIMIT} cannot be read here")
    assert 0 < facts.granted_bytes <= 2 * facts.limit_bytes
