"""Whether callers' browsers can reach the address they are given, as far as this machine can tell."""

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject

ADDRESS = Subject("address", "address for callers")
LOCAL_BRIDGES = ("docker", "br-", "virbr", "podman", "cni", "lxcbr", "lxdbr", "veth", "flannel", "cali")
"""Prefixes of interfaces that lead only to containers and virtual machines on this machine."""
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
INTERFACES = Path("/sys/class/net")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One IPv4 address of this machine."""

    name: str
    address: str
    is_up: bool = True
    ends_elsewhere: bool = False
    """Its other end is in another network namespace, like that of a container's interface."""

    @property
    def is_bridge(self) -> bool:
        """Whether it leads only to what runs on this machine."""
        return self.name.startswith(LOCAL_BRIDGES)

    @property
    def serves_network(self) -> bool:
        """Whether callers may reach this machine through it."""
        address = ipaddress.IPv4Address(self.address)
        return self.is_up and not (self.is_bridge or address.is_loopback or address.is_link_local)

    def __str__(self) -> str:
        return f"{self.name} {self.address}" + ("" if self.is_up else " (down)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFacts:
    """The configured address, and those of this machine."""

    address: str
    is_loopback: bool
    interfaces: tuple[Interface, ...]
    in_container: bool


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    network = installation.network
    yield judge(
        AddressFacts(
            address=network.address,
            is_loopback=network.is_loopback,
            interfaces=find_interfaces(),
            in_container=any(mark.exists() for mark in CONTAINER_MARKS),
        )
    )


def find_interfaces() -> tuple[Interface, ...]:
    """Every IPv4 address of this machine."""
    states = psutil.net_if_stats()
    return tuple(
        Interface(
            name=name,
            address=item.address,
            is_up=name in states and states[name].isup,
            ends_elsewhere=_link_number(name, "iflink") != _link_number(name, "ifindex"),
        )
        for name, items in sorted(psutil.net_if_addrs().items())
        for item in items
        if item.family == socket.AF_INET
    )


def judge(facts: AddressFacts) -> Row:
    """It must be an address of this machine that leads out of it, or loopback."""
    others = [interface for interface in facts.interfaces if interface.serves_network]
    listed = ", ".join(map(str, others)) or "none"
    if facts.is_loopback:
        return ADDRESS.ok(
            f"{facts.address}: only browsers on this machine can call; `make run ADDRESS=…` serves the local network "
            f"(this machine has: {listed})"
        )
    example = others[0].address if others else "192.168.1.5"
    fix = f"`make run ADDRESS={example}`, with the address that callers reach this machine at (it has: {listed})."
    try:
        ipaddress.IPv4Address(facts.address)
    except ValueError:
        return ADDRESS.failed(f"{facts.address} is not an IPv4 address", fix=fix)
    own = next((interface for interface in facts.interfaces if interface.address == facts.address), None)
    if own is None:
        return ADDRESS.failed(f"{facts.address} is not an address of this machine", fix=fix)
    return _judge_own(own, facts, fix)


def _judge_own(own: Interface, facts: AddressFacts, fix: str) -> Row:
    address = ipaddress.IPv4Address(own.address)
    if own.is_bridge:
        return ADDRESS.failed(f"{own} leads only to containers or virtual machines on this machine", fix=fix)
    if not own.is_up:
        return ADDRESS.failed(
            f"{own.name} {own.address}: this interface is down", fix=f"`sudo ip link set {own.name} up`, or {fix}"
        )
    if facts.in_container and own.ends_elsewhere:
        return ADDRESS.warning(
            f"{own} is a container's own address: only the machine that runs the container can reach it",
            fix="Run the container in the host's network (network_mode: host), and use the host's address.",
        )
    if address.is_link_local:
        return ADDRESS.warning(f"{own} is link-local: the interface got no address from the network", fix=fix)
    if address.is_global:
        return ADDRESS.warning(
            f"{own} is a public internet address, and Callbox has no user accounts: anyone who reaches it can call",
            fix="Use an address of the local network, or have the firewall admit only your callers.",
        )
    return ADDRESS.ok(f"{own}: reachable from its network, unless something in between blocks it (row firewall)")


def _link_number(interface: str, name: str) -> int:
    try:
        return int((INTERFACES / interface / name).read_text())
    except (OSError, ValueError):
        return -1
