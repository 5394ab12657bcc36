"""Whether ufw lets a new connection in, as `ufw status verbose` lists its rules. Pure.

They are iptables rules, and what nft prints of those leaves out what matters. Rules with an application's name, for one
interface or for some sources count as letting in: only what is blocked for certain is called blocked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.operate.doctor.netfilter import Packet

_RULE = re.compile(r"^(?P<to>\S.*?)\s{2,}(?P<action>ALLOW|LIMIT|DENY|REJECT)(?: IN)?\s{2,}(?P<source>\S.*?)\s*$")
_DENIES = re.compile(r"^Default: (?:deny|reject) \(incoming\)", re.MULTILINE)
_PORTS = re.compile(r"(?P<ports>\d[\d,:]*)(?:/(?P<protocol>tcp|udp))?")
ANYWHERE = "Anywhere"


@dataclass(frozen=True, slots=True)
class _Rule:
    to: str
    lets_in: bool
    for_all: bool
    """From every source, on every interface."""

    def covers(self, packet: Packet) -> bool | None:
        """Whether it is about the packet; None: perhaps."""
        last = self.to.split()[-1]
        if last == ANYWHERE:
            return True
        named = _PORTS.fullmatch(last)
        if named is None:
            return None
        if named["protocol"] not in (None, packet.protocol):
            return False
        ranges = (part.partition(":") for part in named["ports"].split(","))
        return any(int(low) <= packet.port <= int(high or low) for low, _, high in ranges)


class UfwStatus:
    """What `ufw status verbose` printed."""

    def __init__(self, printed: str) -> None:
        self._denies = _DENIES.search(printed) is not None
        self._rules = list(_rules(printed))

    def blocks(self, packet: Packet) -> bool:
        """Whether it is dropped for certain. The first rule about a packet decides."""
        for rule in self._rules:
            covers = rule.covers(packet)
            if covers is not False and rule.lets_in:
                return False
            if covers and rule.for_all:
                return True
        return self._denies


def _rules(printed: str) -> Iterator[_Rule]:
    for line in printed.splitlines():
        found = _RULE.match(line)
        if found is None or "(v6)" in line:
            continue
        to, _, interface = found["to"].partition(" on ")
        yield _Rule(to, found["action"] in ("ALLOW", "LIMIT"), found["source"] == ANYWHERE and not interface)
