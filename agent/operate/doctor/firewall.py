"""Whether this machine's own firewall lets callers in, according to ufw, firewalld or the kernel.

No packet is sent: one sent from this machine to itself would meet other rules than a caller's. What cannot be determined is
reported as such.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from agent.operate.doctor.commands import ask
from agent.operate.doctor.installation import Installation
from agent.operate.doctor.network_address import find_interfaces
from agent.operate.doctor.report import Row, Subject
from agent.operate.supervisor.callbox import ports
from agent.settings import Network

FIREWALL = Subject("firewall", "firewall")
UFW_SETTINGS = Path("/etc/ufw/ufw.conf")
LEGACY_TABLES = Path("/proc/net/ip_tables_names")
FIREWALLD_RUNS = (0, 253)
"""Exit statuses of `firewall-cmd --state`: running, or running but answering only root."""
INPUT_CHAIN = re.compile(r"hook input [^;]*; policy (.*?)\}", re.DOTALL)
NEEDS_ROOT = "only root may read its rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallFacts:
    """What filters incoming connections."""

    name: str
    """ufw, firewalld or nftables; empty if nothing filters, or that cannot be told."""
    unlisted: tuple[str, ...] = ()
    """Ports that callers need but no rule names: `7882/udp` ..."""
    unknown: str = ""
    """Why the ports could not be checked; empty if they were."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    network = installation.network
    if network.is_loopback:
        yield FIREWALL.skipped("only this machine is served")
        return
    interface = next((found.name for found in find_interfaces() if found.address == network.address), "")
    needed = ports_for_callers(network)
    yield judge(find_firewall(needed, interface), needed)


def ports_for_callers(network: Network) -> tuple[str, ...]:
    """What callers' machines open connections to. Over HTTPS the web server proxies their signalling."""
    inner = {network.ops_port} if network.web_scheme == "http" else {network.ops_port, network.livekit_port}
    return tuple(f"{port.number}/{port.protocol}" for port in ports(network) if port.number not in inner)


def find_firewall(needed: Sequence[str], interface: str, ufw_settings: Path = UFW_SETTINGS) -> FirewallFacts:
    """Ask the front end that is active, else the kernel."""
    return _ask_ufw(needed, ufw_settings) or _ask_firewalld(needed, interface) or _ask_kernel()


def judge(facts: FirewallFacts, needed: Sequence[str]) -> Row:
    """Never a failure: only the rules of this machine are seen, and a wider one may let callers in."""
    listed = ", ".join(needed)
    if facts.unlisted:
        return FIREWALL.warning(
            f"{facts.name} is active but has no rule for {', '.join(facts.unlisted)}",
            fix=f"{_opening(facts.name, facts.unlisted)} (unless a wider rule lets callers in)",
        )
    if facts.unknown and facts.name in ("ufw", "firewalld"):
        return FIREWALL.warning(
            f"{facts.name} is active, but {facts.unknown}; callers need {listed}",
            fix=f"Run the doctor with sudo to check them, or open the ports: {_opening(facts.name, needed)}",
        )
    if facts.unknown:
        return FIREWALL.skipped(f"{facts.unknown}; callers need {listed}")
    found = (
        f"{facts.name} admits" if facts.name else "nothing on this machine filters incoming connections; callers need"
    )
    return FIREWALL.ok(f"{found} {listed}")


def _opening(name: str, closed: Sequence[str]) -> str:
    if name == "ufw":
        return f"`{' && '.join(f'sudo ufw allow {port}' for port in closed)}`"
    options = " ".join(f"--add-port={port}" for port in closed)
    return f"`sudo firewall-cmd --permanent {options} && sudo firewall-cmd --reload`"


def _ask_ufw(needed: Sequence[str], settings: Path) -> FirewallFacts | None:
    if not settings.exists() or dotenv_values(settings).get("ENABLED") != "yes":
        return None
    answer = ask(["ufw", "status", "verbose"])
    if answer is None or not answer.output.startswith("Status: active"):
        return FirewallFacts(name="ufw", unknown=NEEDS_ROOT)
    if "allow (incoming)" in answer.output:
        return FirewallFacts(name="ufw")
    named = re.findall(r"^(?:[\d.]+ )?(\d+(?:/\w+)?) .* (?:ALLOW|LIMIT) ", answer.output, re.MULTILINE)
    unlisted = tuple(port for port in needed if not {port, port.partition("/")[0]} & set(named))
    return FirewallFacts(name="ufw", unlisted=unlisted)


def _ask_firewalld(needed: Sequence[str], interface: str) -> FirewallFacts | None:
    state = ask(["firewall-cmd", "--state"])
    if state is None or state.status not in FIREWALLD_RUNS:
        return None
    zone = ask(["firewall-cmd", f"--get-zone-of-interface={interface}"])
    of_zone = [f"--zone={zone.output}"] if zone is not None and zone.status == 0 else []
    answers = {port: ask(["firewall-cmd", *of_zone, f"--query-port={port}"]) for port in needed}
    if any(answer is None or answer.output not in ("yes", "no") for answer in answers.values()):
        return FirewallFacts(name="firewalld", unknown=NEEDS_ROOT)
    closed = tuple(port for port, answer in answers.items() if answer is not None and answer.output == "no")
    return FirewallFacts(name="firewalld", unlisted=closed)


def _ask_kernel() -> FirewallFacts:
    ruleset = ask(["nft", "list", "ruleset"])
    if ruleset is None or ruleset.status != 0:
        return FirewallFacts(name="", unknown="cannot be told: only root, with nft installed, can ask the kernel")
    legacy = os.access(LEGACY_TABLES, os.R_OK) and "filter" in LEGACY_TABLES.read_text()
    if legacy or any(chain.strip() != "accept;" for chain in INPUT_CHAIN.findall(ruleset.output)):
        unknown = "cannot be told: the kernel filters incoming connections (`sudo nft list ruleset` shows how)"
        return FirewallFacts(name="nftables", unknown=unknown)
    return FirewallFacts(name="")
