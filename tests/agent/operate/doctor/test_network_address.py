"""The address for callers, with interfaces of machines that are not here."""

import pytest

from agent.operate.doctor.network_address import AddressFacts, Interface, check, find_interfaces, judge
from agent.operate.doctor.report import Outcome
from agent.settings import Network
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

LOOPBACK = Interface(name="lo", address="127.0.0.1")
LAN = Interface(name="eno1", address="192.168.1.5")
DOCKER = Interface(name="docker0", address="172.17.0.1")
INTERFACES = (
    LOOPBACK,
    LAN,
    DOCKER,
    Interface(name="br-0123456789ab", address="172.18.0.1"),
    Interface(name="virbr0", address="192.168.122.1"),
    Interface(name="eno2", address="10.0.0.2", is_up=False),
    Interface(name="eno3", address="169.254.7.7"),
    Interface(name="eno4", address="198.41.0.4"),
)


def _facts(address: str, *, interfaces: tuple[Interface, ...] = INTERFACES, in_container: bool = False) -> AddressFacts:
    return AddressFacts(
        address=address,
        is_loopback=Network(address=address).is_loopback,
        interfaces=interfaces,
        in_container=in_container,
    )


def test_loopback_is_fine_and_says_what_it_means() -> None:
    row = judge(_facts("127.0.0.1"))
    assert row.outcome is Outcome.OK
    assert "only browsers on this machine can call" in row.found
    assert "eno1 192.168.1.5" in row.found
    assert "docker0" not in row.found


def test_an_address_of_the_local_network() -> None:
    row = judge(_facts("192.168.1.5"))
    assert row.outcome is Outcome.OK
    assert row.found.startswith("eno1 192.168.1.5")


@pytest.mark.parametrize(
    ("address", "outcome", "says"),
    [
        ("192.168.1.6", Outcome.FAILED, "is not an address of this machine"),
        ("callbox.local", Outcome.FAILED, "is not an IPv4 address"),
        ("172.17.0.1", Outcome.FAILED, "docker0 172.17.0.1 leads only to containers"),
        ("172.18.0.1", Outcome.FAILED, "leads only to containers"),
        ("192.168.122.1", Outcome.FAILED, "leads only to containers"),
        ("10.0.0.2", Outcome.FAILED, "this interface is down"),
        ("169.254.7.7", Outcome.WARNING, "is link-local"),
        ("198.41.0.4", Outcome.WARNING, "a public internet address"),
    ],
)
def test_addresses_that_callers_cannot_or_should_not_use(address: str, outcome: Outcome, says: str) -> None:
    row = judge(_facts(address))
    assert row.outcome is outcome
    assert says in row.found
    if outcome is Outcome.FAILED:
        assert "ADDRESS=192.168.1.5" in row.fix


def test_a_containers_own_address() -> None:
    inside = Interface(name="eth0", address="172.20.0.3", ends_elsewhere=True)
    row = judge(_facts("172.20.0.3", interfaces=(LOOPBACK, inside), in_container=True))
    assert row.outcome is Outcome.WARNING
    assert "network_mode: host" in row.fix
    assert judge(_facts("192.168.1.5", in_container=True)).outcome is Outcome.OK


def test_this_machine_has_loopback() -> None:
    assert "127.0.0.1" in [interface.address for interface in find_interfaces() if interface.name == "lo"]


def test_an_address_of_documentation_is_not_this_machines(install: Install) -> None:
    (row,) = check(install(network=Network(address="203.0.113.77")))
    assert row.outcome is Outcome.FAILED
