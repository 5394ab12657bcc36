"""Nothing goes out: variables are named without their values, livekit-server's settings are the real ones."""

import pytest

from agent.operate.doctor.outside import OfflineFacts, check, find_variables, judge
from agent.operate.doctor.report import Outcome
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit


def test_proxies_and_other_variables_are_told_apart() -> None:
    environment = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://user:secret@proxy:3128",
        "all_proxy": "socks5://proxy",
        "LIVEKIT_DEV_MODE": "1",
        "HF_HUB_OFFLINE": "0",
        "DO_NOT_TRACK": "1",
    }
    assert find_variables(environment) == (("HTTPS_PROXY", "all_proxy"), ("HF_HUB_OFFLINE", "LIVEKIT_DEV_MODE"))


def test_a_proxy_is_a_warning_that_names_no_address() -> None:
    row = judge(OfflineFacts(proxies=("HTTPS_PROXY",)))
    assert row.outcome is Outcome.WARNING
    assert "HTTPS_PROXY set" in row.found
    assert "unset HTTPS_PROXY" in row.fix


def test_other_variables_are_a_note() -> None:
    row = judge(OfflineFacts(overruled=("HF_HUB_OFFLINE",)))
    assert row.outcome is Outcome.OK
    assert "overruled: HF_HUB_OFFLINE" in row.found


@pytest.mark.parametrize("facts", [OfflineFacts(asks_outside_address=True), OfflineFacts(names_public_stun=True)])
def test_a_livekit_server_that_asks_outside(facts: OfflineFacts) -> None:
    row = judge(facts)
    assert row.outcome is Outcome.FAILED
    assert "public STUN server" in row.found


def test_the_shipped_configuration_names_no_outside_server(install: Install) -> None:
    (row,) = check(install())
    assert row.outcome in (Outcome.OK, Outcome.WARNING)
