"""Whether a ruleset of the kernel's firewall lets a new connection in: a careful reading of `nft -j list ruleset`. Pure.

Rules that cannot be decided without a real packet (source addresses, sets, old iptables matches) count as "perhaps": only
what is blocked for certain is called blocked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_DEPTH = 16
"""Of chains that call each other; the kernel allows as many."""
DECIDED = ("accept", "drop", "reject")
HARMLESS = ("counter", "log", "limit", "comment")
FAMILIES = ("ip", "inet")


class Verdict(Enum):
    """What becomes of the packet."""

    ACCEPT = "accept"
    DROP = "drop"
    PERHAPS = "perhaps"
    """It hangs on something that is not known here."""
    CONTINUE = "continue"
    """No rule said anything."""
    RETURN = "return"
    """Back to the chain that sent it here."""


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a call."""

    protocol: str
    """tcp or udp."""
    port: int
    interface: str
    """By which it comes in; empty: not known."""


class Ruleset:
    """Tables, chains and rules as nft prints them."""

    def __init__(self, listed: Mapping[str, Any]) -> None:
        items = [item for item in listed.get("nftables", []) if isinstance(item, dict)]
        self._entries = [item["chain"] for item in items if item.get("chain", {}).get("hook") == "input"]
        self._rules: dict[tuple[str, str, str], list[list[dict[str, Any]]]] = defaultdict(list)
        for rule in (item["rule"] for item in items if "rule" in item):
            self._rules[rule["family"], rule["table"], rule["chain"]].append(rule["expr"])

    def blocks(self, packet: Packet) -> bool:
        """Whether any table drops it for certain; all of them have to let it in."""
        return any(self._enter(chain, packet) is Verdict.DROP for chain in self._entries if chain["family"] in FAMILIES)

    def _enter(self, chain: Mapping[str, Any], packet: Packet) -> Verdict:
        verdict = self._walk((chain["family"], chain["table"], chain["name"]), packet, 0)
        if verdict is not Verdict.CONTINUE:
            return verdict
        return Verdict.DROP if chain.get("policy") == "drop" else Verdict.ACCEPT

    def _walk(self, chain: tuple[str, str, str], packet: Packet, depth: int) -> Verdict:
        if depth > MAX_DEPTH:
            return Verdict.PERHAPS
        for rule in self._rules[chain]:
            matches, verdict = self._apply(rule, chain, packet, depth)
            if matches is False or verdict is Verdict.CONTINUE:
                continue
            if matches is True:
                return Verdict.CONTINUE if verdict is Verdict.RETURN else verdict
            if verdict is not Verdict.DROP:  # it may be let in here
                return Verdict.PERHAPS
        return Verdict.CONTINUE

    def _apply(
        self, rule: list[dict[str, Any]], chain: tuple[str, str, str], packet: Packet, depth: int
    ) -> tuple[bool | None, Verdict]:
        """Whether the rule is about the packet (None: perhaps), and what it does."""
        matches: bool | None = True
        by_port = any(_is_port(part) for part in rule)
        for part in rule:
            name, value = next(iter(part.items()))
            if name in DECIDED:
                return matches, Verdict.ACCEPT if name == "accept" else Verdict.DROP
            if name in ("jump", "goto"):
                verdict = self._walk((*chain[:2], value["target"]), packet, depth + 1)
                ends = name == "goto" and verdict is Verdict.CONTINUE  # nothing after a goto is looked at
                return matches, Verdict.RETURN if ends else verdict
            if name == "return":
                return matches, Verdict.RETURN
            decided = _decide(name, value, packet, by_port=by_port)
            if decided is False:
                return False, Verdict.CONTINUE
            if decided is None:
                matches = None
        ends_unread = matches is None and any(next(iter(part)) not in (*HARMLESS, "match", "xt") for part in rule)
        return matches, Verdict.PERHAPS if ends_unread else Verdict.CONTINUE


def _is_port(part: Mapping[str, Any]) -> bool:
    return "dport" in str(part.get("match", {}).get("left", ""))


def _decide(name: str, value: Any, packet: Packet, *, by_port: bool) -> bool | None:
    """Whether one condition holds."""
    if name in HARMLESS:
        return True
    if name == "xt":  # iptables' own matches are not printed; its connection states without a port are ESTABLISHED
        return False if "conntrack" in str(value) and not by_port else None
    if name != "match":
        return None
    holds = _holds(value["left"], value["right"], packet)
    return not holds if holds is not None and value.get("op") == "!=" else holds


def _holds(left: Any, right: Any, packet: Packet) -> bool | None:
    match left:
        case {"payload": {"protocol": protocol, "field": "dport"}}:
            return protocol in (packet.protocol, "th") and _among(packet.port, right)
        case {"meta": {"key": "l4proto"}} | {"payload": {"protocol": "ip", "field": "protocol"}}:
            return _among(packet.protocol, right)
        case {"payload": {"protocol": "tcp" | "udp" as protocol}} if protocol != packet.protocol:
            return False
        case {"payload": {"protocol": "icmp" | "icmpv6" | "ip6"}}:
            return False
        case {"meta": {"key": "iif" | "iifname"}}:
            return _through(packet.interface, right)
        case {"meta": {"key": "nfproto"}}:
            return _among("ipv4", right)
        case {"ct": {"key": "state"}}:
            return _among("new", right)
    return None


def _among(value: str | int, right: Any) -> bool | None:
    """Whether it is in a value, a list, a set or a range; None for a set that is kept elsewhere."""
    match right:
        case {"set": list() as members}:
            return _any(_among(value, member) for member in members)
        case {"range": [low, high]}:
            return isinstance(value, int) and low <= value <= high
        case list() as members:
            return _any(_among(value, member) for member in members)
        case str() if right.startswith("@"):
            return None
        case str() | int():
            return right == value
    return None


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return True if True in found else None if None in found else False


def _through(interface: str, right: Any) -> bool | None:
    if right == "lo":
        return False
    if not interface:
        return None
    if isinstance(right, str) and right.endswith("*"):
        return interface.startswith(right.removesuffix("*"))
    return _among(interface, right)
