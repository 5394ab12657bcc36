import os
import socket
from collections.abc import Iterator
from typing import Literal

import pytest

from agent.errors import ConfigError
from agent.operate.supervisor.ports import Port, require_free

pytestmark = pytest.mark.unit


def _taken(kind: socket.SocketKind) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def taken_tcp() -> Iterator[int]:
    yield from _taken(socket.SOCK_STREAM)


@pytest.fixture
def taken_udp() -> Iterator[int]:
    yield from _taken(socket.SOCK_DGRAM)


def _port(number: int, protocol: Literal["tcp", "udp"] = "tcp") -> Port:
    return Port(number, protocol, "127.0.0.1", "network.web_port")


def test_says_who_holds_a_taken_port_and_both_ways_out(taken_tcp: int) -> None:
    with pytest.raises(ConfigError) as caught:
        require_free([_port(taken_tcp)])
    sentence = str(caught.value)
    assert f"Port {taken_tcp} (tcp) is taken by " in sentence
    assert f"kill {os.getpid()}" in sentence
    assert "set network.web_port in configs/site.yaml" in sentence


def test_sees_udp_ports(taken_udp: int) -> None:
    with pytest.raises(ConfigError, match=rf"Port {taken_udp} \(udp\) is taken by .*kill {os.getpid()}"):
        require_free([_port(taken_udp, "udp")])


def test_names_every_taken_port_at_once(taken_tcp: int, taken_udp: int) -> None:
    with pytest.raises(ConfigError) as caught:
        require_free([_port(taken_tcp), _port(taken_udp, "udp")])
    assert len(str(caught.value).splitlines()) == 2


def test_the_other_protocol_on_the_same_number_does_not_matter(taken_tcp: int) -> None:
    require_free([_port(taken_tcp, "udp")])


def test_an_address_of_another_machine_is_reported() -> None:
    with pytest.raises(ConfigError, match=r"cannot be opened on 203\.0\.113\.1"):
        require_free([Port(18080, "tcp", "203.0.113.1", "network.web_port")])
