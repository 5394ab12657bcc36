"""Whether this machine's own firewall lets callers in, as far as this user may read it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.commands import ask
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.netfilter import Packet, Ruleset
from agent.operate.doctor.network_address import find_interfaces
from agent.operate.doctor.report import Row, Subject
from agent.operate.doctor.ufw import UfwStatus
from agent.operate.supervisor.callbox import ports
from agent.operate.supervisor.ports import Port
from agent.settings import Network

FIREWALL = Subject("firewall", "firewall")
UFW_SETTINGS = Path("/etc/ufw/ufw.conf")
Blocks = Callable[[Packet], bool]
"""Whether rules that were read drop it for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallFacts:
    """What filters, and what it would do."""

    front: str
    """ufw or firewalld when that is on, else nftables."""
    on: bool
    """Whether ufw or firewalld say that they are on."""
    readable: bool
    """Whether the rules could be read, which takes root, and the program nft where ufw is not on."""
    ports: tuple[str, ...]
    """What callers have to reach: `8080/tcp` ..."""
    blocked: tuple[str, ...] = ()
    """Those of them that are dropped for certain."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    network = installation.network
    if network.is_loopback:
        yield FIREWALL.skipped("only this machine is served")
        return
    interface = next((found.name for found in find_interfaces() if found.address == network.address), "")
    yield judge(find_firewall(callers_ports(network), interface))


def callers_ports(network: Network) -> list[Port]:
    """What callers' machines open connections to. Over HTTPS the web server passes their signalling on."""
    inner = {network.ops_port} if network.web_scheme == "http" else {network.ops_port, network.livekit_port}
    return [port for port in ports(network) if port.number not in inner]


def find_firewall(wanted: list[Port], interface: str, ufw_settings: Path = UFW_SETTINGS) -> FirewallFacts:
    """Ask each of them."""
    ufw, firewalld = _ufw_is_on(ufw_settings), _firewalld_is_on()
    packets = {_written(port): Packet(port.protocol, port.number, interface) for port in wanted}
    blocks = _ufw_rules() if ufw else _kernel_rules()
    return FirewallFacts(
        front="ufw" if ufw else "firewalld" if firewalld else "nftables",
        on=ufw or firewalld,
        readable=blocks is not None,
        ports=tuple(packets),
        blocked=tuple(name for name, packet in packets.items() if blocks is not None and blocks(packet)),
    )


def judge(facts: FirewallFacts) -> Row:
    """A hint: what lies between this machine and its callers is not seen from here."""
    wanted = ", ".join(facts.ports)
    if facts.blocked:
        return FIREWALL.warning(
            f"{facts.front} blocks {', '.join(facts.blocked)}", fix=_opening(facts.front, facts.blocked)
        )
    if facts.readable:
        return FIREWALL.ok(f"{facts.front} does not block {wanted}")
    if facts.on:
        return FIREWALL.warning(
            f"{facts.front} is on, and this user may not read its rules; callers need {wanted}",
            fix=f"`sudo make doctor` reads them; {_opening(facts.front, facts.ports)}",
        )
    return FIREWALL.skipped(f"its rules can be read by root with nft only; callers need {wanted}")


def _opening(front: str, blocked: tuple[str, ...]) -> str:
    if front == "ufw":
        return " && ".join(f"sudo ufw allow {port}" for port in blocked)
    if front == "firewalld":
        return f"sudo firewall-cmd --permanent {' '.join(f'--add-port={p}' for p in blocked)} && sudo firewall-cmd --reload"
    rules = (f"{protocol} dport {number} accept" for number, _, protocol in (port.partition("/") for port in blocked))
    return f"Let its input chain (/etc/nftables.conf) say: {'; '.join(rules)}"


def _ufw_rules() -> Blocks | None:
    answer = ask(["ufw", "status", "verbose"])
    if answer is None or not answer.output.startswith("Status: active"):
        return None
    return UfwStatus(answer.output).blocks


def _kernel_rules() -> Blocks | None:
    answer = ask(["nft", "-j", "list", "ruleset"])
    if answer is None or answer.status != 0:
        return None
    try:
        return Ruleset(json.loads(answer.output)).blocks
    except (ValueError, LookupError):  # another nft, which prints otherwise
        return None


def _ufw_is_on(settings: Path) -> bool:
    try:
        return re.search(r"^ENABLED=yes", settings.read_text(encoding="utf-8"), re.MULTILINE) is not None
    except OSError:
        return False


def _firewalld_is_on() -> bool:
    state = ask(["firewall-cmd", "--state"])
    return state is not None and state.output == "running"


def _written(port: Port) -> str:
    return f"{port.number}/{port.protocol}"
