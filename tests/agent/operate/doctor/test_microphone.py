from pathlib import Path

import pytest

from agent.operate.doctor.microphone import judge
from agent.operate.doctor.report import Outcome
from agent.settings import Network

pytestmark = pytest.mark.unit


def test_on_this_machine_alone_http_will_do() -> None:
    assert judge(Network()).outcome is Outcome.OK


def test_in_the_network_browsers_refuse_it_over_http() -> None:
    row = judge(Network(address="192.168.1.5", web_port=8090))
    assert row.outcome is Outcome.FAILED
    assert "http://192.168.1.5:8090" in row.found
    assert "tls_cert" in row.fix


def test_with_a_certificate_they_allow_it() -> None:
    row = judge(Network(address="192.168.1.5", tls_cert=Path("c"), tls_key=Path("k")))
    assert row.outcome is Outcome.OK
    assert "https://192.168.1.5:8080" in row.found
