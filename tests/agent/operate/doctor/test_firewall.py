"""Firewalls, with what real ones printed: nft 1.0.6, ufw 0.36.2."""

import json
from pathlib import Path

import pytest

from agent.operate.doctor.firewall import FirewallFacts, callers_ports, check, find_firewall, judge
from agent.operate.doctor.netfilter import Packet, Ruleset
from agent.operate.doctor.report import Outcome
from agent.operate.doctor.ufw import UfwStatus
from agent.settings import Network
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

PRINTED = Path(__file__).parent / "printed"
LAN = Network(address="192.0.2.7")
FACTS = FirewallFacts(front="ufw", on=True, readable=True, ports=("8080/tcp", "7882/udp"), blocked=("7882/udp",))


def _blocks(name: str, port: str, interface: str = "eth0") -> bool:
    number, _, protocol = port.partition("/")
    return Ruleset(json.loads((PRINTED / name).read_text())).blocks(Packet(protocol, int(number), interface))


@pytest.mark.parametrize(
    ("port", "interface", "blocked"),
    [
        ("8080/tcp", "eth0", False),  # in a set
        ("7881/tcp", "eth0", False),  # in a range of the set
        ("7879/tcp", "eth0", True),  # the chain's policy
        ("7050/udp", "eth0", False),  # for some sources: perhaps
        ("7882/udp", "eth1", False),  # its own interface
        ("7882/udp", "eth0", True),  # another interface
        ("7882/udp", "", False),  # not known by which: perhaps
        ("9000/tcp", "eth0", False),  # accepted in a chain that is jumped to
        ("4000/udp", "eth0", False),  # whatever the protocol
        ("5500/udp", "eth0", True),  # dropped by a rule
    ],
)
def test_rules_of_nftables(port: str, interface: str, blocked: bool) -> None:
    assert _blocks("nftables.json", port, interface) is blocked


@pytest.mark.parametrize(
    ("port", "blocked"),
    [
        ("7882/udp", False),
        ("7883/udp", True),  # the rule about established connections lets nobody new in
        ("8080/tcp", False),  # multiport: not printed, perhaps
        ("9000/tcp", False),  # for some sources: perhaps
    ],
)
def test_rules_of_iptables_as_far_as_nft_prints_them(port: str, blocked: bool) -> None:
    assert _blocks("iptables.json", port) is blocked


def test_an_empty_ruleset_blocks_nothing() -> None:
    assert not Ruleset({"nftables": [{"metainfo": {}}]}).blocks(Packet("udp", 7882, "eth0"))


def test_a_return_goes_back_and_a_goto_does_not() -> None:
    def rule(chain: str, *parts: dict[str, object]) -> dict[str, object]:
        return {"rule": {"family": "inet", "table": "t", "chain": chain, "expr": list(parts)}}

    entry = {"family": "inet", "table": "t", "name": "in", "hook": "input", "policy": "drop"}
    for verb, blocked in (("jump", False), ("goto", True)):
        rules = [
            rule("in", {verb: {"target": "inner"}}),
            rule("in", {"accept": None}),
            rule("inner", {"return": None}),
            rule("inner", {"drop": None}),
        ]
        assert Ruleset({"nftables": [{"chain": entry}, *rules]}).blocks(Packet("tcp", 80, "eth0")) is blocked


def test_chains_that_call_each_other_end() -> None:
    entry = {"family": "ip", "table": "t", "name": "a", "hook": "input", "policy": "drop"}
    rules = [
        {"rule": {"family": "ip", "table": "t", "chain": chain, "expr": [{"jump": {"target": target}}]}}
        for chain, target in (("a", "b"), ("b", "a"))
    ]
    assert not Ruleset({"nftables": [{"chain": entry}, *rules]}).blocks(Packet("tcp", 80, "eth0"))


@pytest.mark.parametrize(
    ("port", "blocked"),
    [
        ("8080/tcp", False),
        ("8080/udp", True),
        ("7881/tcp", False),  # in a range
        ("7882/tcp", True),
        ("7882/udp", False),  # for some sources: perhaps
        ("22/udp", False),  # both protocols
        ("9000/tcp", True),  # denied by name
    ],
)
def test_rules_of_ufw(port: str, blocked: bool) -> None:
    number, _, protocol = port.partition("/")
    status = UfwStatus((PRINTED / "ufw_status_verbose.txt").read_text())
    assert status.blocks(Packet(protocol, int(number), "eth0")) is blocked


def test_ufw_that_lets_everything_in_unless_told() -> None:
    status = UfwStatus("Status: active\nDefault: allow (incoming), allow (outgoing)\n\n9000/tcp   DENY IN   Anywhere\n")
    assert not status.blocks(Packet("udp", 7882, "eth0"))
    assert status.blocks(Packet("tcp", 9000, "eth0"))


@pytest.mark.parametrize(
    ("front", "fix"),
    [
        ("ufw", "sudo ufw allow 7882/udp"),
        ("firewalld", "sudo firewall-cmd --permanent --add-port=7882/udp && sudo firewall-cmd --reload"),
        ("nftables", "Let its input chain (/etc/nftables.conf) say: udp dport 7882 accept"),
    ],
)
def test_what_is_blocked_comes_with_the_command_that_opens_it(front: str, fix: str) -> None:
    row = judge(FirewallFacts(front=front, on=True, readable=True, ports=FACTS.ports, blocked=("7882/udp",)))
    assert (row.outcome, row.found, row.fix) == (Outcome.WARNING, f"{front} blocks 7882/udp", fix)


def test_what_cannot_be_read_is_said() -> None:
    on = judge(FirewallFacts(front="ufw", on=True, readable=False, ports=FACTS.ports))
    assert on.outcome is Outcome.WARNING
    assert "sudo ufw allow 8080/tcp && sudo ufw allow 7882/udp" in on.fix
    unknown = judge(FirewallFacts(front="nftables", on=False, readable=False, ports=FACTS.ports))
    assert unknown.outcome is Outcome.SKIPPED


def test_over_https_callers_do_not_need_the_signalling_port() -> None:
    plain = {port.number for port in callers_ports(LAN)}
    assert plain == {LAN.web_port, LAN.livekit_port, LAN.rtc_tcp_port, LAN.rtc_udp_port}
    secure = LAN.model_copy(update={"tls_cert": Path("c"), "tls_key": Path("k")})
    assert plain - {port.number for port in callers_ports(secure)} == {LAN.livekit_port}


def _program(folder: Path, name: str, prints: Path) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n/bin/cat '{prints}'\n")
    path.chmod(0o755)


def test_the_firewall_that_is_on_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings, wanted = tmp_path / "ufw.conf", callers_ports(LAN)
    assert not find_firewall(wanted, "eth0", settings).readable
    _program(tmp_path, "nft", PRINTED / "nftables.json")
    assert find_firewall(wanted, "eth0", settings).blocked == ("7882/udp",)
    _program(tmp_path, "nft", settings)
    assert not find_firewall(wanted, "eth0", settings).readable, "what cannot be understood is not judged"
    settings.write_text("ENABLED=yes\nLOGLEVEL=low\n")
    assert not find_firewall(wanted, "eth0", settings).readable
    _program(tmp_path, "ufw", PRINTED / "ufw_status_verbose.txt")
    facts = find_firewall(wanted, "eth0", settings)
    assert (facts.front, facts.readable, facts.blocked) == ("ufw", True, ())


def test_on_loopback_there_is_nothing_to_let_in(install: Install) -> None:
    (row,) = check(install())
    assert row.outcome is Outcome.SKIPPED
