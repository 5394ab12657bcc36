"""Ports that are really taken, and the buffer that this kernel really grants."""

import os
import socket
from collections.abc import Iterator

import pytest

from agent.operate.doctor.installation import Running
from agent.operate.doctor.ports import (
    LIMIT,
    check_buffer,
    check_ports,
    find_buffer_bytes,
    find_states,
    judge_buffer,
    judge_ports,
)
from agent.operate.doctor.report import Outcome
from agent.operate.supervisor.ports import Port
from agent.settings import Network
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

RUNNING = Running(profile="demo", ready=True, lines=4, lines_busy=1)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def _free() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def _network(**changes: int) -> Network:
    names = ("web_port", "ops_port", "livekit_port", "rtc_udp_port")
    return Network.model_validate({**{name: _free() for name in names}, **changes})


def test_free_ports_are_listed(install: Install) -> None:
    network = _network()
    (row,) = check_ports(install(network=network))
    assert row.outcome is Outcome.OK
    assert f"{network.rtc_udp_port}/udp" in row.found


def test_a_taken_port_names_who_has_it(install: Install, taken: int) -> None:
    (row,) = check_ports(install(network=_network(web_port=taken)))
    assert row.outcome is Outcome.FAILED
    assert row.found == f"1 of 4 cannot be opened: {taken}/tcp"
    assert f"kill {os.getpid()}" in row.fix
    assert "network.web_port" in row.fix


def test_a_running_callbox_may_have_them(taken: int) -> None:
    states = find_states([Port(taken, "tcp", "127.0.0.1", "network.web_port")])
    row = judge_ports(states, RUNNING)
    assert row.outcome is Outcome.OK
    assert "Callbox is running (profile demo, ready, 1 of 4 lines busy)" in row.found


def test_a_running_callbox_without_its_page(taken: int) -> None:
    free = _free()
    wanted = [Port(taken, "tcp", "127.0.0.1", "a"), Port(free, "tcp", "127.0.0.1", "b")]
    row = judge_ports(find_states(wanted), RUNNING)
    assert row.outcome is Outcome.WARNING
    assert f"nothing listens on {free}/tcp" in row.found


def test_a_kernel_as_distributions_have_it() -> None:
    row = judge_buffer(425_984, "212992")
    assert row.outcome is Outcome.WARNING
    assert "net.core.rmem_max 212992" in row.found
    assert "net.core.rmem_max=5000000" in row.fix


def test_enough_for_livekit_server() -> None:
    assert judge_buffer(5_000_000, "unknown").outcome is Outcome.OK


def test_linux_grants_at_most_twice_its_limit() -> None:
    if not LIMIT.exists():
        pytest.skip(f"{LIMIT} cannot be read here")
    assert 0 < find_buffer_bytes() <= 2 * int(LIMIT.read_text())


def test_this_kernels_buffer_is_a_row(install: Install) -> None:
    (row,) = check_buffer(install())
    assert "net.core.rmem_max" in row.found
